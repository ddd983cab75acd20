//! A listener on the wire to providers: what recording hangs on.

use std::fmt;

use http::HeaderMap;

/// Is told of every exchange with a provider.
pub trait Tap: Send + Sync + fmt::Debug {
    /// A request leaves; the answer will be told to what is given back.
    fn open(&self, sent: &Sent<'_>) -> Box<dyn Taped>;
}

/// A request as it leaves.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Which provider it goes to, by its configured name.
    pub provider: &'a str,
    /// The method.
    pub method: &'a str,
    /// Path and query at the provider, the path of its base URL included.
    pub path: &'a str,
    /// The headers, credentials included: a tap that keeps them must scrub.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// Is told of one answer, piece by piece.
pub trait Taped: Send + fmt::Debug {
    /// The answer's head.
    fn head(&mut self, status: u16, headers: &HeaderMap);
    /// The next bytes of its body, as they were read.
    fn data(&mut self, bytes: &[u8]);
    /// The end. Not told where the exchange is abandoned (dropped).
    fn end(&mut self, end: End);
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Complete, as its framing says.
    Clean,
    /// The connection broke, or there never was an answer.
    Broken,
}
