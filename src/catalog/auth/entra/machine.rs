//! A managed identity: of an App Service, or of a virtual machine.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity>,
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>.
//! Azure Arc and Service Fabric are not supported.

use http::Request;
use http::header::HeaderValue;

use crate::catalog::auth::grant::{Fetch, Got, Grant, Step, built, failed};
use crate::catalog::auth::key::Secret;
use crate::catalog::auth::oauth::{self, encoded};

/// The way to the machine's own token.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Who gives it out.
    pub host: Host,
    /// Which of several identities; the machine's own where it is not given.
    pub client: Option<String>,
    /// What the token is for.
    pub resource: String,
}

/// Who gives out the machine's token.
#[derive(Clone, Debug)]
pub enum Host {
    /// App Service, Functions and Container Apps, with what they want to be shown.
    Service(String, Secret),
    /// The metadata service of a virtual machine.
    Metadata(String),
}

impl Machine {
    fn advance(&self, got: Got, now: u64) -> Result<Step, Step> {
        if !matches!(got, Got::Nothing) {
            return oauth::token(&got.answer()?, now).map(Step::Done);
        }
        let client = self
            .client
            .as_ref()
            .map(|id| format!("&client_id={}", encoded(id)));
        let rest = format!(
            "&resource={}{}",
            encoded(&self.resource),
            client.unwrap_or_default()
        );
        let builder = match &self.host {
            Host::Service(url, secret) => {
                let mut value = HeaderValue::from_str(secret.reveal())
                    .map_err(|_| failed("IDENTITY_HEADER has characters that no header takes"))?;
                value.set_sensitive(true);
                let url = format!("{url}?api-version=2019-08-01{rest}");
                Request::get(url).header("x-identity-header", value)
            }
            Host::Metadata(base) => {
                let url =
                    format!("{base}/metadata/identity/oauth2/token?api-version=2018-02-01{rest}");
                Request::get(url).header("metadata", "true")
            }
        };
        Ok(Fetch::near(built(builder, "")?))
    }
}

impl Grant for Machine {
    fn name(&self) -> String {
        match self.host {
            Host::Service(..) => "Azure managed identity (App Service)".to_owned(),
            Host::Metadata(_) => "Azure managed identity (metadata service)".to_owned(),
        }
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(Step::required)
    }
}
