//! Streams that die or fall silent, carried on by another answer.
//!
//! [`relief`] is what a call holds for that case, [`patience`] how long silence is borne. [`body`] is the body of every
//! stream that may be rescued: it is its relay until that says it is [`broken`], then tries the targets that are left
//! ([`aid`]) beside the [`silent`] ones that may still speak, each with what the call knows of it set [`aside`]:
//! [`mending`] waits for all of them at once. Whether another answer repeats what was shown is decided in
//! [`crate::chat::splice`].

pub mod aid;
pub mod aside;
pub mod body;
pub mod broken;
mod given_up;
mod loser;
mod mending;
pub mod patience;
mod prefill;
pub mod relief;
pub mod silent;
