//! The dialect itself: where the parts meet the seam.

use crate::chat::{Error, Request};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use super::super::complaint;
use super::super::params::{Fate, Row};
use super::completion::Completions;
use super::embed::Embeddings;
use super::stream::Stream;
use super::whole::Whole;
use super::{handover, params, request};

/// OpenAI and everyone who copied it.
#[derive(Clone, Copy, Debug)]
pub struct OpenAi;

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn params(&self) -> &'static [Row] {
        &params::TABLE
    }

    /// A member that nobody here knows is the provider's to judge.
    fn unnamed(&self) -> Fate {
        Fate::Sent
    }

    fn handover(&self, request: &Request, target: &Target<'_>) -> Option<&'static dyn Dialect> {
        handover::handover(request, target)
    }

    fn embeddings(&self, target: &Target<'_>) -> Option<&'static dyn Dialect> {
        let has = !target.quirks.embeddings.path.is_empty();
        has.then_some(&Embeddings as &dyn Dialect)
    }

    fn completions(&self, target: &Target<'_>) -> Option<&'static dyn Dialect> {
        let has = !target.quirks.completions_path.is_empty();
        has.then_some(&Completions as &dyn Dialect)
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
            Shape::Stream => Box::new(Stream::new(target.quirks, reply)),
            Shape::Whole => Box::new(Whole::new(target.quirks, reply)),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        complaint::read(status, headers, body)
    }
}
