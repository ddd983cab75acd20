//! The seam: the Responses API as one [`Dialect`] among others.

use crate::chat::{Error, Request};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use super::super::complaint;
use super::super::events::Events;
use super::super::params::Row;
use super::params::PARAMS;
use super::request;
use super::stream::Reader;
use super::whole::Whole;

/// OpenAI's Responses API, without storage at the provider.
#[derive(Clone, Copy, Debug)]
pub struct Responses;

impl Dialect for Responses {
    fn name(&self) -> &'static str {
        "openai-responses"
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
        request::encode(request, target, context, out)
    }

    fn decoder(&self, target: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode> {
        match shape {
            Shape::Stream => Box::new(Events::new(Reader::new(target.model, reply))),
            Shape::Whole => Box::new(Whole::new(target.model, reply)),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        complaint::read(status, headers, body)
    }
}
