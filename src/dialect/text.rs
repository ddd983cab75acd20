//! White space in text as it stands within a JSON string.

use crate::chat::Escaped;

/// The ways white space is written that JSON strings of every client show.
const SPACES: [&str; 4] = [" ", "\\n", "\\r", "\\t"];

/// Text without the white space at its start.
pub(crate) fn skip_space(text: &str) -> &str {
    let mut rest = text;
    while let Some(after) = SPACES.iter().find_map(|space| rest.strip_prefix(space)) {
        rest = after;
    }
    rest
}

/// Whether text is nothing but white space. The provider refuses such blocks.
pub(crate) fn is_blank(text: Escaped<'_>) -> bool {
    skip_space(text.as_str()).is_empty()
}

/// Text without the white space at its end.
pub(crate) fn trim_end(text: Escaped<'_>) -> Escaped<'_> {
    let mut rest = text.as_str();
    while let Some(before) = SPACES.iter().find_map(|space| rest.strip_suffix(space)) {
        // In `\\n` the backslash is escaped itself, and the `n` is a letter.
        let backslashes = before.bytes().rev().take_while(|b| *b == b'\\').count();
        if backslashes % 2 == 1 {
            break;
        }
        rest = before;
    }
    Escaped::trusted(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_seen_through_its_escapes() {
        let table = [
            (r" a \n\t ", r"a \n\t ", r" a"),
            (r"\n", "", ""),
            (r"a\\n", r"a\\n", r"a\\n"),
            (r"a\\\n", r"a\\\n", r"a\\"),
        ];
        for (text, skipped, trimmed) in table {
            assert_eq!(skip_space(text), skipped, "{text}");
            assert_eq!(trim_end(Escaped::trusted(text)).as_str(), trimmed, "{text}");
        }
    }
}
