//! What a model says, piece by piece: the narrow waist between every dialect and every writer.
//!
//! Events borrow from the provider's bytes. Text is [`Escaped`]: it moves from one JSON string to another as it is.

use super::json::Escaped;

/// One piece of an answer.
///
/// Order within a choice is the provider's. A decoder sends [`Event::Finish`] once per choice, last of that choice;
/// later deltas of it are the decoder's to drop.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The answer's identity, as soon as known. Only the first counts; empty strings mean unknown.
    Start {
        /// The provider's id of the answer.
        id: Escaped<'a>,
        /// The model that answers.
        model: Escaped<'a>,
        /// Unix seconds, where the provider says so.
        created: Option<u64>,
    },
    /// Answer text.
    Text {
        /// Which choice.
        choice: u32,
        /// The text.
        text: Escaped<'a>,
    },
    /// Reasoning text.
    Reasoning {
        /// Which choice.
        choice: u32,
        /// The text.
        text: Escaped<'a>,
    },
    /// One whole item of `reasoning_details`: a JSON object (signature, encrypted block, summary).
    Detail {
        /// Which choice.
        choice: u32,
        /// The item.
        json: &'a str,
    },
    /// Words of a refusal.
    Refusal {
        /// Which choice.
        choice: u32,
        /// The text.
        text: Escaped<'a>,
    },
    /// A tool call begins. `index` counts the choice's calls from 0 over the whole answer.
    ToolStart {
        /// Which choice.
        choice: u32,
        /// Which call.
        index: u32,
        /// Its id, never empty.
        id: Escaped<'a>,
        /// The tool's name, the client's own.
        name: Escaped<'a>,
        /// Whether it is a custom (free text) tool's call.
        custom: bool,
        /// `extra_content`, a JSON object, where the provider attaches state to the call.
        extra: Option<&'a str>,
    },
    /// A piece of a call's arguments, as it stands within the JSON string.
    ToolArgs {
        /// Which choice.
        choice: u32,
        /// Which call.
        index: u32,
        /// The piece.
        json: Escaped<'a>,
    },
    /// A piece of a custom tool's input.
    ToolInput {
        /// Which choice.
        choice: u32,
        /// Which call.
        index: u32,
        /// The piece.
        text: Escaped<'a>,
    },
    /// A member of the message that has no event of its own: `annotations`, `audio`, `images`, ….
    Field {
        /// Which choice.
        choice: u32,
        /// The member's name.
        name: &'a str,
        /// Its value.
        json: &'a str,
    },
    /// Log probabilities of what was just said: the `logprobs` object.
    Logprobs {
        /// Which choice.
        choice: u32,
        /// The object.
        json: &'a str,
    },
    /// A top-level member of the answer: `system_fingerprint`, `service_tier`, `citations`, ….
    Top {
        /// The member's name.
        name: &'a str,
        /// Its value.
        json: &'a str,
    },
    /// A choice is complete.
    Finish {
        /// Which choice.
        choice: u32,
        /// Why it ended.
        reason: Finish,
        /// The provider's own word where ours says less.
        native: Option<&'a str>,
    },
    /// Tokens so far; cumulative, the last one holds.
    Usage(Usage<'a>),
    /// A chunk (or a whole answer) that is OpenAI's already and needs no change: the JSON object.
    Raw(&'a str),
    /// The same of a stream's chunk that says one thing and nothing else.
    Chunk {
        /// The JSON object.
        json: &'a str,
        /// Which choice.
        choice: u32,
        /// What it says.
        saying: Saying,
        /// The words.
        words: Escaped<'a>,
    },
    /// The last chunk of a stream that is OpenAI's already: the JSON object, which the `waypost` object joins. Comes once,
    /// after everything else.
    Last(&'a str),
    /// State of the turn that a plain client loses and the provider wants back: kept by the proxy, sent to nobody.
    Turn {
        /// The ids of the turn's calls as the client sees them; empty for a turn of text.
        calls: &'a [String],
        /// The dialect's own JSON.
        state: &'a str,
    },
}

/// What words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saying {
    /// Answer text.
    Text,
    /// Reasoning text.
    Reasoning,
    /// Words of a refusal.
    Refusal,
    /// The arguments of this call of the choice, or the input of a custom tool.
    Arguments(u32),
}

/// Why a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was done, or met a stop sequence.
    Stop,
    /// It met a limit.
    Length,
    /// It wants tools run.
    ToolCalls,
    /// It was withheld.
    ContentFilter,
    /// It wants a function run (the deprecated form).
    FunctionCall,
}

impl Finish {
    /// OpenAI's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::FunctionCall => "function_call",
        }
    }
}

/// Counted tokens, in OpenAI's reckoning: the prompt includes cached tokens, the completion includes reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens, cached ones included.
    pub prompt: u64,
    /// Completion tokens, reasoning included.
    pub completion: u64,
    /// Prompt tokens read from a cache, where the provider says.
    pub cached: Option<u64>,
    /// Prompt tokens written to a cache, where the provider says.
    pub cache_write: Option<u64>,
    /// Of those, tokens written to live an hour.
    pub cache_write_1h: Option<u64>,
    /// Completion tokens spent on reasoning, where the provider says.
    pub reasoning: Option<u64>,
    /// Prompt tokens of audio, where the provider says.
    pub audio_prompt: Option<u64>,
    /// Completion tokens of audio, where the provider says.
    pub audio_completion: Option<u64>,
    /// No tokens, but billed beside them: web searches that the provider ran, where it says.
    pub searches: Option<u64>,
}

impl Tokens {
    /// Counts that cannot be read: below nothing, broken, no numbers. Nobody is shown them; their place is taken by what
    /// went by.
    pub const UNREADABLE: Self = Self {
        prompt: u64::MAX,
        completion: u64::MAX,
        cached: None,
        cache_write: None,
        cache_write_1h: None,
        reasoning: None,
        audio_prompt: None,
        audio_completion: None,
        searches: None,
    };
}

/// The usage of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage<'a> {
    /// The counts.
    pub tokens: Tokens,
    /// The provider's own usage object where it is OpenAI's and right as it stands; written instead of the counts.
    pub raw: Option<&'a str>,
}

/// Where events go: a writer, a meter, a pair of them.
pub trait Sink {
    /// Takes one event.
    fn event(&mut self, event: Event<'_>);
}

impl Sink for Vec<String> {
    /// Keeps the debug form of each event: for tests that compare sequences.
    fn event(&mut self, event: Event<'_>) {
        self.push(format!("{event:?}"));
    }
}
