//! The client's `metadata` as `labels`, where the provider bills by them.

use crate::chat::json::{self, Escaped};
use crate::chat::{Error, Members};

use super::job::Job;

/// The most letters of a label's name and of its value.
const LONGEST: usize = 63;

/// Writes the client's own labels, or those its metadata becomes.
pub(super) fn write(job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let own = job.member("labels")?;
    if let Some(raw) = own {
        json::member("labels", raw, out);
    }
    let Some(raw) = job.request.member("metadata") else {
        return Ok(());
    };
    let metadata = Members::parse(raw).unwrap_or_default();
    if metadata.0.is_empty() && raw.starts_with('{') {
        return Ok(());
    }
    if !job.target.quirks.metadata_labels || own.is_some() || metadata.0.is_empty() {
        return job.drop("metadata", "has no counterpart here.");
    }
    let labels = labels(job, &metadata)?;
    if !labels.is_empty() {
        labels_member(&labels, out);
    }
    Ok(())
}

fn labels<'a>(
    job: &mut Job<'_>,
    metadata: &'a Members<'a>,
) -> Result<Vec<(&'a str, String)>, Error> {
    let mut labels = Vec::new();
    for (name, raw) in &metadata.0 {
        let value = Escaped::token(raw).map(Escaped::decode);
        match value.filter(|value| is_name(name) && is_label(value)) {
            Some(value) => labels.push((name.as_ref(), value.into_owned())),
            None => job.drop(
                format!("metadata.{name}"),
                "is no label: those are lower-case letters, digits, '-' and '_', at most 63.",
            )?,
        }
    }
    Ok(labels)
}

fn labels_member(labels: &[(&str, String)], out: &mut Vec<u8>) {
    json::key("labels", out);
    out.push(b'{');
    for (name, value) in labels {
        json::key(name, out);
        json::quote(value, out);
    }
    out.push(b'}');
}

/// Google's rules for labels: <https://cloud.google.com/resource-manager/docs/labels-overview>.
fn is_label(text: &str) -> bool {
    let fits = |c: char| c.is_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    text.chars().count() <= LONGEST && text.chars().all(fits)
}

fn is_name(text: &str) -> bool {
    is_label(text) && text.starts_with(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_low() {
        assert!(is_name("team") && is_label("") && is_label("a-1_b") && is_label("7"));
        for bad in ["Team", "a b", "a.b", "a@b", &"x".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
        assert!(!is_name("7a") && !is_name(""));
    }
}
