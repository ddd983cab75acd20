//! An answer that broke off, given to another model that goes on behind it.
//!
//! Nothing proves that the two would have said the same, so that this comes only after nobody has repeated what was shown:
//! as the beginning of its own answer at models of which the capability table says that they go on from there, and by
//! asking in words where the caller wants that; then its answer has to begin with the last words that were shown. Tools, JSON, several choices and
//! reasoning are left out: half a call, half a document and half a thought are no beginnings.

use std::sync::Arc;

use crate::chat::json::quoted;
use crate::chat::message::Role;
use crate::chat::splice::{Prefix, Said};
use crate::chat::{Ask, Request};
use crate::route::hint::Rescue;

use super::aid::Aid;
use crate::gateway::course::Leg;
use crate::gateway::ending::How;
use crate::gateway::load::Room;
use crate::gateway::receive::Received;
use crate::gateway::shared::Shared;

/// Members of a request that ask for something else than one text.
const OTHER: [&str; 13] = [
    "response_format",
    "logprobs",
    "top_logprobs",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "modalities",
    "audio",
    "prediction",
];

/// How a model is asked to go on.
const GO_ON: &str = "Your last message was cut off. Go on with it: begin with its last words, exactly as they stand between \
                     the brackets below and without the brackets, and go on behind them as if nothing had happened. Add \
                     nothing else.\n\n";

/// Characters per token, at least: what was shown is taken for as many tokens as it can well be.
const CHARACTERS: u64 = 2;

impl Aid {
    /// Has those who are left, or were asked before, go on from what was shown in this way: those that can, but for the
    /// one whose answer it is. What goes on has to begin with what is given back. `None` where nobody can.
    pub(super) fn goes_on(
        &mut self,
        shared: &Shared,
        (said, from): (&Said, &str),
        how: How,
    ) -> Option<Box<Said>> {
        let wanted = self.received.hints.rescue.unwrap_or(shared.settings.rescue);
        // What is shown once more is paid once more, which neither a cap nor a budget was reckoned with.
        let is_bound = self.course.rules.cap.is_some() || self.received.dues.is_some();
        let prefix = said.prefix().filter(|_| !is_bound)?;
        let origin = self
            .origin
            .get_or_insert_with(|| Arc::clone(&self.received));
        let origin = Arc::clone(origin);
        let (request, due) = match how {
            How::Prefill => (begun(&origin.request, &prefix, None)?, prefix.due()),
            How::Continue if wanted == Rescue::Continue => {
                let (last, due) = prefix.anchor();
                (begun(&origin.request, &prefix, Some(last))?, due)
            }
            How::Continue | How::Restart | How::Verified => return None,
        };
        let mut all = std::mem::take(&mut self.spent);
        all.append(&mut self.course.legs);
        let can = |leg: &Leg| leg.name() != from && (how == How::Continue || takes_prefill(leg));
        let (mut legs, others): (Vec<_>, Vec<_>) = all.into_iter().partition(can);
        self.spent = others;
        if legs.is_empty() {
            return None;
        }
        for leg in &mut legs {
            let left = |limit: u64| request.max_output.map_or(limit, |most| limit.min(most));
            leg.candidate.limit = leg.candidate.limit.map(left);
        }
        self.course.legs = legs;
        self.received = Arc::new(again(shared, &origin, request));
        Some(Box::new(due))
    }

    /// Asks with the request as it came.
    pub(super) fn asks_as_before(&mut self) {
        if let Some(origin) = &self.origin {
            self.received = Arc::clone(origin);
        }
    }
}

/// Whether a target goes on from a last message of the assistant.
fn takes_prefill(leg: &Leg) -> bool {
    leg.candidate.caps.prefill == Some(true) && leg.candidate.effort.is_none()
}

/// The request with an answer that has begun, and where its last words are given, with the word to begin with them.
/// `None` where it asks for something else than one text.
fn begun(request: &Request, prefix: &Prefix, last_words: Option<&str>) -> Option<Request> {
    let other = OTHER.iter().any(|name| request.member(name).is_some());
    let last = request.messages().ok()?.last().map(|message| message.role);
    if request.ask != Ask::Chat || request.n != 1 || other || last == Some(Role::Assistant) {
        return None;
    }
    let messages = request.member("messages")?.trim_end().strip_suffix(']')?;
    let ask = last_words.map(|words| quoted(&format!("{GO_ON}<<{words}>>")));
    let ask = ask.map(|ask| format!(",{{\"role\":\"user\",\"content\":{ask}}}"));
    let messages = format!(
        "{messages},{{\"role\":\"assistant\",\"content\":{}}}{}]",
        quoted(&prefix.text),
        ask.unwrap_or_default()
    );
    let said = u64::try_from(prefix.text.chars().count()).ok()? / CHARACTERS;
    let mut set = vec![("messages", messages)];
    for name in ["max_tokens", "max_completion_tokens"] {
        if let Some(most) = request.positive(name).ok()? {
            let left = most.checked_sub(said).filter(|left| *left > 0)?;
            set.push((name, left.to_string()));
        }
    }
    let set: Vec<(&str, &str)> = set
        .iter()
        .map(|(name, raw)| (*name, raw.as_str()))
        .collect();
    request.with(&set).ok()
}

/// The same call with another request.
fn again(shared: &Shared, received: &Received, request: Request) -> Received {
    Received {
        request,
        hints: received.hints.clone(),
        scope: received.scope,
        key: received.key,
        holder: received.holder.clone(),
        dues: received.dues.clone(),
        brought: received.brought.clone(),
        copies_for: received.copies_for.clone(),
        repeat: None,
        patience: received.patience,
        trace: received.trace.clone(),
        room: Room::none(Arc::clone(&shared.load)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix {
            text: text.to_owned(),
            space: String::new(),
        }
    }

    fn begun(request: &Request, prefix: &Prefix) -> Option<Request> {
        super::begun(request, prefix, None)
    }

    fn with(more: &str) -> Request {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}} ]{more},"stream":true}}"#
        );
        Request::parse(body.into_bytes()).unwrap()
    }

    #[test]
    fn the_answer_is_the_last_message_and_its_tokens_are_not_asked_for_again() {
        let request = begun(&with(r#","max_tokens":100"#), &prefix("so \"far\"")).unwrap();
        let messages = request.messages().unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[1].role, Role::Assistant);
        let body = request.body();
        assert!(
            body.contains(r#"{"role":"assistant","content":"so \"far\""}"#),
            "{body}"
        );
        assert_eq!(request.max_output, Some(96));
        assert!(begun(&with(r#","max_tokens":4"#), &prefix("so \"far\"")).is_none());
    }

    #[test]
    fn a_model_is_asked_to_begin_with_the_last_words() {
        let request = super::begun(&with(""), &prefix("so \"far\""), Some("\"far\"")).unwrap();
        let messages = request.messages().unwrap();
        assert_eq!((messages.len(), messages[2].role), (3, Role::User));
        assert!(
            request.body().contains(r#"<<\"far\">>"#),
            "{}",
            request.body()
        );
    }

    #[test]
    fn what_asks_for_more_than_a_text_is_left_alone() {
        for more in [
            r#","tools":[]"#,
            r#","response_format":{"type":"json_object"}"#,
            r#","n":2"#,
            r#","reasoning_effort":"low""#,
            r#","logprobs":true"#,
        ] {
            assert!(begun(&with(more), &prefix("so")).is_none(), "{more}");
        }
        assert!(begun(&with(r#","tools":null,"n":1"#), &prefix("so")).is_some());
    }
}
