//! What the models of the wall do, by their names.

/// What a model does, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// It answers.
    Answers,
    /// It answers, but takes no prefill.
    NoPrefill,
    LimitedOnce,
    LimitedForEver,
    BrokenOnce,
    DownForEver,
    ResetOnce,
    Silent,
    /// So is this one.
    SilentToo,
    SlowToSpeak,
    Cut,
    Stalls,
    Malformed,
    NoDone,
    TooLong,
    Filtered,
    /// It answers in other words from the middle on.
    OtherWords,
    /// It answers in other words too, but goes on from where it is told that it was.
    GoesOn,
    /// The same, where it is asked to begin with its last words.
    IsAsked,
    /// It takes its time before its head, and then answers in full.
    SlowToHead,
    /// It sends a head, is silent, and hangs up without a word.
    DiesUnheard,
    /// It begins at once, with all that comes before the first word, and then takes its time.
    SlowAfterRole,
    /// It is down for a while, then healthy.
    Flaps,
}

impl Does {
    const ALL: [(Self, &'static str); 23] = [
        (Self::Answers, "w-ok"),
        (Self::NoPrefill, "w-no-prefill"),
        (Self::LimitedOnce, "w-429-once"),
        (Self::LimitedForEver, "w-429"),
        (Self::BrokenOnce, "w-500-once"),
        (Self::DownForEver, "w-503"),
        (Self::ResetOnce, "w-reset-once"),
        (Self::Silent, "w-silent"),
        (Self::SilentToo, "w-silent-too"),
        (Self::SlowToSpeak, "w-slow"),
        (Self::Cut, "w-cut"),
        (Self::Stalls, "w-stall"),
        (Self::Malformed, "w-malformed"),
        (Self::NoDone, "w-no-done"),
        (Self::TooLong, "w-too-long"),
        (Self::Filtered, "w-filtered"),
        (Self::Flaps, "w-flaps"),
        (Self::OtherWords, "w-other"),
        (Self::GoesOn, "w-goes-on"),
        (Self::IsAsked, "w-asked"),
        (Self::SlowToHead, "w-slow-head"),
        (Self::DiesUnheard, "w-unheard"),
        (Self::SlowAfterRole, "w-slow-role"),
    ];

    /// The model that does it.
    pub(crate) fn model(self) -> &'static str {
        Self::ALL.iter().find(|(does, _)| *does == self).unwrap().1
    }

    pub(crate) fn of(model: &str) -> Self {
        Self::ALL.iter().find(|(_, name)| *name == model).unwrap().0
    }
}
