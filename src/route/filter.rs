//! Whether an endpoint can be a candidate for a request, within what limits, and what it would lose.

use crate::account::{Money, Slack};
use crate::catalog::cost::{Most, Quote};
use crate::catalog::when::When;
use crate::catalog::{Date, Status};
use crate::dialect::Mode;

use super::ability::{Abilities, Ability};
use super::board::{Board, Endpoint, Level, Site};
use super::health::{Gate, Reading};
use super::moment::Moment;
use super::need::Need;
use super::number::float;
use super::policy::{Cap, CapMode, Mask, Naming, Policy};
use super::quotes::Quotes;
use super::reason::Rejection;

/// Everything a plan looks at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The endpoints.
    pub board: &'a Board,
    /// Their prices now.
    pub quotes: &'a Quotes,
    /// How they fare, by the board's places.
    pub readings: &'a [Reading],
    /// What is asked.
    pub need: &'a Need,
    /// What is wanted.
    pub policy: &'a Policy<'a>,
    /// What the caches know of the prompt.
    pub warmth: super::affinity::Warmth,
    /// When.
    pub now: Moment,
}

/// Whether health may reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It may.
    Counts,
    /// It may not, as nothing else is left.
    LastResort,
}

/// How an endpoint fits.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// The level it would work at.
    pub level: Level,
    /// What would be lost.
    pub losses: Abilities,
    /// How many losses put it behind others: see [`super::ability::Lack::Lossy`].
    pub behind: u32,
    /// Prompt tokens in its own count, estimated.
    pub input: u64,
    /// The output limit to send; `None` leaves it unsaid.
    pub limit: Option<u64>,
    /// The most it can write.
    pub writes: u64,
    /// What it can cost at most; `None` where no bound is known.
    pub bound: Option<Money>,
}

impl Scene<'_> {
    /// Judges one endpoint; the cheap questions come first.
    ///
    /// # Errors
    /// Why it cannot be a candidate.
    pub fn judge(
        &self,
        endpoint: &Endpoint,
        reading: &Reading,
        today: Date,
        health: Health,
    ) -> Result<Fit, Rejection> {
        let site = self.board.site(endpoint);
        self.may(endpoint, site, today)?;
        if health == Health::Counts {
            healthy(reading)?;
            self.left(reading, site)?;
        }
        let level = self.level(endpoint);
        let losses = level.lacks.and(self.need.abilities);
        self.able(losses)?;
        self.good(&level)?;
        let room = self.room(site, &level)?;
        let behind = losses.lossy().len() + u32::from(room.cut_short);
        let fit = Fit {
            level,
            losses,
            behind,
            input: room.input,
            limit: room.limit,
            writes: room.writes,
            bound: None,
        };
        self.afford(endpoint, site, fit)
    }

    /// What an endpoint costs that the caller forced: nothing but the cap rejects it.
    ///
    /// # Errors
    /// Why the cap cannot be kept.
    pub fn forced(&self, endpoint: &Endpoint) -> Result<Fit, Rejection> {
        let site = self.board.site(endpoint);
        let level = self.level(endpoint);
        let most = site.caps.max_output.or(site.caps.context);
        let factor = site.token_factor;
        let fit = Fit {
            losses: Abilities::NONE,
            behind: 0,
            input: super::number::count(float(self.need.prompt.estimate) * factor),
            limit: self.need.output,
            writes: self.need.output.or(most).unwrap_or(u64::MAX),
            level,
            bound: None,
        };
        self.afford(endpoint, site, fit)
    }

    /// The level that an endpoint would work at: the caller's own word wins.
    #[must_use]
    pub fn level(&self, endpoint: &Endpoint) -> Level {
        let said = self.need.effort;
        said.map_or(endpoint.level, |said| self.board.site(endpoint).level(said))
    }

    fn may(&self, endpoint: &Endpoint, site: &Site, today: Date) -> Result<(), Rejection> {
        let policy = self.policy;
        let lacks = |list: Option<&Mask>| list.is_some_and(|list| !list.has(endpoint));
        if lacks(policy.on) {
            return Err(Rejection::ProviderOff);
        }
        if lacks(policy.allowed) {
            return Err(Rejection::NotAllowed);
        }
        if lacks(policy.only) {
            return Err(Rejection::NotInOnly);
        }
        if policy.ignored.is_some_and(|list| list.has(endpoint)) {
            return Err(Rejection::Ignored);
        }
        if policy.tried.contains(&endpoint.site) {
            return Err(Rejection::Tried);
        }
        if policy.naming == Naming::Model {
            return Ok(());
        }
        match site.status {
            Status::Preview => return Err(Rejection::Preview),
            Status::Redirected | Status::Verify => return Err(Rejection::Retired),
            Status::Active | Status::Scheduled | Status::Moving => {}
        }
        if site.shutdown.is_some_and(|day| day <= today) {
            return Err(Rejection::Retired);
        }
        Ok(())
    }

    /// Whether enough is left of the provider's limit of tokens.
    fn left(&self, reading: &Reading, site: &Site) -> Result<(), Rejection> {
        let input = super::number::count(float(self.need.prompt.estimate) * site.token_factor);
        match reading.tokens.wait(self.now, input) {
            0 => Ok(()),
            again_in => Err(Rejection::CoolingDown { again_in }),
        }
    }

    fn able(&self, lacks: Abilities) -> Result<(), Rejection> {
        if lacks.is_empty() {
            return Ok(());
        }
        let never = lacks.refused(Mode::Emulate).each().next();
        let refused = lacks.refused(self.policy.mode).each().next();
        match (never, refused) {
            (Some(ability), _) => Err(Rejection::Capability(ability)),
            (None, Some(ability)) => Err(Rejection::Loss(ability)),
            (None, None) => Ok(()),
        }
    }

    fn good(&self, level: &Level) -> Result<(), Rejection> {
        let floor = self.policy.min_quality;
        let floor = floor.unwrap_or(self.policy.strategy.min_quality);
        if floor == 0 || self.policy.naming == Naming::Model {
            return Ok(());
        }
        let quality = level.grade.ok_or(Rejection::QualityUnknown)?.quality;
        let tenths = super::number::count(quality * 1_000.0);
        if tenths >= u64::from(floor) {
            return Ok(());
        }
        let tenths = u16::try_from(tenths).unwrap_or(u16::MAX);
        Err(Rejection::BelowQuality { tenths })
    }

    /// What of prompt and answer fits the windows.
    fn room(&self, site: &Site, level: &Level) -> Result<Room, Rejection> {
        let need = self.need;
        let input = super::number::count(float(need.prompt.estimate) * site.token_factor);
        let window = site.caps.context.unwrap_or(u64::MAX);
        let longest = site.caps.max_input.unwrap_or(window).min(window);
        let least = need.output.unwrap_or(level.floor).min(level.floor);
        let needed = input.saturating_add(least);
        if needed > window || input > longest {
            return Err(Rejection::Context {
                needed,
                window: longest,
            });
        }
        let most = site.caps.max_output.unwrap_or(u64::MAX);
        let cut_short = need.output.is_some_and(|wanted| wanted > most);
        if cut_short && self.policy.mode == Mode::Strict {
            return Err(Rejection::OutputLimit { most });
        }
        let fits = most.min(window.saturating_sub(input));
        let limit = need.output.map(|wanted| wanted.min(fits));
        Ok(Room {
            input,
            limit,
            writes: limit.unwrap_or(most),
            cut_short,
        })
    }

    fn afford(&self, endpoint: &Endpoint, site: &Site, fit: Fit) -> Result<Fit, Rejection> {
        let quote = self.quotes.site(endpoint.site);
        let Some(cap) = self.policy.cap else {
            let bound = quote.filter(|_| fit.writes < u64::MAX);
            let bound = bound.and_then(|quote| quote.bound(&self.most(site, fit.writes)));
            return Ok(Fit { bound, ..fit });
        };
        let quote = quote.ok_or(Rejection::Unpriced)?;
        if !quote.is_firm() {
            return Err(Rejection::FloatingPrice);
        }
        match cap.mode {
            CapMode::Reject => self.whole(quote, cap, site, fit),
            CapMode::Cut if self.cuts(site, &fit.level) => {
                let clamped = self.clamp(quote, cap, site, fit)?;
                Ok(Fit {
                    limit: fit.limit,
                    bound: clamped.bound,
                    ..clamped
                })
            }
            CapMode::Cut | CapMode::Clamp => self.clamp(quote, cap, site, fit),
        }
    }

    /// Whether a stream can be ended at its cap: its provider stops then, and all that is billed can be seen while it is
    /// made. Calls of tools cannot: providers hold their arguments back, some until the last is there. So with JSON that
    /// is asked for by way of a tool.
    #[must_use]
    pub fn cuts(&self, site: &Site, level: &Level) -> bool {
        let wanted = self.need.abilities;
        let imitated = level.lacks.and(wanted);
        let json = [Ability::JsonSchema, Ability::JsonObject];
        let held = [Ability::Tools, Ability::CustomTools, Ability::AudioOutput];
        let held = held.into_iter().any(|ability| wanted.has(ability))
            || json.into_iter().any(|ability| imitated.has(ability));
        self.need.stream && site.cancels && level.thinks <= 0.0 && !held
    }

    /// What fits the cap as it was asked.
    fn whole(&self, quote: &Quote, cap: Cap, site: &Site, fit: Fit) -> Result<Fit, Rejection> {
        let writes = ceiling(site, &fit);
        let bound = quote
            .bound(&self.most(site, writes))
            .ok_or(Rejection::Unpriced)?;
        if bound > cap.most {
            return Err(Rejection::OverCap { bound });
        }
        Ok(Fit {
            bound: Some(bound),
            limit: at_most(site, &fit),
            writes,
            ..fit
        })
    }

    /// Lowers the output limit until the worst case fits, but not below what makes sense at the level.
    fn clamp(&self, quote: &Quote, cap: Cap, site: &Site, fit: Fit) -> Result<Fit, Rejection> {
        let choices = self.need.choices.max(1);
        let floor = fit.level.floor.min(fit.writes);
        let within = quote.output_within(&self.most(site, 0), cap.most);
        let within = within.unwrap_or(0) / choices;
        let bound = |writes| quote.bound(&self.most(site, writes));
        if within < floor {
            let bound = bound(floor).ok_or(Rejection::Unpriced)?;
            return Err(Rejection::OverCap { bound });
        }
        let ceiling = ceiling(site, &fit);
        if within >= ceiling {
            return Ok(Fit {
                limit: at_most(site, &fit),
                writes: ceiling,
                bound: bound(ceiling),
                ..fit
            });
        }
        let limit = within.min(room(site, &fit));
        Ok(Fit {
            limit: Some(limit),
            writes: limit,
            bound: bound(limit),
            ..fit
        })
    }

    /// The limits of a call that writes so much for each choice. A prompt above the window is refused, not billed.
    #[must_use]
    pub fn most(&self, site: &Site, output: u64) -> Most {
        let window = site.caps.max_input.or(site.caps.context);
        let prompt = &self.need.prompt;
        let counted = prompt.counted.filter(|_| site.counts);
        let most = prompt.most.min(counted.unwrap_or(u64::MAX));
        Most {
            input: most.min(window.unwrap_or(u64::MAX)),
            audio: self.need.prompt.audio,
            output: output.saturating_mul(self.need.choices.max(1)),
            searches: 0,
        }
    }

    /// What a prompt is likely to be at most: its estimate, and what that usually is off.
    #[must_use]
    pub fn likely(&self, site: &Site, slack: Slack) -> Most {
        let (most, prompt) = (self.most(site, 0), &self.need.prompt);
        let tokens = float(prompt.estimate.saturating_add(prompt.error));
        let tokens = slack.on(super::number::count(tokens * site.token_factor));
        let input = tokens.saturating_add(prompt.audio).min(most.input);
        Most { input, ..most }
    }
}

/// The most that a model can write, whatever is asked: its window bounds it where nothing else does.
fn ceiling(site: &Site, fit: &Fit) -> u64 {
    fit.writes.min(site.caps.context.unwrap_or(u64::MAX))
}

/// What is left of the window for the answer, with some room for what the estimate misses: providers refuse limits
/// beyond that.
fn room(site: &Site, fit: &Fit) -> u64 {
    let window = site.caps.context.unwrap_or(u64::MAX);
    let input = fit.input.saturating_add(fit.input / 4).saturating_add(256);
    window.saturating_sub(input).max(fit.level.floor)
}

/// The limit to send where the model's own is low enough: said aloud where it has one beside its window, else as the
/// caller said it.
fn at_most(site: &Site, fit: &Fit) -> Option<u64> {
    let window = site.caps.context.unwrap_or(u64::MAX);
    let own = site.caps.max_output.filter(|most| *most < window);
    let own = own.filter(|_| fit.limit.is_none());
    own.map(|most| most.min(room(site, fit))).or(fit.limit)
}

/// Prompt and answer within the windows.
struct Room {
    input: u64,
    limit: Option<u64>,
    writes: u64,
    cut_short: bool,
}

fn healthy(reading: &Reading) -> Result<(), Rejection> {
    match reading.gate {
        Gate::Open(again_in) => return Err(Rejection::BreakerOpen { again_in }),
        Gate::Trial | Gate::Returning | Gate::Closed => {}
    }
    if reading.cooling > 0 {
        return Err(Rejection::CoolingDown {
            again_in: reading.cooling,
        });
    }
    Ok(())
}

/// The day of a moment.
#[must_use]
pub fn day(now: Moment) -> Date {
    When::unix(now.as_millis() / 1_000).date()
}
