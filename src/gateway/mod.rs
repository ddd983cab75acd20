//! One call, from head to settlement: where thinking and moving meet.
//!
//! The way of a request: [`router`] finds the route, [`call`] runs the phases, [`receive`] reads and checks the
//! body, [`attempt`] tries one endpoint, [`dispatch`] sends to it with a credential, [`relay`] streams the answer, [`answer`] builds every response.

pub mod answer;
pub mod attempt;
pub mod call;
pub mod clock;
pub mod dispatch;
pub mod failed;
pub mod feed;
pub mod late;
pub mod memory;
pub mod models;
pub mod path;
pub mod proof;
pub mod receive;
pub mod relay;
pub mod router;
pub mod said;
pub mod settle;
pub mod shared;
pub mod site;
pub mod walk;

pub use router::Gateway;
pub use shared::{Settings, Shared};
pub use site::Site;
