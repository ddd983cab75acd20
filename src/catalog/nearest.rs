//! Names most like one that is not known, for error messages.

use std::sync::Arc;

use super::endpoint::Provider;

/// Longer names are cut before they are compared: they are nobody's typing error.
const LONGEST: usize = 96;

/// The `count` names of `provider/model` most like `name`, nearest first.
pub(super) fn names(providers: &[Arc<Provider>], name: &str, count: usize) -> Vec<String> {
    let asked: Vec<char> = name.to_lowercase().chars().take(LONGEST).collect();
    let mut found: Vec<(usize, String)> = Vec::new();
    for provider in providers {
        for model in &provider.models {
            let full = format!("{}/{}", provider.name, model.id);
            let last = model.id.rsplit('/').next().unwrap_or(&model.id);
            let near = [full.as_str(), &model.id, last]
                .into_iter()
                .chain(model.aliases.iter().map(String::as_str));
            let distance = near
                .map(|known| distance(&asked, known))
                .min()
                .unwrap_or(usize::MAX);
            found.push((distance, full));
        }
    }
    // Stable, so that of equals the first in the catalogue wins.
    found.sort_by_key(|(distance, _)| *distance);
    found
        .into_iter()
        .take(count)
        .map(|(_, name)| name)
        .collect()
}

/// How many letters must be put in, taken out or changed to make one name of the other.
fn distance(asked: &[char], known: &str) -> usize {
    let mut row: Vec<usize> = (0..=asked.len()).collect();
    for (line, letter) in known.chars().flat_map(char::to_lowercase).enumerate() {
        let mut corner = line;
        let mut left = line.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(asked) {
            let change = corner.saturating_add(usize::from(letter != *other));
            corner = *cell;
            left = change
                .min(corner.saturating_add(1))
                .min(left.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_edits() {
        let table = [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("gpt-6-sol", "GPT-6-Sol", 0),
        ];
        for (asked, known, edits) in table {
            assert_eq!(
                distance(&asked.chars().collect::<Vec<_>>(), known),
                edits,
                "{asked} {known}"
            );
        }
    }
}
