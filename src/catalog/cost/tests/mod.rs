//! The cost engine, on bills worked by hand and on anything that a price list could hold.

mod hand;
mod random;
