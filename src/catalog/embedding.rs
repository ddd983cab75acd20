//! A model that turns texts into vectors. One cannot stand in for another: their vectors have nothing in common.

use serde::Deserialize;

use super::price::Price;

/// An embedding model at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embedding {
    /// What goes into the request.
    pub id: String,
    /// The model itself, whoever serves it; its id where empty.
    pub family: String,
    /// Other exact ids for it here.
    pub aliases: Vec<String>,
    /// How long its vectors are unless asked otherwise.
    pub dimensions: Option<u32>,
    /// Longest input in tokens.
    pub max_input: Option<u64>,
    /// What it costs, where known; there is no output to pay for.
    pub price: Option<Price>,
    /// What else is worth knowing.
    pub note: String,
}

impl Embedding {
    /// The model itself, whoever serves it.
    #[must_use]
    pub fn family(&self) -> &str {
        if self.family.is_empty() {
            &self.id
        } else {
            &self.family
        }
    }
}
