//! One call, from head to settlement: where thinking and moving meet.
//!
//! The way of a request: [`router`] finds the route, [`call`] runs the phases, [`admit`] lets the caller in, [`receive`] reads and checks the
//! body, [`plot`] makes the course of it, [`tries`] goes along it, [`secure`] sees that it can be paid, [`attempt`] tries one endpoint, [`dispatch`] sends to it with a credential, [`relay`] streams the answer, [`answer`] builds every response.

pub mod admit;
pub mod answer;
pub mod api;
pub mod asked;
pub mod attempt;
pub mod booking;
pub mod books;
pub mod call;
pub mod charge;
pub mod clock;
pub mod copies;
pub mod course;
pub mod credential;
pub mod dispatch;
pub mod drain;
pub mod drains;
pub mod dry;
pub mod ending;
pub mod failed;
pub mod feed;
pub mod figures;
pub mod idempotent;
pub mod keyring;
pub mod late;
pub mod legs;
pub mod load;
pub mod memory;
pub mod models;
pub mod open_to;
pub mod outlook;
pub mod pass;
pub mod path;
pub mod pilot;
pub mod plot;
pub mod pooled;
pub mod proof;
pub mod purse;
pub mod receipt;
pub mod receipts;
pub mod receive;
pub mod relay;
pub mod rotation;
pub mod router;
pub mod rules;
pub mod said;
pub mod secure;
pub mod settle;
pub mod shadow;
pub mod shared;
pub mod site;
pub mod spare;
pub mod speech;
pub mod state;
pub mod tell;
pub mod trace;
pub mod tries;
pub mod voice;
pub mod walk;
pub mod watch;
pub mod worst;

pub use router::{Gateway, Window};
pub use shared::{Settings, Shared, Shown};
pub use site::Site;
