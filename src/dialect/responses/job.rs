//! One translation at work, and what it loses on the way.

use crate::chat::json;
use crate::chat::{Error, Request};

use super::super::codec::{Context, Mode, Recall, Report, Target};

/// What is asked, of whom, and what was lost so far.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) request: &'a Request,
    pub(super) target: &'a Target<'a>,
    pub(super) mode: Mode,
    pub(super) recall: &'a dyn Recall,
    pub(super) report: Report,
}

impl<'a> Job<'a> {
    /// A translation at its start.
    pub(super) fn new(
        request: &'a Request,
        target: &'a Target<'a>,
        context: &'a Context<'a>,
    ) -> Self {
        Self {
            request,
            target,
            mode: context.mode,
            recall: context.recall,
            report: Report::default(),
        }
    }

    /// A member, unless this provider or model is known to refuse it: then it is dropped and reported.
    pub(super) fn member(&mut self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let Some(raw) = self.request.member(name) else {
            return Ok(None);
        };
        let named = |list: &[String]| list.iter().any(|known| known == name);
        if named(&self.target.quirks.drop) || named(&self.target.caps.refuses) {
            self.drop(name, "is not taken by this model.")?;
            return Ok(None);
        }
        Ok(Some(raw))
    }

    /// Sends a member as it is, if it is there.
    pub(super) fn pass(&mut self, name: &'static str, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(raw) = self.member(name)? {
            json::member(name, raw, out);
        }
        Ok(())
    }

    pub(super) fn drop(&mut self, name: impl Into<String>, why: &str) -> Result<(), Error> {
        self.report.drop(self.mode, name.into(), why)
    }

    pub(super) fn emulate(&mut self, name: impl Into<String>, why: &str) -> Result<(), Error> {
        self.report.emulate(self.mode, name.into(), why)
    }

    pub(super) fn clamp(&mut self, name: impl Into<String>, why: &str) -> Result<(), Error> {
        self.report.clamp(self.mode, name.into(), why)
    }
}
