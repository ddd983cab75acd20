//! Service tiers in OpenAI's words.

/// OpenAI's word for a provider's service tier; `None` where there is none, as strict clients refuse others.
pub(crate) fn tier(word: &str) -> Option<&'static str> {
    let known = [
        ("auto", "\"auto\""),
        ("default", "\"default\""),
        ("on_demand", "\"default\""),
        ("standard", "\"default\""),
        ("flex", "\"flex\""),
        ("scale", "\"scale\""),
        ("priority", "\"priority\""),
        ("performance", "\"priority\""),
        ("fast", "\"fast\""),
    ];
    known
        .iter()
        .find(|(theirs, _)| *theirs == word)
        .map(|(_, ours)| *ours)
}
