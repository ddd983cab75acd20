//! Why an answer ended, in Anthropic's words and in OpenAI's.

use serde_json::value::RawValue;

use crate::chat::json::Members;
use crate::chat::{Escaped, Event, Finish, Sink};

/// The provider's account of the end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    reason: String,
    /// The stop sequence that was met, a JSON string.
    sequence: Option<String>,
    /// Why the model refused, as it stands on the wire.
    explanation: Option<String>,
}

impl Ending {
    /// Reads `stop_reason` and what goes with it; `None` where no reason is given yet.
    pub(crate) fn read(
        reason: Option<&RawValue>,
        sequence: Option<&RawValue>,
        details: Option<&RawValue>,
    ) -> Option<Self> {
        let reason = reason.and_then(Escaped::token)?.decode().into_owned();
        let details = details.and_then(|raw| Members::parse(raw.get()).ok());
        let explanation = details
            .and_then(|details| details.find("explanation"))
            .and_then(Escaped::token);
        Some(Self {
            reason,
            sequence: sequence.map(|raw| raw.get().to_owned()),
            explanation: explanation.map(|text| text.as_str().to_owned()),
        })
    }

    /// A reason that stands for itself.
    pub(crate) fn of(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            ..Self::default()
        }
    }

    /// Tells what goes with the reason: the words of a refusal, the stop sequence.
    pub(crate) fn tell(&self, sink: &mut dyn Sink) {
        if let (Some(text), "refusal") = (&self.explanation, self.reason.as_str()) {
            let text = Escaped::trusted(text);
            sink.event(Event::Refusal { choice: 0, text });
        }
        if let Some(json) = &self.sequence {
            sink.event(Event::Field {
                choice: 0,
                name: "stop_sequence",
                json,
            });
        }
    }

    /// OpenAI's reason. `called`: the client has calls to answer; `last`: a call is the last thing it sees.
    ///
    /// A provider of the same format that says `end_turn` after a call means the call (E-13, E-44); calls that the
    /// provider's own code ran are followed by text.
    pub(crate) fn finish(&self, called: bool, last: bool) -> Finish {
        match self.reason.as_str() {
            "max_tokens" | "model_context_window_exceeded" | "compaction" => Finish::Length,
            // The last two are a cloud's guardrails and filters.
            "refusal" | "guardrail_intervened" | "content_filtered" => Finish::ContentFilter,
            "tool_use" if called => Finish::ToolCalls,
            "end_turn" | "" if last => Finish::ToolCalls,
            _ => Finish::Stop,
        }
    }

    /// The provider's word, where OpenAI's says less.
    pub(crate) fn native(&self) -> Option<&str> {
        let plain = ["", "end_turn", "max_tokens", "tool_use"];
        (!plain.contains(&self.reason.as_str())).then_some(self.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_word() {
        let table = [
            ("end_turn", false, Finish::Stop, None),
            ("end_turn", true, Finish::ToolCalls, None),
            ("stop_sequence", false, Finish::Stop, Some("stop_sequence")),
            ("max_tokens", true, Finish::Length, None),
            (
                "model_context_window_exceeded",
                false,
                Finish::Length,
                Some("model_context_window_exceeded"),
            ),
            ("tool_use", true, Finish::ToolCalls, None),
            ("tool_use", false, Finish::Stop, None),
            ("refusal", false, Finish::ContentFilter, Some("refusal")),
            ("pause_turn", false, Finish::Stop, Some("pause_turn")),
            (
                "never_heard_of",
                false,
                Finish::Stop,
                Some("never_heard_of"),
            ),
        ];
        for (reason, called, finish, native) in table {
            let ending = Ending {
                reason: reason.to_owned(),
                ..Ending::default()
            };
            assert_eq!(ending.finish(called, called), finish, "{reason}");
            assert_eq!(ending.native(), native, "{reason}");
        }
    }
}
