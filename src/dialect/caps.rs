//! What a model can do, as far as translation must know. Data: the catalogue fills it.
//!
//! Unknown is a value of its own everywhere: what is not known is passed through and left to the provider.

use serde::Deserialize;

use crate::chat::{Escaped, Members};

/// Capabilities and limits of one model at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// Context window in tokens, input and output together.
    pub context: Option<u64>,
    /// Longest input in tokens, where smaller than the window.
    pub max_input: Option<u64>,
    /// Longest output in tokens, reasoning included.
    pub max_output: Option<u64>,
    /// Takes function tools.
    pub tools: Option<bool>,
    /// May call several tools in one turn.
    pub parallel_tools: Option<bool>,
    /// Takes a forced tool choice (`required` or a named tool).
    pub forced_tool_choice: Option<bool>,
    /// Takes images.
    pub vision: Option<bool>,
    /// Takes PDF files.
    pub pdf: Option<bool>,
    /// Takes audio.
    pub audio: Option<bool>,
    /// Holds to a JSON schema by itself.
    pub json_schema: Option<bool>,
    /// Holds to JSON without a schema by itself.
    pub json_object: Option<bool>,
    /// Gives several choices for one prompt.
    pub n: Option<bool>,
    /// Takes `seed`.
    pub seed: Option<bool>,
    /// Gives log probabilities.
    pub logprobs: Option<bool>,
    /// What it makes of `temperature`, `top_p` and `top_k`.
    pub sampling: Sampling,
    /// Chat members it refuses with a 400.
    pub refuses: Vec<String>,
    /// The name of its output limit, where only one is taken.
    pub max_tokens_name: Option<String>,
    /// How it reasons.
    pub reasoning: Reasoning,
    /// Goes on from a last message of the assistant.
    pub prefill: Option<bool>,
    /// Takes system messages after the first other message.
    pub late_system: Option<bool>,
    /// Whether function tools are taken while it reasons.
    pub tools_while_reasoning: ToolsWhile,
}

/// What a model makes of sampling parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Takes them, or nothing is known.
    #[default]
    All,
    /// Refuses any but the default value.
    None,
    /// Takes them only while reasoning effort is `none`.
    EffortNoneOnly,
    /// Ignores them while it reasons.
    IgnoredWhileThinking,
}

/// Whether function tools are taken on chat completions while a model reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolsWhile {
    /// Yes, or nothing is known.
    #[default]
    Yes,
    /// Only without effort, or with effort `none`.
    Unset,
    /// Only with effort `none` said aloud, as it reasons by default.
    ExplicitNone,
    /// Never.
    Never,
}

/// How a model reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reasoning {
    /// The way its effort is set.
    pub kind: Kind,
    /// The levels it takes, rising; empty where not known.
    pub levels: Vec<Effort>,
    /// Whether reasoning can be turned off; `None` where not known.
    pub can_disable: Option<bool>,
    /// Whether it reasons unless told otherwise.
    pub on_by_default: Option<bool>,
    /// Smallest budget in tokens, where effort is a budget.
    pub budget_min: Option<u64>,
    /// Largest budget in tokens, where effort is a budget.
    pub budget_max: Option<u64>,
}

/// The way a model's reasoning effort is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Not known: effort is passed as the newest models of the vendor take it.
    #[default]
    Unknown,
    /// It does not reason.
    None,
    /// By level.
    Effort,
    /// By a budget of tokens.
    Budget,
    /// It decides itself; levels steer.
    Adaptive,
    /// As adaptive, and it cannot be turned off.
    Always,
    /// On or off.
    Toggle,
}

/// OpenAI's levels of `reasoning_effort`, rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Off.
    None,
    /// The least there is.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    Xhigh,
    /// All there is.
    Max,
}

impl Effort {
    /// Every level, rising.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Minimal,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Xhigh,
        Self::Max,
    ];

    /// OpenAI's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The level of a member's value: a word, or an object with the word in `effort` (the agents SDK sends it).
    #[must_use]
    pub fn said(raw: &str) -> Option<Self> {
        if let Some(word) = Escaped::quoted(raw) {
            return Self::parse(&word.decode());
        }
        let object = Members::parse(raw).ok()?;
        Self::parse(&object.text("effort")?)
    }

    /// The level of a word; `ultra` is another name of `max`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if word == "ultra" {
            return Some(Self::Max);
        }
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

impl Reasoning {
    /// Whether the model reasons: as it is told, else as it does by itself.
    #[must_use]
    pub fn happens(&self, told: Option<Effort>) -> bool {
        match told {
            Some(level) => level != Effort::None,
            None => self.on_by_default != Some(false) && self.kind != Kind::None,
        }
    }

    /// The level of what the model takes for a level that is asked of it.
    #[must_use]
    pub fn fitted(&self, wanted: Effort) -> Effort {
        if wanted == Effort::None && self.can_disable == Some(true) {
            return wanted;
        }
        self.nearest(wanted)
    }

    /// The nearest level the model takes: the next lower one, else the lowest above. The level itself where the
    /// catalogue lists none. A level that reasons never becomes `none`, as that would turn reasoning off.
    #[must_use]
    pub fn nearest(&self, wanted: Effort) -> Effort {
        let fits = |level: &Effort| wanted == Effort::None || *level != Effort::None;
        let levels = || self.levels.iter().copied().filter(fits);
        let below = levels().filter(|level| *level <= wanted).max();
        below.or_else(|| levels().min()).unwrap_or(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_level_is_the_next_lower_one() {
        let reasoning = |levels: &[Effort]| Reasoning {
            levels: levels.to_vec(),
            ..Reasoning::default()
        };
        let table = [
            (
                &[Effort::Low, Effort::High][..],
                Effort::Medium,
                Effort::Low,
            ),
            (&[Effort::Low, Effort::High], Effort::Max, Effort::High),
            (
                &[Effort::Medium, Effort::High],
                Effort::Minimal,
                Effort::Medium,
            ),
            (&[], Effort::Xhigh, Effort::Xhigh),
            (&[Effort::None, Effort::Low], Effort::Minimal, Effort::Low),
        ];
        for (levels, wanted, nearest) in table {
            assert_eq!(reasoning(levels).nearest(wanted), nearest);
        }
    }
}
