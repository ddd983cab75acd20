//! The seam: Anthropic as one [`Dialect`] among others.

use crate::chat::{Error, Request};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use super::super::events::Events;
use super::super::params::Row;
use super::envelope::VENDOR;
use super::params::PARAMS;
use super::stream::Reader;
use super::whole::Whole;
use super::{failure, request};

/// Anthropic's Messages API, version 2023-06-01.
#[derive(Clone, Copy, Debug)]
pub struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn params(&self) -> &'static [Row] {
        &PARAMS
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error> {
        request::encode(request, target, (&VENDOR, context), out)
    }

    fn decoder(&self, target: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode> {
        match shape {
            Shape::Stream => Box::new(Events::new(Reader::new(target.model, reply))),
            Shape::Whole => Box::new(Whole::new(target.model, reply)),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        failure::of_status(status, headers, body)
    }
}
