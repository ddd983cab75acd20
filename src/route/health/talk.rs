//! How long the answers of one effort level are.

use serde::{Deserialize, Serialize};

use crate::route::moment::Moment;
use crate::route::number::{float, halved, small};

use super::cell::{MANY, ODD};
use super::mean::Mean;
use super::outcome::Answer;

/// What is remembered of one effort level: how long its answers are, over what was typical.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    at: u64,
    words: Mean,
}

/// Milliseconds after which half of the lengths is forgotten.
const LENGTHS: f64 = 3_600_000.0;

impl Talk {
    /// Takes an answer's length.
    pub fn observe(&mut self, now: Moment, answer: &Answer) {
        let age = float(now.since(Moment::millis(self.at)));
        self.at = now.as_millis().max(self.at);
        self.words.fade(halved(age / LENGTHS));
        if answer.typical > 0 {
            let ratio = float(answer.output) / float(answer.typical);
            self.words.add(ratio.clamp(ODD.0, ODD.1), MANY);
        }
    }

    /// The factor on output tokens.
    #[must_use]
    pub fn words(&self, now: Moment) -> f32 {
        let age = float(now.since(Moment::millis(self.at)));
        small(self.words.drawn(halved(age / LENGTHS), 1.0, 4.0))
    }
}
