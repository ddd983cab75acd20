//! What a call needs and how things stand, gathered once for its plan and for the caps of its attempts.

use std::sync::Arc;

use crate::catalog::{Factor, Reading as Reads};
use crate::chat::message::Role;
use crate::chat::{Code, Error};
use crate::dialect::Recall;
use crate::dialect::codec::turn_key;
use crate::route::affinity::Warmth;
use crate::route::board::Endpoint;
use crate::route::count::Load;
use crate::route::filter::{Fit, Scene};
use crate::route::health::Reading;
use crate::route::moment::Moment;
use crate::route::names::Staying;
use crate::route::need::{Need, Prompt};
use crate::route::policy::Policy;
use crate::route::quotes::Quotes;
use crate::route::{Bound, Candidate, WHOLE};

use super::pilot::Pilot;
use super::receive::Received;
use super::shared::Shared;

/// Service tiers that cost what the list says.
const USUAL_TIERS: [&str; 4] = ["auto", "default", "standard", "standard_only"];

/// How things stand for one call.
#[derive(Debug)]
pub struct Outlook {
    /// What it needs.
    pub need: Need,
    /// Prices.
    pub quotes: Arc<Quotes>,
    /// How endpoints fare, by the board's places.
    pub readings: Vec<Reading>,
    /// Who has read the beginning of the prompt.
    pub warmth: Warmth,
    /// When.
    pub now: Moment,
    /// The service tier that is asked for and costs otherwise.
    pub tier: Option<String>,
    /// Whether something in the request lets it grow without end, so that no cap can be kept.
    pub endless: bool,
}

impl Outlook {
    /// Reads a request and the state of things.
    ///
    /// # Errors
    /// Where the request does not have the shape the API describes.
    pub fn of(shared: &Shared, received: &Received) -> Result<Self, Error> {
        let (pilot, request) = (&shared.pilot, &received.request);
        let load = Load::of(request)?;
        let counted = match pilot.counter() {
            Some(counter) => load.count(counter, WHOLE),
            None => load.guess(),
        };
        let plain = Reads::default();
        let kept = kept(shared, received)?;
        let bound = load.bound(plain.sight, kept);
        let estimate = load.estimate(counted, Some(Factor::ONE), &plain);
        let prompt = Prompt {
            estimate: estimate.tokens,
            error: estimate.error,
            most: bound.within(Some(u64::MAX)).unwrap_or(u64::MAX),
            counted: load.counted_bound(counted, kept),
            audio: load.audio_most(),
        };
        let mut need = Need::read(request, prompt, pilot.routing.hinting)?;
        if let Some(session) = &received.hints.session {
            need.prefixes.name(session, prompt.estimate);
        }
        let now = shared.clock.moment();
        let tier = tier(received);
        let mut readings = Vec::new();
        pilot.vitals.read(&pilot.board, now, &mut readings);
        Ok(Self {
            quotes: pilot.quotes(now, tier.as_deref()),
            warmth: match pilot.routing.affinity {
                Staying::Counts => pilot.affinity.warmth(&need.prefixes, now),
                Staying::Ignored => Warmth::default(),
            },
            need,
            readings,
            now,
            tier,
            endless: bound == Bound::Endless,
        })
    }

    /// What a plan looks at.
    #[must_use]
    pub fn scene<'a>(&'a self, pilot: &'a Pilot, policy: &'a Policy<'a>) -> Scene<'a> {
        Scene {
            board: &pilot.board,
            quotes: &self.quotes,
            readings: &self.readings,
            need: &self.need,
            policy,
            warmth: self.warmth,
            now: self.now,
        }
    }

    /// Takes the price of a candidate's own id, where that costs otherwise than its model does.
    pub fn price_as_asked(&mut self, pilot: &Pilot, candidate: &Candidate, endpoint: &Endpoint) {
        let place = (endpoint.site, candidate.model.as_str());
        let other = pilot.other_quote(place, self.now, self.tier.as_deref());
        if let Some(other) = other
            && let Some(quote) = Arc::make_mut(&mut self.quotes).sites.get_mut(endpoint.site)
        {
            *quote = other;
        }
    }

    /// Refuses a cap that cannot be kept.
    ///
    /// # Errors
    /// Where the request has tools that its provider runs.
    pub fn can_be_capped(&self) -> Result<(), Error> {
        if !self.endless {
            return Ok(());
        }
        let message = "This request lets its provider search or run tools, and what those read is billed without a \
                       bound. Remove them, or the cost cap.";
        Err(Error::new(Code::MaxCostUnreachable, message).at("x-waypost-max-cost-usd"))
    }

    /// What to expect of an endpoint that fits.
    #[must_use]
    pub fn foreseen(
        &self,
        scene: &Scene<'_>,
        place: usize,
        fit: &Fit,
    ) -> Option<crate::route::predict::Prediction> {
        let endpoint = scene.board.endpoints.get(place)?;
        let reading = self.readings.get(place).copied().unwrap_or_default();
        Some(scene.predict(endpoint, &reading, fit))
    }
}

/// The tier that is asked for, where it costs otherwise.
fn tier(received: &Received) -> Option<String> {
    let raw = received.request.member("service_tier")?;
    let tier = raw.trim_matches('"');
    (!USUAL_TIERS.contains(&tier)).then(|| tier.to_owned())
}

/// How many bytes of earlier turns may be added to the request at most: all that is remembered of its calls.
fn kept(shared: &Shared, received: &Received) -> Result<u64, Error> {
    let recall = shared.memory.of(received.scope);
    let mut bytes = 0_usize;
    let mut add = |key: Option<String>| {
        let state = key.and_then(|key| recall.recall(&key));
        bytes = bytes.saturating_add(state.map_or(0, |state| state.len()));
    };
    for message in &received.request.messages()? {
        for call in &message.calls {
            add(turn_key(Some(call.id.as_ref()), None));
        }
        if let (Role::Tool, Some(id)) = (&message.role, &message.call_id) {
            add(turn_key(None, Some(id)));
        }
    }
    Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
}
