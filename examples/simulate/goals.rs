//! What must hold, and whether it does.

/// Goals that were missed, in words.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    pub(crate) missed: Vec<String>,
}

impl Goals {
    pub(crate) fn hold(&mut self, met: bool, what: impl FnOnce() -> String) {
        if !met {
            self.missed.push(what());
        }
    }
}
