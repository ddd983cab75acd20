//! What a call leaves in the ledger, from its record: an intent before each attempt, and how each ended.

use std::borrow::Cow;
use std::sync::Arc;

use crate::account::entry::{End, Paid, Word};
use crate::account::{CallRow, Intent, Money};
use crate::chat::Error;
use crate::dialect::Report;
use crate::route::Reason;

use super::books::Closing;
use super::ending::Outcome;
use super::failed::Lost;
use super::receive::Received;
use super::settle::Trip;
use super::watch::may_be_billed;

/// The most bytes of a name that a caller chooses.
const LONGEST: usize = 160;

impl Trip {
    /// Notes whose the call is.
    pub fn belongs(&mut self, received: &Received) {
        self.labels.trace = received.trace.id().map(str::to_owned);
        self.placed(received);
        let holder = received.holder.as_ref();
        if let Some(promise) = holder.and_then(|holder| holder.rights.sync) {
            self.books.promise(promise.into());
        }
        self.labels.tags = tags(holder.and_then(|holder| holder.tags.as_ref()), received);
        let party = &mut self.books.party;
        party.owner = received.key;
        party.key = holder.map(|holder| Arc::clone(&holder.name));
        party.tags.clone_from(&self.labels.tags);
        party.tenant = received
            .hints
            .tenant
            .as_deref()
            .map(|tenant| cut(tenant).into());
    }

    /// Writes down the attempt that goes upstream next.
    ///
    /// # Errors
    /// Where the ledger does not take it; then it may not be sent.
    pub async fn intends(&mut self) -> Result<(), Error> {
        if self.books.is_kept() {
            self.notes().await?;
        }
        if let Some(hold) = &mut self.hold {
            hold.goes_out();
        }
        Ok(())
    }

    async fn notes(&mut self) -> Result<(), Error> {
        self.books.began = self.elapsed();
        let intent = Intent {
            call: self.call,
            attempt: self.books.attempts + 1,
            at: self.shared().clock.moment().as_millis(),
            party: self.books.party.clone(),
            provider: cut(&self.provider).into(),
            model: cut(&self.model).into(),
            strategy: self.strategy(),
            reason: self.why(),
            estimate: self.route.estimate,
            bound: self.route.bound,
        };
        self.books.intend(intent).await
    }

    /// The attempt that is out came to nothing. One that may be billed all the same is held at its bound.
    pub fn books_lost(&mut self, lost: &Lost) {
        let Lost::Failed(failure, _) = lost else {
            return;
        };
        let paid = if may_be_billed(lost) {
            Paid {
                cost: self.at_most(self.route.bound),
                inexact: Some(Cow::Borrowed("may_be_billed")),
                ..Paid::default()
            }
        } else {
            Paid {
                cost: Some(Money::ZERO),
                ..Paid::default()
            }
        };
        self.books.settle(End {
            outcome: Cow::Borrowed(failure.code.row().code),
            paid,
            first: None,
            latency: self.elapsed().saturating_sub(self.books.began),
        });
    }

    /// An attempt whose answer had begun is given up while the call goes on: it is billed for what went by.
    pub(super) fn books_abandoned(&mut self, outcome: &'static str) {
        let Some(bound) = self.books.intent().map(|intent| intent.bound) else {
            return;
        };
        let began = self.books.began;
        let paid = self.paid(bound);
        self.books.settle(End {
            outcome: Cow::Borrowed(outcome),
            paid,
            first: self.first.map(|first| first.saturating_sub(began)),
            latency: self.elapsed().saturating_sub(began),
        });
    }

    /// The call has ended, however it did: its last rows.
    pub fn books_closing(&mut self) -> Closing {
        if self.books.attempts == 0 {
            return Closing::default();
        }
        let outcome = if std::thread::panicking() {
            "panic"
        } else {
            self.outcome.as_str()
        };
        let outcome = Cow::Borrowed(outcome);
        let end = self.books.intent().map(|intent| {
            let began = self.books.began;
            End {
                outcome: outcome.clone(),
                paid: self.paid(intent.bound),
                first: self.first.map(|first| first.saturating_sub(began)),
                latency: self.elapsed().saturating_sub(began),
            }
        });
        let row = self.call_row(outcome, self.books.spent_with(end.as_ref()));
        Closing {
            books: std::mem::take(&mut self.books),
            end,
            row: Some(row),
        }
    }

    /// What the attempt that is out cost. Where nobody knows how it went on, it is held at its bound.
    fn paid(&self, bound: Option<Money>) -> Paid {
        if let Some(charge) = &self.charge {
            return Paid {
                tokens: Some(self.tokens.unwrap_or(charge.tokens)),
                cost: Some(charge.money),
                inexact: charge.doubt.map(|doubt| Cow::Borrowed(doubt.as_str())),
                price: charge.version.map(|version| version.to_string().into()),
            };
        }
        let (cost, inexact) = match self.outcome {
            Outcome::Answered | Outcome::Repeated => (None, "unpriced"),
            Outcome::ClientGone | Outcome::Failed(_) => (self.at_most(bound), "unheard"),
        };
        Paid {
            tokens: self.tokens,
            cost,
            inexact: Some(Cow::Borrowed(inexact)),
            price: None,
        }
    }

    /// What the attempt that is out may have cost: what is held for it of budgets, else its bound.
    fn at_most(&self, bound: Option<Money>) -> Option<Money> {
        let held = self.hold.as_ref().and_then(|hold| hold.most());
        held.or(bound)
    }

    fn call_row(&self, outcome: Word, spent: Money) -> CallRow {
        let own = self.paid(None);
        let unpriced = own.cost.is_none() && self.outcome == Outcome::Answered;
        let cost = (!unpriced || !spent.is_zero()).then_some(spent);
        CallRow {
            call: self.call,
            at: self.at,
            party: self.books.party.clone(),
            provider: cut(&self.provider).into(),
            model: cut(&self.model).into(),
            strategy: self.strategy(),
            reason: self.why(),
            attempts: self.books.attempts,
            end: End {
                outcome,
                paid: Paid { cost, ..own },
                first: self.first,
                latency: self.elapsed(),
            },
            estimate: self.route.estimate,
            most: self.route.most,
            params: params(&self.report),
            trial: self
                .labels
                .trial
                .as_ref()
                .map(|(experiment, arm)| (cut(experiment).into(), cut(arm).into())),
            copy_of: self
                .labels
                .copy_of
                .as_deref()
                .and_then(crate::account::CallId::parse),
        }
    }

    fn strategy(&self) -> Option<Box<str>> {
        let strategy = self.route.strategy.as_ref()?;
        Some(cut(&strategy.name).into())
    }

    fn why(&self) -> Word {
        Cow::Borrowed(self.reason.map_or("", Reason::as_str))
    }
}

/// What a call is marked with: by its key, and by its caller.
fn tags(own: Option<&Arc<str>>, received: &Received) -> Option<Arc<str>> {
    let said = &received.hints.tags;
    let Some(own) = own else {
        return (!said.is_empty()).then(|| said.join(",").into());
    };
    let mut all = own.to_string();
    let is_new = |tag: &&String| own.split(',').all(|known| known != tag.as_str());
    for tag in said.iter().filter(is_new) {
        all.push(',');
        all.push_str(tag);
    }
    Some(all.into())
}

/// The beginning of a name that is too long to be one.
fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST))
        .unwrap_or_default()
}

/// `dropped:top_k clamped:temperature`, or nothing.
fn params(report: &Report) -> Option<Box<str>> {
    let lists = [
        ("dropped", &report.dropped),
        ("emulated", &report.emulated),
        ("clamped", &report.clamped),
    ];
    let some = lists.into_iter().filter(|(_, names)| !names.is_empty());
    let texts: Vec<String> = some
        .map(|(what, names)| format!("{what}:{}", names.join(",")))
        .collect();
    (!texts.is_empty()).then(|| texts.join(" ").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_letters() {
        let long = "é".repeat(LONGEST);
        assert_eq!(cut(&long).len(), LONGEST);
        assert_eq!(cut("gpt"), "gpt");
    }

    #[test]
    fn what_was_lost_in_translation_is_one_text() {
        let report = Report {
            dropped: vec!["top_k".into(), "seed".into()],
            clamped: vec!["temperature".into()],
            ..Report::default()
        };
        assert_eq!(
            params(&report).as_deref(),
            Some("dropped:top_k,seed clamped:temperature")
        );
        assert_eq!(params(&Report::default()), None);
    }
}
