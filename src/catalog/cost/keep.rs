//! How long a provider's cache keeps what a request writes to it, which bears on the rate of writing.

/// What a request has written to the provider's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep<'a> {
    /// Nothing: it marks nothing, and the provider writes only what is marked.
    Nothing,
    /// What the provider likes, for its shortest time.
    Shortest,
    /// For this time, a key of the price's write rates, or for the shortest.
    For(&'a str),
    /// Not known: bounds take the dearest, bills the shortest.
    #[default]
    Any,
}
