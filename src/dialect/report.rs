//! What becomes of what a target cannot express: how strict to be, and the list of what was lost.

use std::borrow::Cow;

use crate::chat::{Code, Error};

/// What to do about a parameter that the target cannot express.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Come as close as possible, and report it.
    #[default]
    Emulate,
    /// Leave it out, and report it.
    Drop,
    /// Refuse the request.
    Strict,
}

/// What a translation could not carry over as it was. Names are the request's own (`tools[0].strict`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Left out.
    pub dropped: Vec<Cow<'static, str>>,
    /// Replaced by something near.
    pub emulated: Vec<Cow<'static, str>>,
    /// Moved to the nearest allowed value.
    pub clamped: Vec<Cow<'static, str>>,
}

impl Report {
    /// Notes something once.
    fn note(list: &mut Vec<Cow<'static, str>>, name: Cow<'static, str>) {
        if !list.contains(&name) {
            list.push(name);
        }
    }

    /// Something is left out; under [`Mode::Strict`] that is an error.
    ///
    /// # Errors
    /// `unsupported_parameter` under [`Mode::Strict`].
    pub fn drop(
        &mut self,
        mode: Mode,
        name: impl Into<Cow<'static, str>>,
        why: &str,
    ) -> Result<(), Error> {
        let name = name.into();
        strict(mode, &name, why)?;
        Self::note(&mut self.dropped, name);
        Ok(())
    }

    /// Something is replaced by something near; under [`Mode::Strict`] that is an error.
    ///
    /// # Errors
    /// `unsupported_parameter` under [`Mode::Strict`].
    pub fn emulate(
        &mut self,
        mode: Mode,
        name: impl Into<Cow<'static, str>>,
        why: &str,
    ) -> Result<(), Error> {
        let name = name.into();
        strict(mode, &name, why)?;
        Self::note(&mut self.emulated, name);
        Ok(())
    }

    /// A value is moved to the nearest allowed one; under [`Mode::Strict`] that is an error.
    ///
    /// # Errors
    /// `unsupported_parameter` under [`Mode::Strict`].
    pub fn clamp(
        &mut self,
        mode: Mode,
        name: impl Into<Cow<'static, str>>,
        why: &str,
    ) -> Result<(), Error> {
        let name = name.into();
        strict(mode, &name, why)?;
        Self::note(&mut self.clamped, name);
        Ok(())
    }

    /// A default that the provider demands and the client did not give is filled in: reported, never an error.
    pub fn fill(&mut self, name: impl Into<Cow<'static, str>>) {
        Self::note(&mut self.emulated, name.into());
    }
}

fn strict(mode: Mode, name: &str, why: &str) -> Result<(), Error> {
    match mode {
        Mode::Strict => Err(refused(name, why)),
        Mode::Emulate | Mode::Drop => Ok(()),
    }
}

/// The error for something that a target cannot honour in any mode.
#[must_use]
pub fn refused(name: &str, why: &str) -> Error {
    Error::new(Code::UnsupportedParameter, format!("'{name}' {why}")).at(name)
}
