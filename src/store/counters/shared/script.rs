//! The scripts, and how they are asked.

use std::fmt::Display;
use std::sync::LazyLock;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};

/// What a script answers: a word, and numbers as text.
pub(super) type Said = Vec<String>;

macro_rules! script {
    ($name:ident, $($file:literal),+) => {
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("common.lua"), $(include_str!($file)),+)));
    };
}

script!(TAKE, "take.lua");
script!(SETTLE, "settle.lua");
script!(ENTER, "enter.lua");
script!(LEAVE, "leave.lua");
script!(TOKENS, "tokens.lua");
script!(SEED, "seed.lua");
script!(BREAKERS, "breakers.lua");
script!(BEAT, "lease.lua", "beat.lua");
script!(PART, "lease.lua", "part.lua");
script!(JOIN, "lease.lua", "join.lua");

/// One asking: which script, of which keys, with which words.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) keys: Vec<String>,
    pub(super) words: Vec<String>,
}

/// The leases of all nodes.
pub(super) const LEASES: &str = "{waypost}:leases";
/// The breakers that are open.
pub(super) const OPEN: &str = "{waypost}:breakers";
/// What is known of the server itself.
pub(super) const HOUSE: &str = "{waypost}:house";

pub(super) fn purse(id: &str) -> String {
    format!("{{waypost}}:purse:{id}")
}

pub(super) fn gate(id: &str) -> String {
    format!("{{waypost}}:gate:{id}")
}

pub(super) fn members(lease: &str) -> String {
    format!("{{waypost}}:lease:{lease}")
}

impl Asking {
    /// An asking whose first key is that of the leases.
    pub(super) fn new() -> Self {
        Self {
            keys: vec![LEASES.to_owned()],
            words: Vec::new(),
        }
    }

    pub(super) fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    pub(super) fn word(mut self, word: impl Display) -> Self {
        self.words.push(format!("{word}"));
        self
    }

    /// Asks.
    pub(super) async fn ask(
        self,
        script: &Script,
        mut connection: MultiplexedConnection,
    ) -> Result<Said, RedisError> {
        let mut asked = script.prepare_invoke();
        for key in self.keys {
            asked.key(key);
        }
        for word in self.words {
            asked.arg(word);
        }
        asked.invoke_async(&mut connection).await
    }
}
