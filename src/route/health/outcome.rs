//! How one attempt ended, as far as statistics care.

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// With an answer.
    Answered(Answer),
    /// With a failure of the provider or the way to it.
    Failed {
        /// Its kind.
        what: Failing,
        /// Milliseconds that it took.
        after: u64,
    },
    /// With 429: a matter of headroom, not of reliability.
    Limited {
        /// Milliseconds to wait, where the provider said so.
        again_in: Option<u64>,
    },
    /// Without a word on the provider's health: the request was at fault, or the client left.
    Void,
}

/// An answer's measures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answer {
    /// Milliseconds to the first content event; the whole time where nothing was streamed.
    pub wait: u64,
    /// Milliseconds to the end.
    pub whole: u64,
    /// Prompt tokens, as the plan estimated them, without those the cache gave.
    pub fresh: u64,
    /// Completion tokens, thinking included.
    pub output: u64,
    /// Of those, thought before the first content event, unseen.
    pub hidden: u64,
    /// Completion tokens the plan expected before what was learned: [`crate::route::predict::Prediction::typical`].
    pub typical: u64,
    /// Cached tokens the plan expected, and those that were read; none where none were expected.
    pub cached: Option<(u64, u64)>,
}

/// A kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A 5xx, an overload, HTML.
    Server,
    /// Nothing in time.
    Silent,
    /// No connection, or a reset.
    Unreachable,
    /// An end before the end.
    Truncated,
    /// What cannot be read, or is empty.
    Malformed,
}
