//! Puts the attempts of a call under watch.

use super::settle::Trip;
use super::watch::{Keys, Under, Watch};

impl Trip {
    /// Watches the attempt that goes upstream now.
    pub fn watch(&mut self) {
        let under = match self.route.endpoint {
            Some(at) => Under::listed(self.shared(), at),
            None => Under::stranger(self.shared(), &format!("{}/{}", self.provider, self.model)),
        };
        let (shared, expected) = (self.shared(), self.route.expected);
        let own = shared
            .site(&self.provider)
            .filter(|_| !shared.settings.passthrough);
        let keys = match own {
            Some(site) if !site.rotation().is_several() => Keys::One,
            Some(_) | None => Keys::Several,
        };
        let watch = Watch::begin(shared, under, keys, expected);
        self.watch = Some(watch.told_as(self.opens()));
    }
}
