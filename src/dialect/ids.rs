//! Names and ids that a provider's rules change, mapped so that the same input always gives the same output.

use sha2::{Digest, Sha256};

/// The first `len` (at most 64) hexadecimal digits of the SHA-256 of text.
#[must_use]
pub fn digest(text: &str, len: usize) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(len);
    hex
}

/// A tool call id of letters, digits, `_` and `-`: others become `_`, and then a digest keeps two ids apart.
#[must_use]
pub fn plain_call_id(id: &str) -> String {
    let plain: String = id
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    if plain == id && !id.is_empty() {
        plain
    } else {
        format!("{plain}_{}", digest(id, 8))
    }
}

/// A tool call id of at most 64 letters, digits, `_`, `.`, `:` and `-`: another one is fitted, and a digest keeps two
/// ids apart.
#[must_use]
pub fn long_call_id(id: &str) -> String {
    let fits = |c: char| is_plain(c) || c == '.' || c == ':';
    if !id.is_empty() && id.len() <= 64 && id.chars().all(fits) {
        return id.to_owned();
    }
    let fitted = id.chars().map(|c| if fits(c) { c } else { '_' });
    let fitted: String = fitted.take(55).collect();
    format!("{fitted}_{}", digest(id, 8))
}

/// A tool call id of nine letters or digits. An id that is one already stays.
#[must_use]
pub fn nine_letters(id: &str) -> String {
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    digest(id, 9)
}

/// An id for a call that its provider gave none: the same for the same answer and place.
#[must_use]
pub fn made_call_id(answer: &str, choice: u32, index: u32) -> String {
    format!("call_{}", digest(&format!("{answer}/{choice}/{index}"), 24))
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Tool names fitted to a provider's rule, one to one, in the tools' order.
///
/// A name that fits is never touched. Others get `_` for what is not allowed and are cut; of two that then collide
/// the later gets `_2`, `_3`, …. The pairs are (provider's, client's), changed names only.
#[expect(
    single_use_lifetimes,
    reason = "an argument of `impl Iterator` cannot elide it"
)]
#[must_use]
pub fn fit_names<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    fits: fn(char) -> bool,
    max: usize,
) -> Vec<(String, String)> {
    let valid = |name: &str| !name.is_empty() && name.len() <= max && name.chars().all(fits);
    let mut taken: Vec<String> = names
        .clone()
        .filter(|name| valid(name))
        .map(str::to_owned)
        .collect();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for name in names {
        if valid(name) || pairs.iter().any(|(_, ours)| ours == name) {
            continue;
        }
        let mut base: String = name
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .take(max)
            .collect();
        if base.is_empty() {
            base.push('_');
        }
        let mut fitted = base.clone();
        let mut round = 2_u32;
        while taken.contains(&fitted) {
            let suffix = format!("_{round}");
            let keep = max.saturating_sub(suffix.len());
            fitted = base.chars().take(keep).collect::<String>() + &suffix;
            round = round.saturating_add(1);
        }
        taken.push(fitted.clone());
        pairs.push((fitted, name.to_owned()));
    }
    pairs
}

/// Whether a tool name's letter is taken by every provider: letters, digits, `_`, `-`.
#[must_use]
pub fn is_plain_name(c: char) -> bool {
    is_plain(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_fit_stay_and_others_cannot_collide() {
        assert_eq!(plain_call_id("call_2"), "call_2");
        assert_eq!(
            plain_call_id("call:1"),
            format!("call_1_{}", digest("call:1", 8))
        );
        assert_ne!(plain_call_id("a:b"), plain_call_id("a.b"));
        let colons = "functions.get_temperature:0";
        assert_eq!(long_call_id(colons), colons);
        let long = "x".repeat(65);
        assert_eq!(long_call_id(&long).len(), 64);
        assert_ne!(long_call_id(&long), long_call_id(&format!("{long}y")));
        assert_eq!(long_call_id("a/b"), format!("a_b_{}", digest("a/b", 8)));
        assert_eq!(nine_letters("gSIMJiOkT"), "gSIMJiOkT");
        assert_eq!(nine_letters("toolu_01").len(), 9);
    }

    #[test]
    fn names_are_fitted_one_to_one() {
        let names = ["geo/lookup", "geo_lookup", "geo.lookup", "ok"];
        let pairs = fit_names(names.into_iter(), is_plain_name, 64);
        let expected = [
            ("geo_lookup_2", "geo/lookup"),
            ("geo_lookup_3", "geo.lookup"),
        ];
        assert_eq!(pairs, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
