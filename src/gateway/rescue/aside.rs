//! An attempt that is set aside while another is made beside it.

use std::time::{Duration, Instant};

use crate::account::Money;
use crate::dialect::Report;
use crate::store::Entry;

use super::relief::Patience;
use crate::gateway::purse::Hold;
use crate::gateway::settle::Trip;
use crate::gateway::watch::Watch;

/// What a call knows of an attempt that is out.
#[derive(Debug)]
pub struct Attempted {
    provider: String,
    model: String,
    endpoint: Option<usize>,
    estimate: Option<Money>,
    bound: Option<Money>,
    expected: (u64, u64),
    entry: (Option<Entry>, Duration),
    watch: Option<Watch>,
    hold: Option<Box<Hold>>,
    report: Report,
    head: Option<Duration>,
    first: Option<Duration>,
    patience: Option<Patience>,
    /// When the call began.
    started: Instant,
    /// How many had failed before it was set aside.
    pub failed: usize,
    /// How often it was sent again since.
    pub again: u32,
}

impl Attempted {
    /// Whose it is.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The head of its answer has come.
    pub fn has_head(&mut self, carried: &[(&'static str, String)], now: Instant) {
        self.head = Some(now.saturating_duration_since(self.started));
        if let Some(watch) = &mut self.watch {
            watch.head(carried);
        }
    }
}

impl Trip {
    /// Sets the attempt that is out aside, so that another can be made. What it may cost is not there for that.
    pub(super) fn set_aside(&mut self) -> Attempted {
        let route = &mut self.route;
        route.ventured = route.ventured.plus(route.bound.unwrap_or(Money::ZERO));
        Attempted {
            provider: std::mem::take(&mut self.provider),
            model: std::mem::take(&mut self.model),
            endpoint: route.endpoint.take(),
            estimate: route.estimate.take(),
            bound: route.bound.take(),
            expected: std::mem::take(&mut route.expected),
            entry: self.books.set_aside(),
            watch: self.watch.take(),
            hold: self.hold.take(),
            report: std::mem::take(&mut self.report),
            head: self.head.take(),
            first: self.first.take(),
            patience: self.relief.patience.take(),
            started: self.started,
            failed: self.failed.len(),
            again: 0,
        }
    }

    /// Goes on with an attempt that was set aside.
    pub(super) fn take_up(&mut self, attempted: Attempted) {
        self.provider = attempted.provider;
        self.model = attempted.model;
        self.route.endpoint = attempted.endpoint;
        self.route.estimate = attempted.estimate;
        self.route.bound = attempted.bound;
        self.route.expected = attempted.expected;
        self.books.take_up(attempted.entry);
        self.watch = attempted.watch;
        self.hold = attempted.hold;
        self.report = attempted.report;
        self.head = attempted.head;
        self.first = attempted.first;
        self.relief.patience = attempted.patience;
        let bound = self.route.bound.unwrap_or(Money::ZERO);
        self.route.ventured = self.route.ventured.minus(bound);
        self.sent_again(attempted.again);
    }
}
