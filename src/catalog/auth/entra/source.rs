//! Which credential of Entra is used, made up once from settings and environment: the order is that of Microsoft's
//! `DefaultAzureCredential`, as far as it is meant for servers.

use std::path::PathBuf;

use super::application::{Application, Proof};
use super::machine::{Host, Machine};
use crate::catalog::auth::grant::Grant;
use crate::catalog::auth::identity::Lookup;
use crate::catalog::auth::key::Secret;

/// The one way to a token that was told of.
#[derive(Clone, Debug)]
pub enum Ways {
    /// An application.
    Application(Application),
    /// The machine.
    Machine(Machine),
}

impl Ways {
    /// The way that these settings in this environment tell of; none where nothing does: that a machine might have an
    /// identity is no reason to ask it.
    ///
    /// # Errors
    /// What is wrong with a setting or a variable.
    pub fn new(scope: &str, settings: Lookup<'_>, env: Lookup<'_>) -> Result<Option<Self>, String> {
        let find = |setting: &str, variable: &str| settings(setting).or_else(|| env(variable));
        let client = find("client_id", "AZURE_CLIENT_ID");
        let tenant = find("tenant_id", "AZURE_TENANT_ID");
        let secret = find("client_secret", "AZURE_CLIENT_SECRET");
        let file = env("AZURE_FEDERATED_TOKEN_FILE");
        let machine = machine(scope, client.clone(), settings, env)?;
        let proof = match (secret, file) {
            _ if settings("managed_identity").is_some() => None,
            (Some(secret), _) => {
                let secret =
                    Secret::new(&secret).map_err(|error| format!("client_secret: {error}"))?;
                Some(Proof::Secret(secret))
            }
            (None, Some(file)) => Some(Proof::File(PathBuf::from(file))),
            (None, None) => None,
        };
        let Some(proof) = proof else {
            return Ok(machine);
        };
        let (Some(client), Some(tenant)) = (client, tenant) else {
            let missing =
                "client_id and tenant_id (or AZURE_CLIENT_ID and AZURE_TENANT_ID) must both be set";
            return Err(missing.to_owned());
        };
        let host = env("AZURE_AUTHORITY_HOST");
        let host = host
            .as_deref()
            .unwrap_or("https://login.microsoftonline.com");
        let host = host.trim_end_matches('/');
        Ok(Some(Self::Application(Application {
            url: format!("{host}/{tenant}/oauth2/v2.0/token"),
            client,
            proof,
            scope: scope.to_owned(),
        })))
    }

    /// The way by name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Application(way) => way.name(),
            Self::Machine(way) => way.name(),
        }
    }

    /// The way to a token.
    #[must_use]
    pub fn grant(&self) -> Box<dyn Grant> {
        match self {
            Self::Application(way) => Box::new(way.clone()),
            Self::Machine(way) => Box::new(way.clone()),
        }
    }
}

fn machine(
    scope: &str,
    client: Option<String>,
    settings: Lookup<'_>,
    env: Lookup<'_>,
) -> Result<Option<Ways>, String> {
    let wanted = settings("managed_identity");
    if wanted
        .as_deref()
        .is_some_and(|word| word != "system" && word != "user")
    {
        return Err("managed_identity is \"system\", or \"user\" with a client_id".to_owned());
    }
    let client = match wanted.as_deref() {
        Some("system") => None,
        Some("user") if client.is_none() => {
            return Err("managed_identity = \"user\" needs client_id".to_owned());
        }
        Some(_) | None => client,
    };
    // The word by which Microsoft's own libraries are told to ask the machine.
    let meant = env("AZURE_TOKEN_CREDENTIALS")
        .is_some_and(|word| word.eq_ignore_ascii_case("ManagedIdentityCredential"));
    let host = match (env("IDENTITY_ENDPOINT"), env("IDENTITY_HEADER")) {
        (Some(url), Some(secret)) => {
            let secret =
                Secret::new(&secret).map_err(|error| format!("IDENTITY_HEADER: {error}"))?;
            Host::Service(url, secret)
        }
        _ if wanted.is_some() || meant || client.is_some() => {
            let base = env("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let base = base.as_deref().unwrap_or("http://169.254.169.254");
            Host::Metadata(base.trim_end_matches('/').to_owned())
        }
        _ => return Ok(None),
    };
    let resource = scope.strip_suffix("/.default").unwrap_or(scope).to_owned();
    Ok(Some(Ways::Machine(Machine {
        host,
        client,
        resource,
    })))
}

#[cfg(test)]
#[path = "entra_tests.rs"]
mod tests;
