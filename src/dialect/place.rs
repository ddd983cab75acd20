//! Where at a provider a request goes, as far as that is a matter of data.

use std::fmt::Write as _;

use super::quirks::Quirks;

impl Quirks {
    /// The path of chat completions.
    #[must_use]
    pub fn chat(&self, model: &str) -> String {
        self.of_model(&self.chat_path, model)
    }

    /// The path of what is asked of one model. Azure's dated API has the model in it, as its deployment:
    /// <https://learn.microsoft.com/azure/ai-services/openai/reference>.
    #[must_use]
    pub fn of_model(&self, path: &str, model: &str) -> String {
        if !self.deployment_paths {
            return self.versioned(path);
        }
        let mut place = "/deployments/".to_owned();
        segment(model, &mut place);
        self.versioned(&(place + path))
    }

    /// A path and the version of the API, where the provider wants one said.
    #[must_use]
    pub fn versioned(&self, path: &str) -> String {
        if self.api_version.is_empty() {
            return path.to_owned();
        }
        let mut place = format!("{path}?api-version=");
        segment(&self.api_version, &mut place);
        place
    }
}

/// Writes text as one segment of a path.
pub fn segment(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_deployments_are_in_the_path_where_the_provider_wants_them() {
        let openai = Quirks::default();
        assert_eq!(openai.chat("gpt-4.1"), "/chat/completions");
        let preview = Quirks {
            api_version: "preview".to_owned(),
            ..Quirks::default()
        };
        assert_eq!(preview.chat("d"), "/chat/completions?api-version=preview");
        let dated = Quirks {
            api_version: "2024-10-21".to_owned(),
            deployment_paths: true,
            ..Quirks::default()
        };
        assert_eq!(
            dated.chat("my gpt/4"),
            "/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21"
        );
        assert_eq!(
            dated.versioned("/responses"),
            "/responses?api-version=2024-10-21"
        );
    }
}
