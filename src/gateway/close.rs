//! The end of a call: its one log line, its receipt, its rows in the ledger, and its place given back.

use std::sync::Arc;
use std::time::Duration;

use crate::chat::Code;
use crate::route::Reason;

use super::ending::Outcome;
use super::memory::Scope;
use super::receipts::Receipt;
use super::settle::Trip;

impl Trip {
    /// What is kept of the call: its parts, taken out of it.
    fn receipt(&mut self, scope: Scope) -> Receipt {
        Receipt {
            scope,
            pilot: Arc::downgrade(&self.shared().pilot),
            at: self.shared().clock.unix(),
            provider: std::mem::take(&mut self.provider),
            model: std::mem::take(&mut self.model),
            reason: self.reason.map_or("", Reason::as_str),
            outcome: self.outcome,
            strategy: self.route.strategy.take(),
            plan: self.route.plan.take(),
            failed: std::mem::take(&mut self.failed),
            sent: self.sent,
            report: std::mem::take(&mut self.report),
            tokens: self.tokens,
            estimate: self.route.estimate,
            most: self.route.most,
            cap: self.route.cap,
            charge: self.charge.take(),
            given_up: self.relief.paid,
            rescue: self.relief.done.take(),
            labels: std::mem::take(&mut self.labels),
            first: self.first,
            whole: self.elapsed(),
        }
    }
}

/// Whole microseconds.
fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Trip {
    fn drop(&mut self) {
        if self.labels.copy_of.is_none() {
            self.shared().load.leave();
        }
        self.left_early();
        if self.outcome == Outcome::ClientGone && self.shared().load.is_cut() {
            self.outcome = Outcome::Failed(Code::ServerShuttingDown.row().code);
        }
        self.watch = None;
        self.tally();
        self.tells_span();
        let closing = self.books_closing();
        self.hold = None;
        // What was heard out beside a call is no call: that one has its line.
        if self.labels.copy_of.as_ref() == Some(&self.id) {
            closing.leave();
            return;
        }
        let outcome = self.outcome.as_str();
        let tokens = self.tokens.unwrap_or_default();
        tracing::info!(
            request_id = self.id.as_str(),
            trace_id = self.labels.trace.as_deref(),
            provider = self.provider.as_str(),
            model = self.model.as_str(),
            outcome,
            attempts = self.sent,
            fallback_from = self.fallback_from(),
            prompt_tokens = tokens.prompt,
            completion_tokens = tokens.completion,
            first_us = self.first.map(micros),
            total_us = micros(self.elapsed()),
            tenant = self.labels.tenant.as_deref(),
            experiment = self.labels.experiment(),
            arm = self.labels.arm(),
            copy_of = self.labels.copy_of.as_deref(),
            cost_usd = self.cost().map(|cost| cost.to_string()),
            "call"
        );
        if let Some(scope) = self.scope {
            let receipt = self.receipt(scope);
            self.shared().receipts.keep(&self.id, receipt);
        }
        closing.leave();
    }
}
