//! The seam: Bedrock's Converse as one [`Dialect`] among others.

use crate::chat::{Error, Request};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use super::super::params::Row;
use super::params::PARAMS;
use super::stream::Stream;
use super::whole::Whole;
use super::{failure, request};

/// Amazon Bedrock's Converse and `ConverseStream`.
#[derive(Clone, Copy, Debug)]
pub struct Bedrock;

impl Dialect for Bedrock {
    fn name(&self) -> &'static str {
        "bedrock"
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
            Shape::Stream => Box::new(Stream::new(target, reply)),
            Shape::Whole => Box::new(Whole::new(target, reply)),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        failure::of_status(status, headers, body)
    }
}
