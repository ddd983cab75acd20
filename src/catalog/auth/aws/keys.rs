//! Keys as JSON: what metadata servers, container agents and programs of one's own answer with, and keys that are
//! given as they are.

use serde::Deserialize;

use crate::catalog::auth::credential::{Lease, SigningKeys};
use crate::catalog::auth::grant::{Got, Grant, Step, failed};
use crate::catalog::auth::stamp;

/// Keys that do not have to be asked for.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The keys.
    pub keys: SigningKeys,
    /// Where they stand.
    pub name: &'static str,
}

impl Grant for Fixed {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn next(&mut self, _: Got, _: u64) -> Step {
        Step::Done(self.keys.clone().lease(None))
    }
}

/// A program that prints keys: `credential_process` of a profile.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
#[derive(Clone, Debug)]
pub struct Process {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The profile it stands in.
    pub profile: String,
}

impl Grant for Process {
    fn name(&self) -> String {
        format!("credential_process of the AWS profile '{}'", self.profile)
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        if matches!(got, Got::Nothing) {
            return Step::Run(self.command.clone());
        }
        let printed = got.text().and_then(|text| read(text.as_bytes(), now));
        printed.map_or_else(Step::required, Step::Done)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Form {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
    /// What the metadata server says of a role that cannot be lent.
    code: Option<String>,
}

/// Keys out of JSON.
///
/// # Errors
/// What is wrong with it.
pub fn read(json: &[u8], now: u64) -> Result<Lease, Step> {
    let form: Form = serde_json::from_slice(json).map_err(|_| failed("it gave no JSON"))?;
    if let Some(code) = form.code.filter(|code| code != "Success") {
        let code: String = code.chars().take(60).collect();
        return Err(failed(format!("it gave the code {code} and no keys")));
    }
    let (Some(access), Some(secret)) = (form.access_key_id, form.secret_access_key) else {
        return Err(failed("it gave no AccessKeyId and SecretAccessKey"));
    };
    let keys = SigningKeys::new(&access, &secret, form.token.as_deref()).map_err(failed)?;
    let until = match form.expiration.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Some(stamp::parse(text).ok_or_else(|| failed("its Expiration is no time"))?),
        None => None,
    };
    if until.is_some_and(|until| until <= now) {
        return Err(failed(
            "the keys it gave have expired already; renew what they come from",
        ));
    }
    Ok(keys.lease(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::auth::credential::Credential;
    use crate::catalog::auth::grant::Text;

    fn process() -> Process {
        Process {
            command: vec!["/bin/keys".to_owned(), "--json".to_owned()],
            profile: "work".to_owned(),
        }
    }

    #[test]
    fn a_program_is_run_and_read() {
        let mut process = process();
        let Step::Run(command) = process.next(Got::Nothing, 0) else {
            panic!("the program is run first");
        };
        assert_eq!(command, ["/bin/keys", "--json"]);
        let json = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s/1","SessionToken":"lent","Expiration":"2026-11-25T12:00:00Z"}"#;
        let Step::Done(lease) = process.next(Got::Text(Text(json.to_owned())), 5) else {
            panic!("keys are read");
        };
        let keys = SigningKeys::new("AKID", "s/1", Some("lent")).unwrap();
        assert_eq!(lease.credential, Credential::Signing(keys));
        assert_eq!(lease.until, Some(1_795_608_000));
    }

    #[test]
    fn a_program_that_fails_is_the_end() {
        for got in [
            Got::Absent("no such program".to_owned()),
            Got::Broken("exit 1".to_owned()),
        ] {
            assert!(matches!(process().next(got, 0), Step::Failed(_)));
        }
    }

    #[test]
    fn what_holds_no_keys_is_said() {
        let rows = [
            ("", "no JSON"),
            ("{}", "no AccessKeyId"),
            (
                r#"{"Code":"AssumeRoleUnauthorizedAccess"}"#,
                "AssumeRoleUnauthorizedAccess",
            ),
            (
                r#"{"AccessKeyId":"A","SecretAccessKey":"b c"}"#,
                "secret access key",
            ),
            (
                r#"{"AccessKeyId":"A","SecretAccessKey":"b","Expiration":"soon"}"#,
                "no time",
            ),
            (
                r#"{"AccessKeyId":"A","SecretAccessKey":"b","Expiration":"1970-01-01T00:00:09Z"}"#,
                "expired already",
            ),
        ];
        for (json, expected) in rows {
            let Err(Step::Failed(why)) = read(json.as_bytes(), 10) else {
                panic!("{json} holds no keys");
            };
            assert!(why.contains(expected), "{why}");
        }
        assert!(read(br#"{"AccessKeyId":"A","SecretAccessKey":"b"}"#, 10).is_ok());
    }
}
