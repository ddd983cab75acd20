//! The seam: Cohere as one [`Dialect`] among others.

use crate::chat::{Error, Request};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use super::super::events::Events;
use super::super::params::Row;
use super::embed::Embeddings;
use super::params::PARAMS;
use super::stream::Reader;
use super::whole::Whole;
use super::{failure, request};

/// Cohere's Chat API, version 2.
#[derive(Clone, Copy, Debug)]
pub struct Cohere;

impl Dialect for Cohere {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn params(&self) -> &'static [Row] {
        &PARAMS
    }

    fn embeddings(&self, _: &Target<'_>) -> Option<&'static dyn Dialect> {
        Some(&Embeddings)
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
        failure::of_status(status, headers, body)
    }
}
