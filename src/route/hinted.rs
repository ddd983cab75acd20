//! What the hints `dry-run`, `hedge` and `rescue` may say.

/// Whether help is called beside a silent target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hedge {
    /// Where it is of use.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// What is done for a stream that dies or falls silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rescue {
    /// Another answer carries it on where it repeats what was shown.
    #[default]
    Verified,
    /// The same; and where nobody repeats it, others are asked to go on from there.
    Continue,
    /// Nothing.
    Off,
}

/// Whether a call is made, or only planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    /// It is made.
    #[default]
    Real,
    /// The plan is the answer; nothing is sent.
    Dry,
}
