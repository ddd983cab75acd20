//! What a request may need of a model, one bit each, and what is lost where a model lacks it.

use crate::dialect::Mode;

/// Something a request needs that not every model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// Function tools.
    Tools,
    /// Tools with free text for input.
    CustomTools,
    /// Several calls in one turn, asked for aloud.
    ParallelTools,
    /// A tool choice that forces a call.
    ForcedToolChoice,
    /// Images.
    Vision,
    /// PDF files.
    Pdf,
    /// Audio in the prompt.
    AudioInput,
    /// Audio in the answer.
    AudioOutput,
    /// JSON that holds to a schema.
    JsonSchema,
    /// JSON without a schema.
    JsonObject,
    /// Several choices for one prompt.
    Choices,
    /// Log probabilities.
    Logprobs,
    /// A seed for sampling.
    Seed,
    /// Stop sequences.
    Stop,
    /// `temperature`, `top_p` or `top_k` other than the default.
    Sampling,
    /// Presence or frequency penalties.
    Penalties,
    /// A bias on tokens.
    LogitBias,
    /// Reasoning effort, said aloud.
    Reasoning,
}

/// What becomes of a need that a model is known to lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The model is out.
    Refused,
    /// Something is lost or imitated: the model comes after those that lose nothing, and under `strict` it is out.
    Lossy,
    /// Taste is lost, not sense: it costs some utility, and under `strict` the model is out.
    Slight,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 18] = [
        Self::Tools,
        Self::CustomTools,
        Self::ParallelTools,
        Self::ForcedToolChoice,
        Self::Vision,
        Self::Pdf,
        Self::AudioInput,
        Self::AudioOutput,
        Self::JsonSchema,
        Self::JsonObject,
        Self::Choices,
        Self::Logprobs,
        Self::Seed,
        Self::Stop,
        Self::Sampling,
        Self::Penalties,
        Self::LogitBias,
        Self::Reasoning,
    ];

    /// The word for it, which stands behind `capability-` and `loss-` in reasons.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.reasons().0.split_at(11).1
    }

    /// The reason's words: where it is refused, and where something would be lost.
    #[must_use]
    pub const fn reasons(self) -> (&'static str, &'static str) {
        match self {
            Self::Tools => ("capability-tools", "loss-tools"),
            Self::CustomTools => ("capability-custom-tools", "loss-custom-tools"),
            Self::ParallelTools => ("capability-parallel-tools", "loss-parallel-tools"),
            Self::ForcedToolChoice => ("capability-forced-tool-choice", "loss-forced-tool-choice"),
            Self::Vision => ("capability-vision", "loss-vision"),
            Self::Pdf => ("capability-pdf", "loss-pdf"),
            Self::AudioInput => ("capability-audio-input", "loss-audio-input"),
            Self::AudioOutput => ("capability-audio-output", "loss-audio-output"),
            Self::JsonSchema => ("capability-json-schema", "loss-json-schema"),
            Self::JsonObject => ("capability-json-object", "loss-json-object"),
            Self::Choices => ("capability-n", "loss-n"),
            Self::Logprobs => ("capability-logprobs", "loss-logprobs"),
            Self::Seed => ("capability-seed", "loss-seed"),
            Self::Stop => ("capability-stop", "loss-stop"),
            Self::Sampling => ("capability-sampling", "loss-sampling"),
            Self::Penalties => ("capability-penalties", "loss-penalties"),
            Self::LogitBias => ("capability-logit-bias", "loss-logit-bias"),
            Self::Reasoning => ("capability-reasoning", "loss-reasoning"),
        }
    }

    /// What becomes of a request that needs it where a model is known to lack it. `n` would need several billed
    /// calls, and what a model cannot see or call cannot be imitated.
    #[must_use]
    pub const fn lack(self) -> Lack {
        match self {
            Self::Tools
            | Self::Vision
            | Self::Pdf
            | Self::AudioInput
            | Self::AudioOutput
            | Self::Choices => Lack::Refused,
            Self::CustomTools
            | Self::ParallelTools
            | Self::ForcedToolChoice
            | Self::JsonSchema
            | Self::JsonObject
            | Self::Logprobs
            | Self::Stop
            | Self::LogitBias
            | Self::Reasoning => Lack::Lossy,
            // Many clients send a temperature unasked; half of the best models take none.
            Self::Seed | Self::Sampling | Self::Penalties => Lack::Slight,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The ability that a chat member needs, where a model may refuse that member.
    #[must_use]
    pub fn of_member(name: &str) -> Option<Self> {
        Some(match name {
            "tools" | "functions" => Self::Tools,
            "parallel_tool_calls" => Self::ParallelTools,
            "tool_choice" | "function_call" => Self::ForcedToolChoice,
            "response_format" => Self::JsonSchema,
            "n" => Self::Choices,
            "logprobs" | "top_logprobs" => Self::Logprobs,
            "seed" => Self::Seed,
            "stop" => Self::Stop,
            "temperature" | "top_p" | "top_k" | "min_p" => Self::Sampling,
            "presence_penalty" | "frequency_penalty" => Self::Penalties,
            "logit_bias" => Self::LogitBias,
            "reasoning_effort" => Self::Reasoning,
            "audio" | "modalities" => Self::AudioOutput,
            _ => return None,
        })
    }
}

/// A set of abilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Abilities(u32);

impl Abilities {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, ability: Ability) -> Self {
        Self(self.0 | ability.bit())
    }

    /// With one more where a condition holds.
    pub(super) const fn with_if(self, condition: bool, ability: Ability) -> Self {
        if condition { self.with(ability) } else { self }
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, ability: Ability) -> bool {
        self.0 & ability.bit() != 0
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Ability> {
        Ability::ALL
            .into_iter()
            .filter(move |ability| self.has(*ability))
    }

    /// Of these lacks, those that a mode does not put up with.
    #[must_use]
    pub const fn refused(self, mode: Mode) -> Self {
        match mode {
            Mode::Strict => self,
            Mode::Emulate | Mode::Drop => self.and(REFUSED),
        }
    }

    /// Of these lacks, those that put a model behind all that lose nothing.
    #[must_use]
    pub const fn lossy(self) -> Self {
        self.and(LOSSY)
    }

    /// Of these lacks, those that cost some utility.
    #[must_use]
    pub const fn slight(self) -> Self {
        self.and(SLIGHT)
    }

    const fn of(lack: Lack) -> Self {
        let mut at = 0;
        let mut set = Self::NONE;
        while at < Ability::ALL.len() {
            let ability = Ability::ALL[at];
            set = set.with_if(ability.lack() as u8 == lack as u8, ability);
            at += 1;
        }
        set
    }
}

const REFUSED: Abilities = Abilities::of(Lack::Refused);
const LOSSY: Abilities = Abilities::of(Lack::Lossy);
const SLIGHT: Abilities = Abilities::of(Lack::Slight);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ability_has_a_bit_and_words_of_its_own() {
        let all = Ability::ALL
            .iter()
            .fold(Abilities::NONE, |set, ability| set.with(*ability));
        assert_eq!(all.len(), 18);
        assert!(all.each().eq(Ability::ALL));
        for ability in Ability::ALL {
            let (refused, lost) = ability.reasons();
            assert_eq!(refused, format!("capability-{}", ability.as_str()));
            assert_eq!(lost, format!("loss-{}", ability.as_str()));
        }
    }

    #[test]
    fn modes_decide_what_may_be_lost() {
        let lacks = Abilities::NONE.with(Ability::Vision).with(Ability::Seed);
        assert!(lacks.refused(Mode::Emulate).each().eq([Ability::Vision]));
        assert!(lacks.refused(Mode::Drop).each().eq([Ability::Vision]));
        assert!(
            lacks
                .refused(Mode::Strict)
                .each()
                .eq([Ability::Vision, Ability::Seed])
        );
        assert_eq!(Ability::of_member("min_p"), Some(Ability::Sampling));
        assert_eq!(Ability::of_member("messages"), None);
    }
}
