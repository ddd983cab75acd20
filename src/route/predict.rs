//! What to expect of a candidate: tokens, times, money and the chance of failure. Times and chances are guesses;
//! money is what the price list says of the guessed tokens.

use crate::account::Money;
use crate::catalog::cost::Expected;

use super::board::{Endpoint, Site};
use super::effort::Basis;
use super::filter::{Fit, Scene};
use super::health::Reading;
use super::health::reading::{band, crowd};
use super::number::{count, float};

/// What to expect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Prompt tokens.
    pub input: u64,
    /// Of those, likely read from a cache.
    pub cached: u64,
    /// Completion tokens that are typical, thinking included, before what was learned of this endpoint: goes into
    /// [`super::health::Answer::typical`].
    pub typical: u64,
    /// Completion tokens, thinking included.
    pub output: u64,
    /// Milliseconds to the first token of the answer.
    pub wait: f64,
    /// Milliseconds to the end.
    pub time: f64,
    /// The bill of one attempt; `None` where there is no price.
    pub cost: Option<Money>,
    /// The same with what a failure is likely to cost on top: as much again.
    pub spent: Option<Money>,
    /// The chance of failure, with the prior's doubt.
    pub risk: f64,
    /// Quality from 0 to 1, where known, the task's keenness and the strategy's doubt taken in.
    pub quality: Option<f64>,
    /// What that rests on.
    pub basis: Basis,
    /// Of the completion tokens, those that are thought.
    pub thinking: u64,
    /// Whether answers have taught how long they are; else thinking is the ladder's.
    pub taught: bool,
}

/// Failures below such a share are not told from chance when money and time are reckoned, nor within steps of it.
const TOLD: f64 = 0.02;

/// The quality that is assumed where none is known.
pub const UNKNOWN_QUALITY: f64 = 0.4;

impl Scene<'_> {
    /// What to expect of an endpoint that fits.
    #[must_use]
    pub fn predict(&self, endpoint: &Endpoint, reading: &Reading, fit: &Fit) -> Prediction {
        let site = self.board.site(endpoint);
        let choices = self.need.choices.max(1);
        let cached = self.cached(site, reading, fit.input);
        let fresh = fit.input.saturating_sub(cached);
        let meaning = self.need.task.task.meaning();
        let thought = fit.level.thinks * meaning.thinking;
        let typical = float(self.need.answer) + thought;
        let words = f64::from(reading.words);
        let output = (typical * words).min(float(fit.writes)).max(1.0);
        let each = site.prior.write * f64::from(reading.pace);
        let begun = site.prior.waits(fresh) * f64::from(reading.waits[band(fresh)]);
        let late = f64::from(reading.surge.max(reading.overdue));
        let slower = late * crowd(reading.in_flight, reading.room);
        let nature = chance(reading);
        let own = failing(nature, reading);
        let proven = failing(told(nature, reading), reading);
        let cost = self.cost(endpoint, fit, cached, count(output).saturating_mul(choices));
        let again = |cost: Money| Money::nano(count(float(cost.as_nano()) * (1.0 + proven)));
        Prediction {
            input: fit.input,
            cached,
            typical: count(typical).saturating_mul(choices),
            output: count(output).saturating_mul(choices),
            wait: (begun + (thought * words).min(output) * each) * slower,
            // What fails takes its own time, and then another call's.
            time: own * f64::from(reading.lost) + (output * each + begun) * slower,
            cost,
            spent: cost.map(again),
            risk: own,
            basis: fit.level.grade.map_or(Basis::Listed, |grade| grade.basis),
            thinking: count((thought * words).min(output)).saturating_mul(choices),
            taught: (words - 1.0).abs() > f64::EPSILON,
            quality: fit.level.grade.map(|grade| {
                let doubt = self.policy.strategy.weights.doubt * grade.doubt;
                (1.0 - (1.0 - grade.quality + doubt) * meaning.keen).clamp(0.0, 1.0)
            }),
        }
    }

    /// Tokens the site's cache is likely to give.
    fn cached(&self, site: &Site, reading: &Reading, input: u64) -> u64 {
        let known = self.warmth.of(site.key);
        if known == 0 || site.keeps.is_none() {
            return 0;
        }
        let known = float(known) * site.token_factor * f64::from(reading.hits);
        count(known).min(input)
    }

    fn cost(&self, endpoint: &Endpoint, fit: &Fit, cached: u64, output: u64) -> Option<Money> {
        let quote = self.quotes.site(endpoint.site)?;
        Some(quote.expected(&Expected {
            input: fit.input,
            cached,
            written: 0,
            output,
        }))
    }
}

/// The chance of failure by nature: its own calls, drawn towards all endpoints'.
fn chance(reading: &Reading) -> f64 {
    let mass = f64::from(reading.fleet_mass);
    let failed = f64::from(reading.fleet_risk) * mass + f64::from(reading.failed);
    failed / (f64::from(reading.calls) + mass)
}

/// What of it is told from chance, two spreads off, in steps: what differs by less is one price.
fn told(nature: f64, reading: &Reading) -> f64 {
    let calls = f64::from(reading.calls + reading.fleet_mass);
    let spread = (nature * (1.0 - nature) / calls).sqrt();
    let least = nature - 2.0 * spread;
    float(super::number::below(least / TOLD)) * TOLD
}

/// Failing by nature, or down just now.
fn failing(chance: f64, reading: &Reading) -> f64 {
    let up = 1.0 - f64::from(reading.down);
    (1.0 - up * (1.0 - chance)).clamp(0.0, 1.0)
}
