//! Strings of a chunk that is handed on as it is.

use crate::chat::scan;

/// What stands behind the first `member` and its colon. Within a string its quotes would be escaped.
pub(super) fn after<'a>(json: &'a str, member: &str) -> Option<&'a str> {
    let mut rest = json;
    loop {
        let at = memchr::memmem::find(rest.as_bytes(), member.as_bytes())?;
        rest = rest.get(at.saturating_add(member.len())..)?;
        if let Some(value) = rest.trim_ascii_start().strip_prefix(':') {
            return Some(value);
        }
    }
}

/// Tells each string of the JSON value that `json` begins with, and the name it stands behind; gives back what comes
/// after the value. `None` where it does not end.
pub(super) fn walk<'a>(json: &'a str, tell: &mut dyn FnMut(&str, &str)) -> Option<&'a str> {
    let (mut rest, mut depth, mut key) = (json, 0_u32, "");
    loop {
        let at = memchr::memchr3(b'"', b'{', b'}', rest.as_bytes())?;
        let (mark, behind) = (rest.as_bytes().get(at)?, rest.get(at.saturating_add(1)..)?);
        rest = behind;
        match mark {
            b'{' => depth = depth.saturating_add(1),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(rest);
                }
            }
            _ => {
                let length = scan::string_length(rest.as_bytes())?;
                let inside = rest.get(..length)?;
                rest = rest.get(length.saturating_add(1)..)?;
                if rest.trim_ascii_start().starts_with(':') {
                    key = inside;
                } else {
                    tell(key, inside);
                }
            }
        }
    }
}
