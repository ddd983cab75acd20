//! How far a figure can be vouched for.

use serde::Deserialize;

/// How well a figure is borne out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Independent sources agree.
    High,
    /// One source and another that is not independent of it.
    Medium,
    /// One source.
    Low,
    /// Taken over from a relative.
    Estimated,
    /// The user says so, or it is the user's own machine.
    Own,
}
