//! How often a stream that could not go on by itself was helped, by the rung of the ladder, and how that ended.

use crate::gateway::ending::How;

use super::families::Figures;

/// How help for a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Another answer went on with the stream.
    CarriedOn,
    /// The one that was silent spoke first.
    NotNeeded,
    /// Nobody could help.
    Failed,
    /// The client left meanwhile.
    ClientGone,
}

impl Ended {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CarriedOn => "carried_on",
            Self::NotNeeded => "not_needed",
            Self::Failed => "failed",
            Self::ClientGone => "client_gone",
        }
    }
}

impl Figures {
    /// A stream was helped, or could not be.
    pub fn rescue(&self, how: How, ended: Ended) {
        let labels = [how.as_str(), ended.as_str()];
        self.calls.rescues.with_label_values(&labels).inc();
    }
}
