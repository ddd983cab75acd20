//! Who exists, what they sell and how they are called: data read once, looked up per request.
//!
//! Facts are in `providers/*.toml` and `families.toml`; nothing here reads files, variables or clocks at run time.

pub mod address;
pub mod auth;
pub mod cost;
pub mod date;
pub mod deploy;
pub mod embedding;
pub mod endpoint;
pub mod family;
pub mod form;
pub mod load;
pub mod lookup;
pub mod nearest;
pub mod pattern;
pub mod price;
pub mod reading;
pub mod setting;
pub mod sight;
pub mod table;
pub mod trust;
pub mod when;

pub use auth::{AuthKind, Identity, Secret};
pub use cost::{Cost, Expected, Fees, Item, Keep, Line, Most, Tariff};
pub use date::Date;
pub use embedding::Embedding;
pub use endpoint::{BilledAs, Model, Place, Provider, Resolved, Retired, Rule, Status};
pub use family::{Quality, Speed, Tokenizer};
pub use load::LoadError;
pub use lookup::Catalog;
pub use price::{Factor, Price, Rate, Rates};
pub use reading::Reading;
pub use setting::Settings;
pub use sight::{Picture, Sight};
pub use trust::Trust;
pub use when::When;
