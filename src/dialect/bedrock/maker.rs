//! Who made a model, by its id: what goes beside Converse's own members is each maker's own.

use crate::dialect::anthropic::state::Format;
use crate::dialect::caps::{Caps, Kind};

/// A maker whose models have members or manners of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// Claude: `thinking`, cache points, one sampling member of two.
    Anthropic,
    /// Nova: `reasoningConfig`, `inferenceConfig.topK`, cache points.
    Amazon,
    /// GPT: `reasoning.effort`, reasoning that only its maker can read.
    OpenAi,
    /// Anybody else, gpt-oss too: `reasoning_effort` where it takes any.
    Other,
}

impl Maker {
    /// Reads an id, a profile's id or an ARN. An application profile's ARN names no model: there the way it reasons
    /// tells Claude.
    pub(super) fn of(model: &str, caps: &Caps) -> Self {
        let known = [
            ("anthropic.", Self::Anthropic),
            ("claude", Self::Anthropic),
            ("amazon.nova", Self::Amazon),
            ("openai.gpt-oss", Self::Other),
            ("openai.", Self::OpenAi),
        ];
        let found = known.into_iter().find(|(part, _)| model.contains(part));
        match found {
            Some((_, maker)) => maker,
            None => match caps.reasoning.kind {
                Kind::Adaptive | Kind::Always | Kind::Budget => Self::Anthropic,
                Kind::Unknown | Kind::None | Kind::Effort | Kind::Toggle => Self::Other,
            },
        }
    }

    /// The format of its models' reasoning as clients keep it.
    pub(super) const fn format(self) -> Format {
        match self {
            Self::Anthropic => Format::Claude,
            Self::Amazon | Self::OpenAi | Self::Other => Format::Bedrock,
        }
    }

    /// Whether its models keep prompts at marks (Bedrock's page on prompt caching).
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Anthropic | Self::Amazon)
    }

    /// Whether its models take the status of a tool's result (`ToolResultBlock` in the service's model).
    pub(super) const fn takes_status(self) -> bool {
        matches!(self, Self::Anthropic | Self::Amazon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_form_tell_their_maker() {
        let table = [
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                Maker::Anthropic,
            ),
            ("global.anthropic.claude-opus-5-5", Maker::Anthropic),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-x",
                Maker::Anthropic,
            ),
            ("us.amazon.nova-2-lite-v1:0", Maker::Amazon),
            ("openai.gpt-oss-120b-1:0", Maker::Other),
            ("us.openai.gpt-5.6-luna", Maker::OpenAi),
            ("amazon.titan-text-express-v1", Maker::Other),
            (
                "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
                Maker::Other,
            ),
        ];
        for (id, maker) in table {
            assert_eq!(Maker::of(id, &Caps::default()), maker, "{id}");
        }
        let mut caps = Caps::default();
        caps.reasoning.kind = Kind::Always;
        let profile = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
        assert_eq!(Maker::of(profile, &caps), Maker::Anthropic);
    }
}
