//! Application default credentials, made up once from settings and environment.
//!
//! <https://cloud.google.com/docs/authentication/application-default-credentials>

use std::path::PathBuf;

use super::file::File;
use super::metadata::Metadata;
use crate::catalog::auth::chain::Chain;
use crate::catalog::auth::grant::Grant;
use crate::catalog::auth::identity::Lookup;

/// Every way to a token that is open here.
#[derive(Clone, Debug)]
pub struct Ways {
    scope: String,
    file: Option<(PathBuf, Option<&'static str>)>,
    metadata: Option<Metadata>,
}

impl Ways {
    /// The ways that are open with these settings in this environment.
    #[must_use]
    pub fn new(scope: &str, settings: Lookup<'_>, env: Lookup<'_>) -> Self {
        let variable = "GOOGLE_APPLICATION_CREDENTIALS";
        // The variable may stand in for the setting: the name is told that the path really came by.
        let set = env(variable);
        let given = settings("credentials").filter(|path| set.as_ref() != Some(path));
        let named = given.map(|path| (path, "credentials"));
        let named = named.or_else(|| Some((set?, variable)));
        let file = named
            .map(|(path, by)| (PathBuf::from(path), Some(by)))
            .or_else(|| Some((usual(env)?, None)));
        let named = file.as_ref().is_some_and(|(_, named)| named.is_some());
        Self {
            scope: scope.to_owned(),
            metadata: if named { None } else { metadata(scope, env) },
            file,
        }
    }

    /// Whether there is any way at all.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.file.is_some() || self.metadata.is_some()
    }

    /// The ways by name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        let file = self
            .file
            .as_ref()
            .map(|(path, _)| format!("Google credentials file {}", path.display()));
        let names: Vec<String> = file
            .into_iter()
            .chain(self.metadata.as_ref().map(Grant::name))
            .collect();
        names.join(", else ")
    }

    /// The way to a token.
    #[must_use]
    pub fn grant(&self) -> Box<dyn Grant> {
        let mut links: Vec<Box<dyn Grant>> = Vec::with_capacity(2);
        if let Some((path, named)) = &self.file {
            links.push(Box::new(File {
                path: path.clone(),
                scope: self.scope.clone(),
                named: *named,
                way: None,
            }));
        }
        if let Some(metadata) = &self.metadata {
            links.push(Box::new(metadata.clone()));
        }
        Box::new(Chain::of(links))
    }
}

/// Where gcloud leaves a person's login.
fn usual(env: Lookup<'_>) -> Option<PathBuf> {
    let name = "application_default_credentials.json";
    let folder = env("CLOUDSDK_CONFIG").map(PathBuf::from);
    let home = || Some(PathBuf::from(env("HOME")?).join(".config").join("gcloud"));
    let windows = || Some(PathBuf::from(env("APPDATA")?).join("gcloud"));
    Some(folder.or_else(home).or_else(windows)?.join(name))
}

fn metadata(scope: &str, env: Lookup<'_>) -> Option<Metadata> {
    let host = env("GCE_METADATA_HOST");
    let named = host.is_some();
    let off = env("NO_GCE_CHECK").is_some_and(|off| off.eq_ignore_ascii_case("true"));
    (named || !off).then(|| Metadata {
        host: host.unwrap_or_else(|| "169.254.169.254".to_owned()),
        scope: scope.to_owned(),
        named,
    })
}
