//! The service account of the machine: Compute Engine, Cloud Run, Kubernetes Engine.
//!
//! <https://cloud.google.com/compute/docs/access/authenticate-workloads>

use http::Request;

use crate::catalog::auth::grant::{Fetch, Got, Grant, Step, built};
use crate::catalog::auth::oauth;

const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// The way to the machine's own token.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The server: a host, perhaps with a port.
    pub host: String,
    /// What the token may be used for; some machines' tokens are for what they are for all the same.
    pub scope: String,
    /// Whether the server was named.
    pub named: bool,
}

impl Metadata {
    fn advance(&self, got: Got, now: u64) -> Result<Step, Step> {
        if matches!(got, Got::Nothing) {
            let scope = oauth::encoded(&self.scope);
            let url = format!("http://{}{PATH}?scopes={scope}", self.host);
            let builder = Request::get(url).header("metadata-flavor", "Google");
            return Ok(Fetch::near(built(builder, "")?));
        }
        let answer = got.answer()?;
        // Clouds that are not Google answer on the same address.
        if answer.status == 404 {
            let why = "the metadata server has no service account for this machine";
            return Err(Step::NotHere(why.to_owned()));
        }
        oauth::token(&answer, now).map(Step::Done)
    }
}

impl Grant for Metadata {
    fn name(&self) -> String {
        "Google metadata server".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now)
            .unwrap_or_else(|end| if self.named { end.required() } else { end })
    }
}
