//! The dialect itself: where the room's parts meet the seam.

use crate::chat::{Error, Request};
use crate::dialect::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use crate::dialect::params::Row;

use super::embed::Embeddings;
use super::stream::{Stream, Whole};
use super::{failure, params, request};

/// Google generateContent.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn params(&self) -> &'static [Row] {
        &params::TABLE
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

    fn decoder(&self, _: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode> {
        match shape {
            Shape::Stream => Box::new(Stream::new(reply)),
            Shape::Whole => Box::new(Whole::new(reply)),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        failure::read(status, headers, body)
    }
}
