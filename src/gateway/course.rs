//! The course of a call: what is tried in which order, and what each try may cost.

use crate::account::{Meter, Money, Pace, Slack};
use crate::chat::{Code, Error};
use crate::route::filter::{Fit, Scene};
use crate::route::number;
use crate::route::plan::Plan;
use crate::route::policy::CapMode;
use crate::route::predict::Prediction;
use crate::route::ranked::Ranked;
use crate::route::reason::Rejection;
use crate::route::{Candidate, Reason};

use super::outlook::Outlook;
use super::pilot::Pilot;
use super::rules::{Lists, Rules};

/// Milliseconds for whose tokens of each choice a provider may still bill us before it learns that its stream was cut:
/// our closing reaches it in half of that, and it may be twice as fast as its class is.
const UNDER_WAY: f64 = 400.0;

/// The header that caps, as errors name it.
pub const CAP: &str = "x-waypost-max-cost-usd";

/// What is tried, in order, never nothing.
#[derive(Debug)]
pub struct Course {
    /// Each try.
    pub legs: Vec<Leg>,
    /// Why the first is the first.
    pub reason: Reason,
    /// What holds for all of them.
    pub rules: Rules,
    /// The lists of the rules, looked up.
    pub lists: Lists,
    /// How things stand; `None` where nothing had to be known for a forced route.
    pub outlook: Option<Box<Outlook>>,
    /// The plan, where one was made.
    pub plan: Option<Box<Plan>>,
    /// What the call can cost at most, where that is known.
    pub most: Option<Money>,
    /// Targets that were named or found beyond the number that one call tries.
    pub beyond: Vec<String>,
}

/// One target to try.
#[derive(Debug)]
pub struct Leg {
    /// The target.
    pub candidate: Candidate,
    /// Its place on the board; `None` where the catalogue does not list it.
    pub endpoint: Option<usize>,
    /// What the plan thought of it.
    pub ranked: Option<Ranked>,
    /// What to expect of it, where that was asked.
    pub foreseen: Option<Prediction>,
    /// What it can cost at most, without regard to a cap.
    pub bound: Option<Money>,
}

/// What a try may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grant {
    /// The output limit to send; `None` leaves it as the caller said it, or unsaid.
    pub limit: Option<u64>,
    /// What it can cost at most, where that is known.
    pub bound: Option<Money>,
    /// What ends its stream at the ceiling.
    pub meter: Option<Meter>,
}

/// How a prompt is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// As long as it can be: for what must never cost more.
    AtMost,
    /// As long as it is likely to be, with what that guess is usually off at most: for what is held of a budget.
    Likely,
}

impl Leg {
    /// `provider/model`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.candidate.provider.name, self.candidate.model)
    }
}

impl Course {
    /// What a try may do after others may have cost something.
    ///
    /// # Errors
    /// Where it no longer fits the cap.
    pub fn grant(&self, pilot: &Pilot, leg: &Leg, ventured: Money) -> Result<Grant, Error> {
        let left = self.rules.cap.map(|cap| cap.most.minus(ventured));
        let left = left.unwrap_or_default();
        self.within(pilot, leg, left)
            .map_err(|why| over(leg, why, left))
    }

    /// What a try may do within what is left of the cap, where there is one.
    fn within(&self, pilot: &Pilot, leg: &Leg, left: Money) -> Result<Grant, Rejection> {
        let (Some(cap), Some(outlook)) = (self.rules.cap, &self.outlook) else {
            return Ok(Grant {
                limit: leg.candidate.limit,
                bound: leg.bound,
                meter: None,
            });
        };
        let place = leg.endpoint.ok_or(Rejection::Unpriced)?;
        let mut policy = self.rules.policy(&self.lists);
        if let Some(cap) = &mut policy.cap {
            cap.most = left;
        }
        let scene = outlook.scene(pilot, &policy);
        let endpoint = scene.board.endpoints.get(place);
        let endpoint = endpoint.ok_or(Rejection::Unpriced)?;
        let (limit, bound) = if let Some(ranked) = &leg.ranked {
            let within = ranked.within(&scene, left, cap.mode);
            let over = || Rejection::OverCap {
                bound: ranked.bound.unwrap_or(Money::MAX),
            };
            within.ok_or_else(over)?
        } else {
            let fit = scene.forced(endpoint)?;
            (fit.limit, fit.bound.ok_or(Rejection::Unpriced)?)
        };
        let site = scene.board.site(endpoint);
        let cuts = cap.mode == CapMode::Cut && scene.cuts(site, &scene.level(endpoint));
        let meter = if cuts {
            let pace = self.pace(pilot, &scene, leg, Prompt::AtMost);
            let meter = Meter::new(pace.ok_or(Rejection::Unpriced)?, left);
            Some(meter.counted_by(pilot.vocabulary()))
        } else {
            None
        };
        Ok(Grant {
            limit,
            bound: Some(bound),
            meter,
        })
    }

    /// How the stream of a try is metered; `None` where nobody vouches for a price.
    #[must_use]
    pub fn pace(
        &self,
        pilot: &Pilot,
        scene: &Scene<'_>,
        leg: &Leg,
        prompt: Prompt,
    ) -> Option<Pace> {
        let outlook = self.outlook.as_ref()?;
        let endpoint = scene.board.endpoints.get(leg.endpoint?)?;
        let site = scene.board.site(endpoint);
        let model = (endpoint.site, leg.candidate.model.as_str());
        let now = outlook.now.as_millis() / 1_000;
        let tariff = pilot.tariff(model, now, outlook.tier.as_deref())?;
        let seller = pilot.seller(endpoint.site);
        let factor = seller.and_then(|(_, model)| model.token_factor);
        let known = match (site.counts, factor) {
            (true, _) => Some(Slack::SAME),
            (false, Some(_)) => Some(Slack::MEASURED),
            (false, None) => None,
        };
        let (most, slack) = match prompt {
            Prompt::AtMost => (scene.most(site, 0), known),
            Prompt::Likely => {
                let slack = known.unwrap_or(Slack::UNKNOWN);
                (scene.likely(site, slack), Some(slack))
            }
        };
        let under_way = number::count(UNDER_WAY / site.prior.write.max(1.0));
        let unseen = under_way.saturating_mul(outlook.need.choices.max(1));
        tariff.pace(&most, unseen, (factor, slack))
    }

    /// Leaves out what does not fit the cap, and says what the rest can cost at most.
    ///
    /// # Errors
    /// Where nothing fits: the least cap that would do, and for what, or else the first target's reason.
    pub fn keep_affordable(&mut self, pilot: &Pilot) -> Result<(), Error> {
        let whole = self.rules.cap.map(|cap| cap.most).unwrap_or_default();
        let mut none: Option<(Money, Error)> = None;
        let mut sum = Some(Money::ZERO);
        let mut fits = Vec::with_capacity(self.legs.len());
        for leg in &self.legs {
            match self.within(pilot, leg, whole) {
                Ok(grant) => {
                    sum = sum.and_then(|sum| Some(sum.plus(grant.bound?)));
                    fits.push(true);
                }
                Err(why) => {
                    let bound = match why {
                        Rejection::OverCap { bound } => bound,
                        _ => Money::MAX,
                    };
                    if none.as_ref().is_none_or(|(least, _)| bound < *least) {
                        none = Some((bound, over(leg, why, whole)));
                    }
                    fits.push(false);
                }
            }
        }
        let mut fits = fits.into_iter();
        self.legs.retain(|_| fits.next().unwrap_or(true));
        if self.legs.is_empty() {
            let nothing = || Error::new(Code::MaxCostUnreachable, "Nothing fits the cost cap.");
            return Err(none.map_or_else(nothing, |(_, error)| error));
        }
        let cap = self.rules.cap.map(|cap| cap.most);
        self.most = match (sum, cap) {
            (Some(sum), Some(cap)) => Some(sum.min(cap)),
            (sum, cap) => sum.or(cap),
        };
        Ok(())
    }

    /// Says what to expect of a target that no plan has judged.
    #[must_use]
    pub fn foresee(&self, pilot: &Pilot, place: usize) -> (Option<Prediction>, Option<Money>) {
        let Some(outlook) = &self.outlook else {
            return (None, None);
        };
        let mut policy = self.rules.policy(&self.lists);
        policy.cap = None;
        let scene = outlook.scene(pilot, &policy);
        let fit = pilot.board.endpoints.get(place);
        let fit: Option<Fit> = fit.and_then(|endpoint| scene.forced(endpoint).ok());
        let foreseen = fit.and_then(|fit| outlook.foreseen(&scene, place, &fit));
        (foreseen, fit.and_then(|fit| fit.bound))
    }
}

/// A target that does not fit.
fn over(leg: &Leg, why: Rejection, left: Money) -> Error {
    let name = leg.name();
    let message = match why {
        Rejection::OverCap { bound } => format!(
            "'{name}' does not fit the cost cap: ${left} is left, and its cheapest worst case is ${bound}. Raise {CAP} to \
             that, shorten the prompt, or lower max_completion_tokens."
        ),
        Rejection::Unpriced => format!(
            "The price of '{name}' is not known, so that no cost cap can be kept. Remove {CAP}, or give the model a price \
             in waypost.toml."
        ),
        Rejection::FloatingPrice => format!(
            "The price of '{name}' is a reading that may move, so that no cost cap can be kept. Remove {CAP}, or name \
             another model."
        ),
        other => format!("'{name}' cannot be taken: {}.", other.as_str()),
    };
    Error::new(Code::MaxCostUnreachable, message).at(CAP)
}
