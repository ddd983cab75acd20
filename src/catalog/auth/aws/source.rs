//! The credential chain of AWS, made up once from settings and environment.
//!
//! The order is that of AWS's SDKs for Go and Java: what the configuration says, keys of the environment, a web
//! identity token, a profile, the container's role, the instance's role.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

use std::path::PathBuf;

use super::keys::Fixed;
use super::metadata::{Container, Instance, Pass};
use super::profile::{Asked, Profile};
use super::sts::{Assume, Role, SESSION, Sts, WebIdentity};
use crate::catalog::auth::chain::Chain;
use crate::catalog::auth::credential::SigningKeys;
use crate::catalog::auth::grant::Grant;
use crate::catalog::auth::identity::Lookup;
use crate::catalog::auth::key::Secret;
use crate::catalog::auth::sigv4::Scope;

/// Every way to keys that is open here.
#[derive(Clone, Debug)]
pub struct Ways {
    /// What calls are signed for.
    pub scope: Scope,
    links: Vec<Link>,
    role: Option<Role>,
    sts: Sts,
}

#[derive(Clone, Debug)]
enum Link {
    Fixed(Fixed),
    WebIdentity(WebIdentity),
    Profile(Profile),
    Container(Container),
    Instance(Instance),
}

impl Link {
    fn grant(self) -> Box<dyn Grant> {
        match self {
            Self::Fixed(link) => Box::new(link),
            Self::WebIdentity(link) => Box::new(link),
            Self::Profile(link) => Box::new(link.grant()),
            Self::Container(link) => Box::new(link),
            Self::Instance(link) => Box::new(link),
        }
    }

    fn name(&self) -> String {
        self.clone().grant().name()
    }
}

impl Ways {
    /// The ways that are open with these settings in this environment.
    ///
    /// # Errors
    /// What is wrong with a setting or a variable.
    pub fn new(service: &str, settings: Lookup<'_>, env: Lookup<'_>) -> Result<Self, String> {
        let region = settings("region")
            .or_else(|| env("AWS_REGION"))
            .or_else(|| env("AWS_DEFAULT_REGION"))
            .ok_or("no region: set region here, or the variable AWS_REGION")?;
        let sts = Sts::of(&region, env("AWS_ENDPOINT_URL_STS"));
        let links = links(settings, env, &sts)?;
        let role = settings("role_arn").map(|arn| Role {
            arn,
            session: env("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION.to_owned()),
            external_id: None,
            duration: None,
        });
        let service = service.to_owned();
        let scope = Scope { region, service };
        Ok(Self {
            scope,
            links,
            role,
            sts,
        })
    }

    /// Whether there is any way at all.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.links.is_empty()
    }

    /// The ways by name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        let links: Vec<String> = self.links.iter().map(Link::name).collect();
        let links = links.join(", else ");
        match &self.role {
            Some(role) => format!("AWS role '{}' by {links}", role.arn),
            None => links,
        }
    }

    /// The way to keys.
    #[must_use]
    pub fn grant(&self) -> Box<dyn Grant> {
        let links = self.links.iter().cloned().map(Link::grant).collect();
        let base: Box<dyn Grant> = Box::new(Chain::of(links));
        match self.role.clone() {
            Some(role) => Box::new(Assume {
                base,
                role,
                sts: self.sts.clone(),
                asked: false,
            }),
            None => base,
        }
    }
}

fn links(settings: Lookup<'_>, env: Lookup<'_>, sts: &Sts) -> Result<Vec<Link>, String> {
    if let Some(keys) = given(settings)? {
        let name = "AWS keys of the configuration";
        return Ok(vec![Link::Fixed(Fixed { keys, name })]);
    }
    let environment = environment(env)?;
    let instance = instance(env);
    let container = container(env)?;
    let profile = |name: String, asked: Asked| {
        Some(Link::Profile(Profile {
            name,
            asked,
            files: files(env)?,
            sts: sts.clone(),
            environment: environment.clone(),
            container: container.clone(),
            instance: instance.clone(),
        }))
    };
    if let Some(name) = settings("profile") {
        let link = profile(name, Asked::ByName);
        return Ok(vec![link.ok_or(
            "profile is set, but there is no HOME whose .aws it could be in",
        )?]);
    }
    let usual = match env("AWS_PROFILE") {
        Some(name) => profile(name, Asked::ByName),
        None => profile("default".to_owned(), Asked::Not),
    };
    let fixed = environment.clone().map(|keys| {
        let name = "AWS keys of the environment";
        Link::Fixed(Fixed { keys, name })
    });
    let links = [
        fixed,
        web_identity(env, sts),
        usual,
        container.clone().map(Link::Container),
        instance.clone().map(Link::Instance),
    ];
    Ok(links.into_iter().flatten().collect())
}

/// Keys that the configuration gives.
fn given(settings: Lookup<'_>) -> Result<Option<SigningKeys>, String> {
    match (settings("access_key_id"), settings("secret_access_key")) {
        (Some(access), Some(secret)) => {
            SigningKeys::new(&access, &secret, settings("session_token").as_deref()).map(Some)
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err("access_key_id needs secret_access_key beside it".to_owned()),
        (None, Some(_)) => Err("secret_access_key needs access_key_id beside it".to_owned()),
    }
}

fn environment(env: Lookup<'_>) -> Result<Option<SigningKeys>, String> {
    let (Some(access), Some(secret)) = (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"))
    else {
        return Ok(None);
    };
    let keys = SigningKeys::new(&access, &secret, env("AWS_SESSION_TOKEN").as_deref());
    keys.map(Some)
        .map_err(|why| format!("AWS keys of the environment: {why}"))
}

fn web_identity(env: Lookup<'_>, sts: &Sts) -> Option<Link> {
    Some(Link::WebIdentity(WebIdentity {
        file: PathBuf::from(env("AWS_WEB_IDENTITY_TOKEN_FILE")?),
        role: Role {
            arn: env("AWS_ROLE_ARN")?,
            session: env("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION.to_owned()),
            external_id: None,
            duration: None,
        },
        sts: sts.clone(),
    }))
}

fn files(env: Lookup<'_>) -> Option<[PathBuf; 2]> {
    let home = env("HOME").or_else(|| env("USERPROFILE"));
    let file = |variable: &str, name: &str| {
        let named = env(variable).map(PathBuf::from);
        named.or_else(|| Some(PathBuf::from(home.clone()?).join(".aws").join(name)))
    };
    Some([
        file("AWS_CONFIG_FILE", "config")?,
        file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
    ])
}

fn container(env: Lookup<'_>) -> Result<Option<Container>, String> {
    let relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let url = relative
        .map(|path| format!("http://169.254.170.2{path}"))
        .or_else(|| env("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    let Some(url) = url else { return Ok(None) };
    let file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(|path| Pass::File(path.into()));
    let text =
        || env("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|text| Secret::new(&text).map(Pass::Text));
    let pass = match file {
        Some(pass) => pass,
        None => text()
            .transpose()
            .map_err(|error| format!("AWS_CONTAINER_AUTHORIZATION_TOKEN: {error}"))?
            .unwrap_or(Pass::None),
    };
    Ok(Some(Container { url, pass }))
}

fn instance(env: Lookup<'_>) -> Option<Instance> {
    if env("AWS_EC2_METADATA_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true")) {
        return None;
    }
    let six = env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    let usual = if six {
        "http://[fd00:ec2::254]"
    } else {
        "http://169.254.169.254"
    };
    let base = env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    Some(Instance::at(base.as_deref().unwrap_or(usual)))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
