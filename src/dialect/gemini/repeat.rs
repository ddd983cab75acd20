//! Responses that differ from the one before in nothing but their words and counts: taken without being parsed.

use serde_json::value::RawValue;

use crate::chat::Escaped;
use crate::dialect::template::Template;

use super::wire::{Candidate, Few, Response, Usage, count, is_true, text};

/// The response that was read last.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    template: Template,
    index: u32,
    is_thought: bool,
    has_counts: bool,
    /// Which counts follow the words, in their order.
    order: [Option<Count>; 3],
}

/// A count that grows from response to response.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Candidates,
    Thoughts,
    Total,
}

/// What is new in a response.
#[derive(Debug)]
pub(super) struct News<'t> {
    /// Which candidate.
    pub(super) index: u32,
    /// Its words.
    pub(super) words: Escaped<'t>,
    /// Whether they are a thought.
    pub(super) is_thought: bool,
    /// Whether tokens are counted at all.
    pub(super) has_counts: bool,
    order: [Option<Count>; 3],
    numbers: [&'t str; 3],
}

impl News<'_> {
    /// The counts that grew.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Count, u64)> {
        let pairs = self.order.iter().flatten().zip(&self.numbers);
        pairs.filter_map(|(count, number)| Some((*count, number.parse().ok()?)))
    }
}

impl Repeat {
    /// Keeps a response if it is one part of text and nothing else.
    pub(super) fn learn(&mut self, json: &str, response: &Response<'_>) {
        self.template.forget();
        let Some((candidate, raw)) = only_words(response) else {
            return;
        };
        let Some(words) = Escaped::token(raw) else {
            return;
        };
        let index = candidate.index.map_or(Some(0), |raw| count(Some(raw)));
        let Some(index) = index.and_then(|index| u32::try_from(index).ok()) else {
            return;
        };
        let usage = response.usage_metadata.as_ref();
        let mut counts = usage.map(growing).unwrap_or_default();
        counts.sort_by_key(|found| found.map_or(usize::MAX, |(_, raw)| raw.as_ptr().addr()));
        let numbers = counts.iter().flatten().map(|(_, number)| *number);
        self.template
            .learn(json, std::iter::once(words.as_str()).chain(numbers));
        self.index = index;
        self.is_thought = is_thought(candidate);
        self.has_counts = usage.is_some_and(has_counts);
        self.order = counts.map(|found| found.map(|(count, _)| count));
    }

    /// What is new in a response that repeats the kept one; `None` where it does not.
    pub(super) fn read<'t>(&self, json: &'t str) -> Option<News<'t>> {
        let [words, first, second, third] = self.template.read(json)?;
        Some(News {
            index: self.index,
            words: Escaped::trusted(words),
            is_thought: self.is_thought,
            has_counts: self.has_counts,
            order: self.order,
            numbers: [first, second, third],
        })
    }
}

/// The candidate of a response that brings one text, and the text; `None` where it brings anything else.
fn only_words<'a, 'r>(response: &'r Response<'a>) -> Option<(&'r Candidate<'a>, &'a RawValue)> {
    let candidate = response.candidates.as_ref().and_then(Few::single)?;
    let part = candidate.content.as_ref()?.parts.as_ref()?.single()?;
    let is_plain = response.error.is_none()
        && candidate.finish_reason.is_none()
        && candidate.grounding_metadata.is_none()
        && candidate.citation_metadata.is_none()
        && candidate.logprobs_result.is_none()
        && part.function_call.is_none()
        && part.inline_data.is_none()
        && text(part.thought_signature).is_empty();
    part.text.filter(|_| is_plain).map(|raw| (candidate, raw))
}

fn is_thought(candidate: &Candidate<'_>) -> bool {
    let parts = candidate
        .content
        .as_ref()
        .and_then(|content| content.parts.as_ref());
    parts
        .and_then(Few::single)
        .is_some_and(|part| is_true(part.thought))
}

/// The counts that grow, where they are written as whole numbers.
fn growing<'a>(usage: &Usage<'a>) -> [Option<(Count, &'a str)>; 3] {
    let table = [
        (Count::Candidates, usage.candidates_token_count),
        (Count::Thoughts, usage.thoughts_token_count),
        (Count::Total, usage.total_token_count),
    ];
    table.map(|(count, raw)| {
        let digits = raw.map(RawValue::get);
        let digits = digits.filter(|text| text.parse::<u64>().is_ok())?;
        Some((count, digits))
    })
}

/// Whether a response counts tokens at all.
fn has_counts(usage: &Usage<'_>) -> bool {
    [
        usage.prompt_token_count,
        usage.cached_content_token_count,
        usage.candidates_token_count,
        usage.tool_use_prompt_token_count,
        usage.thoughts_token_count,
        usage.total_token_count,
    ]
    .into_iter()
    .any(|raw| count(raw).is_some())
}
