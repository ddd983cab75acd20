//! Streams that die or fall silent, carried on by another answer.
//!
//! [`relief`] is what a call holds for that case, [`patience`] how long silence is borne. [`body`] is the body of every
//! stream that may be rescued: it is its relay until that says it is [`broken`], then tries the targets that are left
//! ([`aid`]), beside the silent one ([`aside`]) if it is not dead. Whether another answer repeats what was shown is
//! decided in [`crate::chat::splice`].

pub mod aid;
pub mod aside;
pub mod body;
pub mod broken;
pub mod patience;
pub mod relief;
