//! What the choices of one answer share.

use crate::dialect::codec::Reply;

/// What all choices of an answer share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) reply: Reply,
    /// What made ids are made of: the answer's id, or its first event.
    pub(super) seed: String,
    /// Room for one value at a time, kept between events.
    pub(super) scratch: Vec<u8>,
    pub(super) escaped: Vec<u8>,
}
