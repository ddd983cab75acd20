//! A profile of the shared files: keys, a program, or a role to assume with what another profile leads to.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>

use std::path::PathBuf;

use super::ini::{Kind, Profiles, Settings, words};
use super::keys::{Fixed, Process};
use super::metadata::{Container, Instance};
use super::sts::{Assume, Role, SESSION, Sts, WebIdentity};
use crate::catalog::auth::credential::SigningKeys;
use crate::catalog::auth::grant::{Got, Grant, Step, Text, failed};

/// How many profiles may stand one behind the other.
const DEEPEST: usize = 8;

/// What a profile may draw on.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Whether it was named, or is only the usual one.
    pub asked: Asked,
    /// `~/.aws/config` and `~/.aws/credentials`, or what stands in for them.
    pub files: [PathBuf; 2],
    /// Where roles are assumed.
    pub sts: Sts,
    /// Keys of the environment, for `credential_source = Environment`.
    pub environment: Option<SigningKeys>,
    /// The container's role, for `credential_source = EcsContainer`.
    pub container: Option<Container>,
    /// The instance's role, for `credential_source = Ec2InstanceMetadata`.
    pub instance: Option<Instance>,
}

/// Whether something was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By name: it must be there.
    ByName,
    /// By nobody: it may be there.
    Not,
}

/// A profile that is being read and followed.
#[derive(Debug)]
pub struct Reading {
    profile: Profile,
    profiles: Profiles,
    /// Files that were asked for.
    read: usize,
    way: Option<Box<dyn Grant>>,
}

impl Profile {
    /// The way through the files.
    #[must_use]
    pub fn grant(self) -> Reading {
        Reading {
            profile: self,
            profiles: Profiles::default(),
            read: 0,
            way: None,
        }
    }
}

impl Reading {
    fn advance(&mut self, got: Got, now: u64) -> Result<Step, Step> {
        if let Some(way) = &mut self.way {
            return Ok(way.next(got, now).required());
        }
        match (got, self.read) {
            (Got::Text(Text(text)), 1) => self.profiles.add(&text, Kind::Config),
            (Got::Text(Text(text)), _) => self.profiles.add(&text, Kind::Credentials),
            (Got::Nothing | Got::Absent(_), _) => {}
            (other, _) => return Err(other.text().map_or_else(|end| end, failed)),
        }
        if let Some(file) = self.profile.files.get(self.read) {
            self.read += 1;
            return Ok(Step::Read(file.clone()));
        }
        let name = self.profile.name.clone();
        let mut way = self.way(&name, &mut Vec::new())?;
        let step = way.next(Got::Nothing, now).required();
        self.way = Some(way);
        Ok(step)
    }

    /// The way a profile leads.
    fn way(&self, name: &str, seen: &mut Vec<String>) -> Result<Box<dyn Grant>, Step> {
        let Some(settings) = self.profiles.named(name) else {
            let why =
                format!("there is no profile '{name}' in the shared config and credentials files");
            return Err(match (self.profile.asked, seen.is_empty()) {
                (Asked::Not, true) => Step::NotHere(why),
                (Asked::ByName, _) | (Asked::Not, false) => failed(why),
            });
        };
        // A profile may name itself as the source of its keys: then those that stand in it are meant.
        let own = seen.last().is_some_and(|last| last == name);
        if !own && (seen.iter().any(|other| other == name) || seen.len() >= DEEPEST) {
            return Err(failed(format!(
                "the profile '{name}' is its own source_profile in the end"
            )));
        }
        seen.push(name.to_owned());
        match settings.get("role_arn") {
            Some(arn) if !own => self.role(name, arn, settings, seen),
            Some(_) | None => self.keys(name, settings),
        }
    }

    fn role(
        &self,
        name: &str,
        arn: &str,
        settings: &Settings,
        seen: &mut Vec<String>,
    ) -> Result<Box<dyn Grant>, Step> {
        let text = |key: &str| settings.get(key).filter(|value| !value.is_empty()).cloned();
        let role = Role {
            arn: arn.to_owned(),
            session: text("role_session_name").unwrap_or_else(|| SESSION.to_owned()),
            external_id: text("external_id"),
            duration: text("duration_seconds").and_then(|text| text.parse().ok()),
        };
        let sts = self.profile.sts.clone();
        if let Some(file) = text("web_identity_token_file") {
            let file = PathBuf::from(file);
            return Ok(Box::new(WebIdentity { role, file, sts }));
        }
        if text("mfa_serial").is_some() {
            let why = format!(
                "the profile '{name}' wants a code of an MFA device, which nobody can type here"
            );
            return Err(failed(why));
        }
        let base = match (text("source_profile"), text("credential_source")) {
            (Some(source), _) => self.way(&source, seen)?,
            (None, Some(source)) => self.source(name, &source)?,
            (None, None) => {
                let why = format!(
                    "the profile '{name}' has role_arn, but no source_profile or credential_source"
                );
                return Err(failed(why));
            }
        };
        let asked = false;
        Ok(Box::new(Assume {
            base,
            role,
            sts,
            asked,
        }))
    }

    fn source(&self, name: &str, source: &str) -> Result<Box<dyn Grant>, Step> {
        let Profile {
            environment,
            container,
            instance,
            ..
        } = &self.profile;
        let found: Option<Box<dyn Grant>> = match source {
            "Environment" => environment.clone().map(|keys| {
                let name = "AWS keys of the environment";
                Box::new(Fixed { keys, name }) as Box<dyn Grant>
            }),
            "EcsContainer" => container.clone().map(|way| Box::new(way) as Box<dyn Grant>),
            "Ec2InstanceMetadata" => instance.clone().map(|way| Box::new(way) as Box<dyn Grant>),
            other => {
                let why = format!(
                    "the profile '{name}' has the credential_source '{other}', which is not known"
                );
                return Err(failed(why));
            }
        };
        let missing = || {
            failed(format!(
                "the credential_source '{source}' of the profile '{name}' is not here"
            ))
        };
        found.ok_or_else(missing)
    }

    fn keys(&self, name: &str, settings: &Settings) -> Result<Box<dyn Grant>, Step> {
        let text = |key: &str| settings.get(key).filter(|value| !value.is_empty());
        if let (Some(access), Some(secret)) =
            (text("aws_access_key_id"), text("aws_secret_access_key"))
        {
            let session = text("aws_session_token").map(String::as_str);
            let keys = SigningKeys::new(access, secret, session).map_err(failed)?;
            let name = "AWS keys of the shared files";
            return Ok(Box::new(Fixed { keys, name }));
        }
        if let Some(command) = text("credential_process") {
            let command = words(command);
            let profile = name.to_owned();
            return Ok(Box::new(Process { command, profile }));
        }
        if settings.keys().any(|key| key.starts_with("sso_")) || text("login_session").is_some() {
            let why = format!(
                "the profile '{name}' logs in by IAM Identity Center, which Waypost does not do itself; add \
                 credential_process = aws configure export-credentials --profile {name}, in a profile of its own"
            );
            return Err(failed(why));
        }
        let why = format!("the profile '{name}' holds no keys, role or credential_process");
        Err(match (self.profile.asked, self.profile.name == name) {
            (Asked::Not, true) => Step::NotHere(why),
            (Asked::ByName, _) | (Asked::Not, false) => failed(why),
        })
    }
}

impl Grant for Reading {
    fn name(&self) -> String {
        format!("AWS profile '{}'", self.profile.name)
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(|end| end)
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
