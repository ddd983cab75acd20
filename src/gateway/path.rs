//! What stands in a path: a model, a deployment, the beginnings that clients put before it.

/// The deployment that clients of Azure's dated API name in the path, percent-encoded, and what they ask of it.
#[must_use]
pub fn deployment(path: &str) -> Option<(&str, &str)> {
    let (name, _) = path.strip_prefix("/openai/deployments/")?.split_once('/')?;
    let rest = path.split_at_checked("/openai/deployments/".len().saturating_add(name.len()))?;
    (!name.is_empty()).then_some((name, rest.1))
}

/// A path without its first segment, if it is that.
#[must_use]
pub fn without<'a>(path: &'a str, first: &str) -> &'a str {
    path.strip_prefix(first)
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path)
}

/// A segment of a path as text.
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || ahead.next().and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high * 16 + low));
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_one_segment() {
        assert_eq!(
            deployment("/openai/deployments/my%2Fgpt/chat/completions"),
            Some(("my%2Fgpt", "/chat/completions"))
        );
        assert_eq!(deployment("/openai/deployments/gpt"), None);
        assert_eq!(deployment("/deployments/gpt/chat/completions"), None);
    }
}
