//! Unicode code points of escaped text: what annotations of an answer count in.

use crate::chat::Escaped;

/// How many code points an escaped text has; an escaped surrogate pair is one.
pub(crate) fn code_points(text: Escaped<'_>) -> u64 {
    if !text.as_str().contains('\\') {
        return u64::try_from(text.as_str().chars().count()).unwrap_or_default();
    }
    let mut count = 0_u64;
    let mut chars = text.as_str().chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next() == Some('u') {
            let rest = chars.as_str();
            let low = rest.get(..2).is_some_and(is_low_half);
            chars = rest.get(4..).unwrap_or_default().chars();
            if low {
                continue;
            }
        }
        count = count.saturating_add(1);
    }
    count
}

/// Whether two hexadecimal digits start the second half of a surrogate pair (`dc00` to `dfff`).
fn is_low_half(digits: &str) -> bool {
    let mut bytes = digits.bytes();
    matches!(bytes.next(), Some(b'd' | b'D'))
        && matches!(bytes.next(), Some(b'c'..=b'f' | b'C'..=b'F'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_are_counted_through_escapes() {
        let table = [
            ("abc", 3),
            ("é€😀", 3),
            (r#"a\n\"b\u00e9"#, 5),
            (r"\ud83d\ude00!", 2),
            ("", 0),
        ];
        for (text, count) in table {
            assert_eq!(code_points(Escaped::trusted(text)), count, "{text}");
        }
    }
}
