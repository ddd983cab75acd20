//! How calls of a provider are authorised where no key is given.

use serde::Deserialize;

/// The platform that vouches for the caller, as a provider file names it:
/// `identity = { aws = { service = "bedrock" } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Identity {
    /// Each call is signed (Signature Version 4) with keys of the AWS credential chain.
    Aws {
        /// The name of the service that signatures are for.
        service: String,
    },
    /// Calls bear an OAuth token of Google's application default credentials.
    Google {
        /// What tokens may be used for.
        scope: String,
    },
    /// Calls bear a token of Microsoft Entra.
    Entra {
        /// What tokens are for; ends in `/.default`.
        scope: String,
    },
}

/// What the configuration, or the environment, says of a name. Nothing is said by an empty text.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A setting of `[providers.NAME]` that tells where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the file.
    pub name: &'static str,
    /// The variables that stand in for it, in order.
    pub env: &'static [&'static str],
}

const fn setting(name: &'static str, env: &'static [&'static str]) -> Setting {
    Setting { name, env }
}

/// Settings of AWS. Keys of the environment are a link of the chain of their own and no stand-ins here.
const AWS: [Setting; 6] = [
    setting("region", &["AWS_REGION", "AWS_DEFAULT_REGION"]),
    setting("profile", &[]),
    setting("access_key_id", &[]),
    setting("secret_access_key", &[]),
    setting("session_token", &[]),
    setting("role_arn", &[]),
];

/// Settings of Google.
const GOOGLE: [Setting; 1] = [setting("credentials", &["GOOGLE_APPLICATION_CREDENTIALS"])];

/// Settings of Entra.
const ENTRA: [Setting; 4] = [
    setting("tenant_id", &["AZURE_TENANT_ID"]),
    setting("client_id", &["AZURE_CLIENT_ID"]),
    setting("client_secret", &["AZURE_CLIENT_SECRET"]),
    setting("managed_identity", &[]),
];

impl Identity {
    /// The settings that a user may give for it, beside those of the provider file itself.
    #[must_use]
    pub const fn settings(&self) -> &'static [Setting] {
        match self {
            Self::Aws { .. } => &AWS,
            Self::Google { .. } => &GOOGLE,
            Self::Entra { .. } => &ENTRA,
        }
    }

    /// What a user may do who has given nothing of it, to go on after "or".
    #[must_use]
    pub const fn wants(&self) -> &'static str {
        match self {
            Self::Aws { .. } => {
                "access_key_id and secret_access_key, or profile; or let AWS's own credential chain find keys \
                 (AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, ~/.aws, the role of the container or instance)"
            }
            Self::Google { .. } => {
                "credentials = \"/path/of/key.json\", or GOOGLE_APPLICATION_CREDENTIALS; or run on a machine that \
                 has a service account"
            }
            Self::Entra { .. } => {
                "tenant_id, client_id and client_secret; or managed_identity = \"system\" on a machine that has one; \
                 or AZURE_FEDERATED_TOKEN_FILE as workload identity sets it"
            }
        }
    }

    /// Variables that tell that a user has credentials of the platform, whatever for.
    #[must_use]
    pub const fn signs(&self) -> &'static [&'static str] {
        match self {
            Self::Aws { .. } => &[
                "AWS_ACCESS_KEY_ID",
                "AWS_PROFILE",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            ],
            Self::Google { .. } => &["GOOGLE_APPLICATION_CREDENTIALS"],
            Self::Entra { .. } => &[
                "AZURE_CLIENT_SECRET",
                "AZURE_FEDERATED_TOKEN_FILE",
                "IDENTITY_ENDPOINT",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Form {
        identity: Identity,
    }

    #[test]
    fn a_provider_file_names_one_platform() {
        let read = |text: &str| toml::from_str::<Form>(text).map(|form| form.identity);
        let service = "bedrock".to_owned();
        assert_eq!(
            read("identity = { aws = { service = \"bedrock\" } }").unwrap(),
            Identity::Aws { service }
        );
        for wrong in [
            "identity = { aws = { service = \"a\", region = \"b\" } }",
            "identity = { aws = {} }",
            "identity = { oracle = { scope = \"a\" } }",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
