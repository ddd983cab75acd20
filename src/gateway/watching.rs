//! Puts the attempts of a call under watch.

use super::settle::Trip;
use super::watch::{Under, Watch};

impl Trip {
    /// Watches the attempt that goes upstream now.
    pub fn watch(&mut self) {
        let under = match self.route.endpoint {
            Some(at) => Under::listed(self.shared(), at),
            None => Under::stranger(self.shared(), &format!("{}/{}", self.provider, self.model)),
        };
        self.watch = Some(Watch::begin(self.shared(), under, self.route.expected));
    }
}
