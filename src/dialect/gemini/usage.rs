//! Token counts: cumulative there, so the last value of each field holds.

use serde_json::value::RawValue;

use crate::chat::json::{Members, elements};
use crate::chat::{Escaped, Tokens};

use super::repeat::{Count, News};
use super::wire::{Usage, count, text};

/// The counts seen so far.
#[derive(Debug)]
pub(super) struct Counts {
    prompt: Option<u64>,
    cached: Option<u64>,
    candidates: Option<u64>,
    tools: Option<u64>,
    thoughts: Option<u64>,
    total: Option<u64>,
    audio_prompt: Option<u64>,
    audio_candidates: Option<u64>,
    /// Whether a count came that is none.
    unreadable: bool,
    /// `service_tier` in OpenAI's words.
    pub(super) tier: Option<&'static str>,
}

impl Counts {
    /// Nothing counted yet.
    pub(super) const NONE: Self = Self {
        prompt: None,
        cached: None,
        candidates: None,
        tools: None,
        thoughts: None,
        total: None,
        audio_prompt: None,
        audio_candidates: None,
        unreadable: false,
        tier: None,
    };

    /// Takes what an event says; whether it says anything of tokens.
    pub(super) fn take(&mut self, usage: &Usage<'_>) -> bool {
        let table = [
            (&mut self.prompt, usage.prompt_token_count),
            (&mut self.cached, usage.cached_content_token_count),
            (&mut self.candidates, usage.candidates_token_count),
            (&mut self.tools, usage.tool_use_prompt_token_count),
            (&mut self.thoughts, usage.thoughts_token_count),
            (&mut self.total, usage.total_token_count),
        ];
        let mut any = false;
        for (field, raw) in table {
            if let Some(number) = count(raw) {
                *field = Some(number);
                any = true;
            } else if raw.is_some_and(|raw| raw.get() != "null") {
                self.unreadable = true;
                any = true;
            }
        }
        if let Some(audio) = audio(usage.prompt_tokens_details) {
            self.audio_prompt = Some(audio);
        }
        if let Some(audio) = audio(usage.candidates_tokens_details) {
            self.audio_candidates = Some(audio);
        }
        if let Some(tier) = tier(text(usage.service_tier)) {
            self.tier = Some(tier);
        }
        any
    }

    /// Takes the counts of an event that is otherwise the one before; whether it says anything of tokens.
    pub(super) fn add(&mut self, news: &News<'_>) -> bool {
        for (count, number) in news.counts() {
            match count {
                Count::Candidates => self.candidates = Some(number),
                Count::Thoughts => self.thoughts = Some(number),
                Count::Total => self.total = Some(number),
            }
        }
        news.has_counts
    }

    /// The counts in OpenAI's reckoning.
    pub(super) fn tokens(&self) -> Tokens {
        if self.unreadable {
            return Tokens::UNREADABLE;
        }
        let prompt = self
            .prompt
            .unwrap_or_default()
            .saturating_add(self.tools.unwrap_or_default());
        let candidates = self.candidates.unwrap_or_default();
        let thoughts = self.thoughts.unwrap_or_default();
        // Where the total leaves no room for the thoughts, the candidates hold them already.
        let held = thoughts > 0
            && candidates >= thoughts
            && self.total == Some(prompt.saturating_add(candidates));
        Tokens {
            prompt,
            completion: if held {
                candidates
            } else {
                candidates.saturating_add(thoughts)
            },
            cached: self.cached,
            reasoning: self.thoughts,
            audio_prompt: self.audio_prompt,
            audio_completion: self.audio_candidates,
            ..Tokens::default()
        }
    }
}

/// The tokens of audio in a list of counts by modality.
fn audio(raw: Option<&RawValue>) -> Option<u64> {
    let raw = raw.filter(|raw| raw.get().contains("\"AUDIO\""))?;
    elements(raw)?.into_iter().find_map(|raw| {
        let entry = Members::parse(raw.get()).ok()?;
        (entry.text("modality")? == "AUDIO").then(|| entry.count("tokenCount"))?
    })
}

fn tier(word: Escaped<'_>) -> Option<&'static str> {
    match word.as_str().to_ascii_lowercase().as_str() {
        "standard" => Some("default"),
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(events: &[&str]) -> Tokens {
        let mut counts = Counts::NONE;
        for event in events {
            counts.take(&serde_json::from_str(event).unwrap());
        }
        counts.tokens()
    }

    #[test]
    fn e34_thoughts_are_part_of_the_completion() {
        let sum = tokens(&[
            r#"{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":6,"totalTokenCount":19}"#,
        ]);
        assert_eq!(
            (sum.prompt, sum.completion, sum.reasoning),
            (9, 10, Some(6))
        );
        let held = tokens(&[
            r#"{"promptTokenCount":9,"candidatesTokenCount":10,"thoughtsTokenCount":6,"totalTokenCount":19}"#,
        ]);
        assert_eq!(held.completion, 10);
    }

    #[test]
    fn fields_keep_their_last_value_and_tools_count_as_prompt() {
        let merged = tokens(&[
            r#"{"trafficType":"ON_DEMAND"}"#,
            r#"{"promptTokenCount":20,"cachedContentTokenCount":8,"candidatesTokenCount":3}"#,
            r#"{"promptTokenCount":20,"candidatesTokenCount":7,"toolUsePromptTokenCount":5,
                "promptTokensDetails":[{"modality":"TEXT","tokenCount":4},{"modality":"AUDIO","tokenCount":16}]}"#,
        ]);
        let expected = Tokens {
            prompt: 25,
            completion: 7,
            cached: Some(8),
            audio_prompt: Some(16),
            ..Tokens::default()
        };
        assert_eq!(merged, expected);
    }
}
