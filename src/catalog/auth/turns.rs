//! For tests: one turn of a way to a credential, in texts.

use super::credential::{Credential, Lease};
use super::grant::{Answer, Got, Reach, Step, Text};

/// A request as lines: method and address, headers, an empty line, body. `near` stands before what is near.
pub(crate) fn asked(step: Step) -> String {
    let Step::Fetch(fetch) = step else {
        panic!("a request is next, not {step:?}");
    };
    let request = &fetch.request;
    let near = if fetch.reach == Reach::Near {
        "near "
    } else {
        ""
    };
    let mut headers: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let head = format!("{near}{} {}", request.method(), request.uri());
    format!("{head}\n{}\n\n{body}", headers.join("\n"))
}

/// The file that is read next.
pub(crate) fn file(step: Step) -> String {
    match step {
        Step::Read(path) => path.display().to_string(),
        other => panic!("a file is next, not {other:?}"),
    }
}

/// What the way ended with.
pub(crate) fn done(step: Step) -> Lease {
    match step {
        Step::Done(lease) => lease,
        other => panic!("the end is next, not {other:?}"),
    }
}

/// The token and its end that the way ended with.
pub(crate) fn token(step: Step) -> (String, Option<u64>) {
    let lease = done(step);
    match lease.credential {
        Credential::Token(token) => (token.reveal().to_owned(), lease.until),
        Credential::Signing(_) => panic!("these are keys"),
    }
}

/// Access key, secret key, session token and end that the way ended with, with blanks between.
pub(crate) fn keys(step: Step) -> String {
    let lease = done(step);
    match lease.credential {
        Credential::Signing(keys) => format!(
            "{} {} {} {:?}",
            keys.access.reveal(),
            keys.secret.reveal(),
            keys.session
                .as_ref()
                .map_or("-", |session| session.reveal()),
            lease.until
        ),
        Credential::Token(_) => panic!("this is a token"),
    }
}

/// Why the way ended badly.
pub(crate) fn failed(step: Step) -> String {
    match step {
        Step::Failed(why) => why,
        other => panic!("a failure is next, not {other:?}"),
    }
}

/// Why the way is not here.
pub(crate) fn elsewhere(step: Step) -> String {
    match step {
        Step::NotHere(why) => why,
        other => panic!("another way is next, not {other:?}"),
    }
}

/// An answer.
pub(crate) fn answer(status: u16, body: &str) -> Got {
    Got::Answer(Answer {
        status,
        date: None,
        body: body.as_bytes().to_vec(),
    })
}

/// What is in a file.
pub(crate) fn text(text: &str) -> Got {
    Got::Text(Text(text.to_owned()))
}

/// There is no such file, or nobody answers.
pub(crate) fn absent() -> Got {
    Got::Absent("there is no such file".to_owned())
}

/// Settings or variables out of a table.
pub(crate) fn table(
    rows: &'static [(&'static str, &'static str)],
) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let row = rows.iter().find(|(key, _)| *key == name)?;
        Some(row.1.to_owned())
    }
}
