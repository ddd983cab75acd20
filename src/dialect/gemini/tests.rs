//! Tests of the dialect as a whole.

mod corpus;
mod decode;
mod encode;
mod failures;
mod stable;
mod turns;
