//! What a call came to: gathered on its way, told once at its end, however it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::account::{CallId, Money};
use crate::catalog::Price;
use crate::chat::{Code, Tokens};
use crate::dialect::Report;
use crate::route::affinity::Prefixes;
use crate::route::hint::Metadata;
use crate::route::plan::Plan;
use crate::route::policy::{Cap, Strategy};
use crate::route::{Beside, Reason};

use super::books::Books;
use super::charge::{Billed, Charge, charge, weighed};
use super::course::{Grant, Leg};
use super::ending::{Ended, Heard, Labels, Oddness, Outcome, Tried};
use super::failed::Lost;
use super::figures::tally::Tally;
use super::memory::Scope;
use super::pass::{Pass, Told};
use super::purse::Hold;
use super::rescue::relief::Relief;
use super::shared::Shared;
use super::spans::Place;
use super::speech::Speech;
use super::watch::{Watch, may_be_billed};

/// The record of one call. Dropping it writes the one log line of the call and gives its place back.
#[derive(Debug)]
pub struct Trip {
    shared: Arc<Shared>,
    /// The number of the call.
    pub call: CallId,
    /// Its place in the ledger.
    pub books: Books,
    /// When it began, in Unix milliseconds.
    pub at: u64,
    /// The id of the call, `req_…`.
    pub id: String,
    /// When it began.
    pub started: Instant,
    /// How the client speaks.
    pub speech: Speech,
    /// Whose call it is, once that is known.
    pub scope: Option<Scope>,
    /// What routing has to do with it.
    pub route: Route,
    /// Whose it is, and what it is tried for.
    pub labels: Labels,
    /// The targets of the course, `provider/model`, in the order of trying; kept only to be told.
    pub planned: Vec<String>,
    /// Targets that failed, in order.
    pub failed: Vec<Tried>,
    /// How many attempts went upstream.
    pub sent: u32,
    /// The target that answers, or was tried last.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// Why it was chosen.
    pub reason: Option<Reason>,
    /// What its translation could not carry over.
    pub report: Report,
    /// How much the answer tells.
    pub metadata: Metadata,
    /// Time spent before the first request went upstream.
    pub before: Duration,
    /// Time to the answer's head.
    pub head: Option<Duration>,
    /// Time to the first event.
    pub first: Option<Duration>,
    /// The usage told by the provider.
    pub tokens: Option<Tokens>,
    /// Whether the answer is streamed.
    pub streams: bool,
    /// What the answer cost, where anybody vouches for a price.
    pub charge: Option<Charge>,
    /// Events that could not be read.
    pub skipped: u32,
    /// The attempt that is under way.
    pub watch: Option<Watch>,
    /// The gates that it has passed.
    pub pass: Option<Pass>,
    /// How the limits of its caller stand.
    pub told: Arc<Told>,
    /// What it holds of purses.
    pub hold: Option<Box<Hold>>,
    /// How it ended.
    pub outcome: Outcome,
    /// What is held for the case that its stream dies.
    pub relief: Relief,
    /// The target that the last request left for.
    pub tallied: Option<Arc<Tally>>,
    /// Where it stands in a trace, if that is told to anybody.
    pub place: Option<Place>,
}

/// What routing has to do with a call.
#[derive(Debug, Default)]
pub struct Route {
    /// The strategy that chose, or put in order.
    pub strategy: Option<Arc<Strategy>>,
    /// The plan, where one was made.
    pub plan: Option<Box<Plan>>,
    /// The cap.
    pub cap: Option<Cap>,
    /// What the call can cost at most, where that was worked out.
    pub most: Option<Money>,
    /// Tokens of the prompt, by guess.
    pub input: u64,
    /// The beginnings of the prompt.
    pub prefixes: Prefixes,
    /// The tier that was asked for and costs otherwise.
    pub tier: Option<String>,
    /// The endpoint that is tried.
    pub endpoint: Option<usize>,
    /// What it is likely to cost.
    pub estimate: Option<Money>,
    /// What it can cost at most.
    pub bound: Option<Money>,
    /// Completion tokens that are typical of it, and cached ones that are hoped for.
    pub expected: (u64, u64),
    /// What earlier attempts may have cost.
    pub ventured: Money,
    /// Whether any of them may be billed.
    pub unsure: bool,
    /// What may be billed beside tokens: searches, tools that the provider runs.
    pub beside: Beside,
}

impl Trip {
    /// Begins a call that holds a place in `shared.load` and one in the ledger.
    #[must_use]
    pub fn begin(shared: Arc<Shared>, speech: Speech, books: Books) -> Self {
        let started = shared.clock.now();
        let at = shared.clock.moment().as_millis();
        let call = CallId::new(at, fastrand::u128(..));
        let metadata = shared.settings.metadata;
        Self {
            shared,
            call,
            books,
            at,
            id: call.to_string(),
            started,
            speech,
            scope: None,
            route: Route::default(),
            labels: Labels::default(),
            planned: Vec::new(),
            failed: Vec::new(),
            sent: 0,
            provider: String::new(),
            model: String::new(),
            reason: None,
            report: Report::default(),
            metadata,
            before: Duration::ZERO,
            head: None,
            first: None,
            tokens: None,
            streams: false,
            charge: None,
            skipped: 0,
            watch: None,
            pass: None,
            told: Arc::default(),
            hold: None,
            outcome: Outcome::ClientGone,
            relief: Relief::default(),
            tallied: None,
            place: None,
        }
    }

    /// The shared house.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Notes that an attempt goes upstream now.
    pub fn sends(&mut self) {
        self.tally_attempt();
        self.sent += 1;
        if self.sent == 1 {
            self.before = self.elapsed();
        }
    }

    /// Notes that it went upstream again, with another credential.
    pub fn sent_again(&mut self, times: u32) {
        for _ in 0..times {
            self.sends();
        }
    }

    /// Time since the call began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared
            .clock
            .now()
            .saturating_duration_since(self.started)
    }

    /// `provider/model:cause` of each target that failed.
    #[must_use]
    pub fn fallback_from(&self) -> Option<String> {
        let all: Vec<_> = self
            .failed
            .iter()
            .map(|t| format!("{}/{}:{}", t.provider, t.model, t.cause))
            .collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Begins an attempt: who is asked, and what it may cost.
    pub fn tries(&mut self, leg: &Leg, grant: &Grant) {
        leg.candidate.provider.name.clone_into(&mut self.provider);
        leg.candidate.model.clone_into(&mut self.model);
        self.route.endpoint = leg.endpoint;
        self.route.estimate = leg.foreseen.as_ref().and_then(|foreseen| foreseen.cost);
        self.route.bound = grant.bound;
        let expected = leg
            .foreseen
            .as_ref()
            .map_or((0, 0), |foreseen| (foreseen.typical, foreseen.cached));
        self.route.expected = expected;
    }

    /// An attempt came to nothing.
    pub fn lost(&mut self, lost: &Lost) {
        self.books_lost(lost);
        if let Some(watch) = self.watch.take() {
            watch.lost(lost);
        }
        if may_be_billed(lost) {
            let bound = self.route.bound.unwrap_or(Money::ZERO);
            self.route.ventured = self.route.ventured.plus(bound);
            self.route.unsure = true;
        }
        if let Some(hold) = &mut self.hold {
            hold.lost(lost);
        }
    }

    /// The answer is complete: what it was is learned from and billed.
    pub fn answered(&mut self, heard: Heard) {
        let heard = &weighed(&self.shared.pilot, &self.billed(), heard);
        let first = self.first.map(|first| self.started + first);
        if let Some(watch) = self.watch.take() {
            watch.answered(heard, first.filter(|_| self.streams));
        }
        self.remember();
        self.settle(heard);
        self.outcome = Outcome::Answered;
    }

    /// The answer was ended at its ceiling.
    pub fn cut(&mut self, heard: Heard) {
        self.watch = None;
        self.settle_part(heard, Ended::Cut);
        self.outcome = Outcome::Answered;
    }

    /// The answer broke off after something was shown.
    pub fn broke(&mut self, heard: Heard, code: Code) {
        if let Some(watch) = self.watch.take() {
            watch.broke(code);
        }
        self.settle_part(heard, Ended::Broke);
        self.outcome = Outcome::Failed(code.row().code);
    }

    /// An answer that had begun is given up, and the call goes on with another. `code` is the target's fault, if any.
    pub(super) fn abandoned(&mut self, heard: Heard, code: Option<Code>) {
        if let (Some(watch), Some(code)) = (self.watch.take(), code) {
            watch.broke(code);
        }
        let cause = code.map_or("not_needed", |code| code.row().code);
        self.settle_part(heard, Ended::Broke);
        self.books_abandoned(cause);
        self.tally_given_up();
        let paid = self.charge.as_ref().map(|charge| charge.money);
        self.relief.paid = self.relief.paid.plus(paid.unwrap_or(Money::ZERO));
        let most = self.route.bound.or(paid).unwrap_or(Money::ZERO);
        self.route.ventured = self.route.ventured.plus(most);
        self.route.unsure = true;
        (self.charge, self.tokens, self.first) = (None, None, None);
        self.hold = None;
    }

    /// Settles an answer that was not heard to its end.
    pub(super) fn settle_part(&mut self, heard: Heard, ended: Ended) {
        let mut heard = weighed(&self.shared.pilot, &self.billed(), heard);
        heard.odd = Oddness::Partial(ended);
        self.settle(&heard);
    }

    /// Settles an answer that was heard to its end, though nobody was told of it.
    pub(super) fn heard_out(&mut self, heard: Heard) {
        let heard = weighed(&self.shared.pilot, &self.billed(), heard);
        self.settle(&heard);
    }

    fn settle(&mut self, heard: &Heard) {
        self.tokens = heard.tokens;
        self.skipped = heard.skipped;
        self.charge = charge(&self.shared.pilot, &self.billed(), heard);
        self.temper();
        self.pay();
    }

    /// The price of a model that is not on the board.
    fn unlisted(&self) -> Option<&Price> {
        let provider = &self.shared.site(&self.provider)?.provider;
        match provider.embedding(&self.model) {
            Some(embedding) => embedding.price.as_ref(),
            None => provider.resolve(&self.model).price,
        }
    }

    /// Who is to be billed.
    pub(super) fn billed(&self) -> Billed<'_> {
        let place = |at: usize| self.shared.pilot.board.endpoints.get(at);
        let site = self.route.endpoint.and_then(place);
        Billed {
            site: site.map(|endpoint| endpoint.site),
            unlisted: if site.is_none() {
                self.unlisted()
            } else {
                None
            },
            model: &self.model,
            now: self.shared.clock.unix(),
            tier: self.route.tier.as_deref(),
            input: self.route.input,
            sure: !self.route.unsure,
            beside: self.route.beside,
        }
    }

    /// Notes that the endpoint has read the prompt, so that what follows finds its beginning there.
    fn remember(&self) {
        let pilot = &self.shared.pilot;
        let endpoint = self
            .route
            .endpoint
            .and_then(|at| pilot.board.endpoints.get(at));
        let site = endpoint.map(|endpoint| pilot.board.site(endpoint));
        if let Some((site, keeps)) = site.and_then(|site| Some((site, site.keeps?)))
            && !self.route.prefixes.is_empty()
        {
            let now = self.shared.clock.moment();
            pilot
                .affinity
                .note(&self.route.prefixes, site.key, now, keeps);
        }
    }
}
