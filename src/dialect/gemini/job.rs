//! One translation at work, and what it loses on the way.

use crate::chat::{Error, Members, Request};
use crate::dialect::codec::{Mode, Recall, Report, Target};

use super::model::Model;

/// One translation at work: what is asked, of whom, and what was lost so far.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) request: &'a Request,
    pub(super) target: &'a Target<'a>,
    pub(super) mode: Mode,
    pub(super) recall: &'a dyn Recall,
    pub(super) model: Model,
    pub(super) report: Report,
}

impl<'a> Job<'a> {
    /// A member, unless this provider or model is known to refuse it: then it is dropped and reported.
    pub(super) fn member(&mut self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let Some(raw) = self.request.member(name) else {
            return Ok(None);
        };
        let named = |list: &[String]| list.iter().any(|known| known == name);
        if named(&self.target.quirks.drop) || named(&self.target.caps.refuses) {
            self.report
                .drop(self.mode, name, "is not taken by this model.")?;
            return Ok(None);
        }
        Ok(Some(raw))
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

/// A member that must be an object.
pub(super) fn object<'a>(name: &str, raw: &'a str) -> Result<Members<'a>, Error> {
    Members::parse(raw).map_err(|_| Error::value(name, format!("'{name}' must be an object.")))
}
