//! What a model can do, as `waypost models` asks and tells.

use clap::ValueEnum;

use crate::dialect::Caps;
use crate::dialect::caps::Kind;

/// What a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Capability {
    /// Calls functions.
    Tools,
    /// Calls several functions in one turn.
    ParallelTools,
    /// Sees images.
    Vision,
    /// Reads PDF files.
    Pdf,
    /// Hears audio.
    Audio,
    /// Reasons before it answers.
    Reasoning,
    /// Holds to a JSON schema.
    JsonSchema,
    /// Holds to JSON.
    JsonObject,
    /// Gives several choices.
    N,
    /// Takes a seed.
    Seed,
    /// Gives log probabilities.
    Logprobs,
}

impl Capability {
    /// Whether it is known to be there.
    pub(super) fn of(self, caps: &Caps) -> bool {
        let flag = match self {
            Self::Tools => caps.tools,
            Self::ParallelTools => caps.parallel_tools,
            Self::Vision => caps.vision,
            Self::Pdf => caps.pdf,
            Self::Audio => caps.audio,
            Self::JsonSchema => caps.json_schema,
            Self::JsonObject => caps.json_object,
            Self::N => caps.n,
            Self::Seed => caps.seed,
            Self::Logprobs => caps.logprobs,
            Self::Reasoning => return !matches!(caps.reasoning.kind, Kind::None | Kind::Unknown),
        };
        flag == Some(true)
    }

    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// All that are known to be there, by name.
    pub(super) fn all(caps: &Caps) -> Vec<String> {
        let all = Self::value_variants()
            .iter()
            .filter(|capability| capability.of(caps));
        all.map(|capability| capability.name()).collect()
    }
}
