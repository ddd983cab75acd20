//! The one language everybody inside speaks: OpenAI chat, in as a request, out as events.
//!
//! Nothing here knows a provider, a socket or a clock. Bytes of hostile clients and providers are read here,
//! so that indexing and bare arithmetic are lints.
#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod call;
pub mod chunk;
pub mod embed;
pub mod error;
pub mod event;
pub mod frame;
pub mod gate;
pub mod json;
pub mod message;
pub mod plain;
pub mod request;
pub mod scan;
pub mod splice;
pub mod tool;
pub mod whole;

pub use chunk::ChunkWriter;
pub use error::{Code, Error};
pub use event::{Event, Finish, Saying, Sink, Tokens, Usage};
pub use json::{Escaped, Members};
pub use message::{Content, Message, Part, Role, ToolCall};
pub use plain::PlainWriter;
pub use request::{Ask, Request};
pub use tool::{Choice, Tool};
pub use whole::WholeWriter;
