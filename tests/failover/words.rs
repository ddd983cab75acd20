//! What the providers of the wall say: sixty words, in three dialects, whole and streamed, and how they refuse.

use serde_json::{Value, json};

/// The canonical answer. Sixty words, so that no half of it is taken for the whole.
pub(crate) const ANSWER: &str = "Long after the lighthouse keeper had gone home, the lamp kept turning above the \
     harbour, counting ships that nobody else saw. Some came in late, some turned back, and one drifted for hours \
     with no engine. Each time the beam found a mast, it held for a moment, as if to ask whether the way was clear, \
     then went on.";

/// A dialect of the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

/// A streamed answer: what stands before the words, one event for each word, what stands behind them.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) head: Vec<String>,
    pub(crate) words: Vec<String>,
    pub(crate) tail: Vec<String>,
    /// The event that says that nothing follows, where the dialect has one.
    pub(crate) end: Option<String>,
}

pub(crate) const PROMPT_TOKENS: u64 = 21;
pub(crate) const ANSWER_TOKENS: u64 = 60;

/// The words, each with the space before it.
fn words() -> Vec<String> {
    let each = ANSWER.split_whitespace().enumerate();
    each.map(|(at, word)| {
        if at == 0 {
            word.to_owned()
        } else {
            format!(" {word}")
        }
    })
    .collect()
}

fn data(event: &Value) -> String {
    format!("data: {event}\n\n")
}

fn named(event: &Value) -> String {
    format!(
        "event: {}\ndata: {event}\n\n",
        event["type"].as_str().unwrap()
    )
}

impl Dialect {
    /// As a configuration names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// What stands behind the provider's own part of its base URL.
    pub(crate) const fn base(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1",
            Self::Anthropic | Self::Gemini => "",
        }
    }

    /// The whole answer at once.
    pub(crate) fn whole(self, model: &str) -> Value {
        match self {
            Self::OpenAi => json!({
                "id": "chatcmpl-w", "object": "chat.completion", "created": 1_795_500_000, "model": model,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
                "usage": openai_usage()
            }),
            Self::Anthropic => json!({
                "id": "msg_w", "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": ANSWER_TOKENS}
            }),
            Self::Gemini => gemini(model, ANSWER, true),
        }
    }

    /// The same as a stream.
    pub(crate) fn script(self, model: &str) -> Script {
        match self {
            Self::OpenAi => openai_script(model),
            Self::Anthropic => anthropic_script(model),
            Self::Gemini => Script {
                head: Vec::new(),
                words: words()[..59]
                    .iter()
                    .map(|word| data(&gemini(model, word, false)))
                    .collect(),
                tail: vec![data(&gemini(model, &words()[59], true))],
                end: None,
            },
        }
    }

    /// An event that cannot be read.
    pub(crate) const fn malformed(self) -> &'static str {
        match self {
            Self::OpenAi => {
                "data: {\"id\": \"chatcmpl-w\", \"choices\": [{\"delta\": {\"content\": \n\n"
            }
            Self::Anthropic => {
                "event: content_block_delta\ndata: {\"type\": \"content_block_delta\", \"index\": 0, \"delta\": {\n\n"
            }
            Self::Gemini => "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \n\n",
        }
    }

    /// What stands before the word in an event.
    const fn mark(self) -> &'static str {
        match self {
            Self::OpenAi => "\"content\":\"",
            Self::Anthropic | Self::Gemini => "\"text\":\"",
        }
    }

    /// An event of one word without the space before it.
    pub(crate) fn without_space(self, event: &str) -> String {
        let mark = self.mark();
        event.replacen(&format!("{mark} "), mark, 1)
    }

    /// An event of one word that says another.
    pub(crate) fn otherwise(self, event: &str) -> String {
        let mark = self.mark();
        event.replacen(mark, &format!("{mark} quite"), 1)
    }

    /// A refusal: its status and its body.
    pub(crate) fn refusal(self, why: Refusal) -> (u16, Value) {
        if (self, why) == (Self::Gemini, Refusal::Filtered) {
            // Here a blocked prompt is no error, but an answer without candidates.
            return (
                200,
                json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "w"}),
            );
        }
        let (status, message) = why.row();
        let status = if self == Self::Anthropic && status == 503 {
            529
        } else {
            status
        };
        let body = match self {
            Self::OpenAi => {
                let (kind, code) = why.openai();
                json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
            }
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": why.anthropic(), "message": message}, "request_id": "req_w"})
            }
            Self::Gemini => {
                json!({"error": {"code": status, "message": message, "status": why.gemini()}})
            }
        };
        (status, body)
    }
}

fn openai_usage() -> Value {
    json!({"prompt_tokens": PROMPT_TOKENS, "completion_tokens": ANSWER_TOKENS,
        "total_tokens": PROMPT_TOKENS + ANSWER_TOKENS})
}

fn openai_script(model: &str) -> Script {
    let chunk = |choices: Value, usage: Value| {
        data(
            &json!({"id": "chatcmpl-w", "object": "chat.completion.chunk", "created": 1_795_500_000,
            "model": model, "choices": choices, "usage": usage}),
        )
    };
    let delta = |delta: Value, finish: Option<&str>| {
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        chunk(choice, Value::Null)
    };
    Script {
        head: vec![delta(json!({"role": "assistant", "content": ""}), None)],
        words: words()
            .iter()
            .map(|word| delta(json!({"content": word}), None))
            .collect(),
        tail: vec![
            delta(json!({}), Some("stop")),
            chunk(json!([]), openai_usage()),
        ],
        end: Some("data: [DONE]\n\n".to_owned()),
    }
}

fn anthropic_script(model: &str) -> Script {
    let message = json!({"id": "msg_w", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": 1}});
    let delta = |word: &String| {
        named(
            &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}),
        )
    };
    let block = json!({"type": "text", "text": ""});
    let ending = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": ANSWER_TOKENS}});
    Script {
        head: vec![
            named(&json!({"type": "message_start", "message": message})),
            named(&json!({"type": "content_block_start", "index": 0, "content_block": block})),
        ],
        words: words().iter().map(delta).collect(),
        tail: vec![
            named(&json!({"type": "content_block_stop", "index": 0})),
            named(&ending),
        ],
        end: Some(named(&json!({"type": "message_stop"}))),
    }
}

fn gemini(model: &str, text: &str, last: bool) -> Value {
    let mut candidate =
        json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    let mut answer = json!({"modelVersion": model, "responseId": "w"});
    if last {
        candidate["finishReason"] = json!("STOP");
        answer["usageMetadata"] = json!({"promptTokenCount": PROMPT_TOKENS, "candidatesTokenCount": ANSWER_TOKENS,
            "totalTokenCount": PROMPT_TOKENS + ANSWER_TOKENS});
    }
    answer["candidates"] = json!([candidate]);
    answer
}

/// Why a provider refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Limited,
    Broken,
    Overloaded,
    TooLong,
    Filtered,
    Prefilled,
}

impl Refusal {
    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::Limited => (429, "You have sent too many requests."),
            Self::Broken => (500, "Something went wrong on our side."),
            Self::Overloaded => (503, "We are overloaded right now."),
            Self::TooLong => (
                400,
                "prompt is too long: this model's maximum context length is 8192 tokens, and yours are 9631 tokens",
            ),
            Self::Filtered => (
                400,
                "Your request was rejected: blocked by content filtering policy.",
            ),
            Self::Prefilled => (
                400,
                "This model takes no prefill: the last message must be a user's.",
            ),
        }
    }

    const fn openai(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Limited => ("rate_limit_error", Some("rate_limit_exceeded")),
            Self::Broken => ("server_error", None),
            Self::Overloaded => ("server_error", Some("overloaded")),
            Self::TooLong => ("invalid_request_error", Some("context_length_exceeded")),
            Self::Filtered => ("invalid_request_error", Some("content_policy_violation")),
            Self::Prefilled => ("invalid_request_error", Some("invalid_prefill")),
        }
    }

    const fn anthropic(self) -> &'static str {
        match self {
            Self::Limited => "rate_limit_error",
            Self::Broken => "api_error",
            Self::Overloaded => "overloaded_error",
            Self::TooLong | Self::Filtered | Self::Prefilled => "invalid_request_error",
        }
    }

    const fn gemini(self) -> &'static str {
        match self {
            Self::Limited => "RESOURCE_EXHAUSTED",
            Self::Broken => "INTERNAL",
            Self::Overloaded => "UNAVAILABLE",
            Self::TooLong | Self::Filtered | Self::Prefilled => "INVALID_ARGUMENT",
        }
    }
}
