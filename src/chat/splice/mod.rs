//! One answer carried on by another: what a client has been shown, and the proof that another answer repeats it.
//!
//! [`Said`] keeps what was shown. A [`Splice`] takes the events of the other answer: it keeps them back while they
//! repeat what was shown, byte for byte, and passes only on what follows; at the first difference it stops for good.
//! So what a client puts together is always the beginning of one answer that some model gave, however the two were cut
//! into pieces and whatever escapes they were written with.

mod prefix;
mod said;
mod strand;
mod units;
mod weave;

pub use prefix::Prefix;
pub use said::Said;
pub use weave::Splice;

#[cfg(test)]
mod tests;
