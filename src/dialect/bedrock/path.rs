//! Where and how a model is asked: its id stands in the path, percent-encoded, as an ARN holds colons and slashes.

use super::super::place::segment;

/// `/model/{id}/{operation}`.
pub(super) fn of(model: &str, operation: &str) -> String {
    let mut path = String::with_capacity(model.len().saturating_add(48));
    path.push_str("/model/");
    segment(model, &mut path);
    path.push('/');
    path.push_str(operation);
    path
}

/// What a stream's request says it takes: the answer is no text.
pub(super) fn accept() -> (&'static str, String) {
    ("accept", "application/vnd.amazon.eventstream".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_arns_are_one_segment() {
        let table = [
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x",
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x/invoke",
            ),
            (
                "a/../b?c#d e%é",
                "/model/a%2F..%2Fb%3Fc%23d%20e%25%C3%A9/invoke",
            ),
        ];
        for (model, path) in table {
            assert_eq!(of(model, "invoke"), path);
        }
    }
}
