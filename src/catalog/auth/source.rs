//! Where a provider's credential comes from: made up once by the configuration, walked by the gateway.

use super::grant::Grant;
use super::identity::{Identity, Lookup};
use super::sigv4::Scope;
use super::{aws, entra, google};

/// Where a credential comes from. What the environment had to say is in it.
#[derive(Clone, Debug)]
pub struct Source(Ways);

#[derive(Clone, Debug)]
enum Ways {
    Aws(aws::Ways),
    Google(google::Ways),
    Entra(entra::Ways),
}

/// Finds out where a credential comes from; `None` where nothing tells of one.
///
/// # Errors
/// What is wrong with a setting or a variable.
pub fn source(
    identity: &Identity,
    settings: Lookup<'_>,
    env: Lookup<'_>,
) -> Result<Option<Source>, String> {
    let settings = |name: &str| settings(name).filter(|text| !text.is_empty());
    let env = |name: &str| env(name).filter(|text| !text.is_empty());
    let ways = match identity {
        Identity::Aws { service } => {
            let ways = aws::Ways::new(service, &settings, &env)?;
            ways.is_open().then_some(Ways::Aws(ways))
        }
        Identity::Google { scope } => {
            let ways = google::Ways::new(scope, &settings, &env);
            ways.is_open().then_some(Ways::Google(ways))
        }
        Identity::Entra { scope } => entra::Ways::new(scope, &settings, &env)?.map(Ways::Entra),
    };
    Ok(ways.map(Source))
}

impl Source {
    /// The way to a credential.
    #[must_use]
    pub fn grant(&self) -> Box<dyn Grant> {
        match &self.0 {
            Ways::Aws(ways) => ways.grant(),
            Ways::Google(ways) => ways.grant(),
            Ways::Entra(ways) => ways.grant(),
        }
    }

    /// What calls are signed for, where they are signed.
    #[must_use]
    pub const fn scope(&self) -> Option<&Scope> {
        match &self.0 {
            Ways::Aws(ways) => Some(&ways.scope),
            Ways::Google(_) | Ways::Entra(_) => None,
        }
    }

    /// Where it comes from, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.0 {
            Ways::Aws(ways) => ways.name(),
            Ways::Google(ways) => ways.name(),
            Ways::Entra(ways) => ways.name(),
        }
    }
}
