//! The tables, as a list of steps that only ever grows.
//!
//! `user_version` says how many steps a file has behind it. A step that was ever published is never changed.

/// Marks a file as a ledger of ours: "WAYP".
pub const APPLICATION: i32 = 0x5741_5950;

/// The steps. A new table is a new step at the end.
pub const STEPS: &[&str] = &[ATTEMPTS_AND_CALLS, MARKS, OUTBOX, KEYS];

/// Keys of callers, and what rows that were swept away had cost: budgets without an end go on after them.
const KEYS: &str = "
CREATE TABLE keys (
    name         TEXT    NOT NULL PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE,
    made_from    TEXT,
    rights       TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    revoked      INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE swept (
    key          TEXT    NOT NULL,
    tenant       TEXT    NOT NULL,
    dollars      INTEGER NOT NULL,
    nano         INTEGER NOT NULL,
    PRIMARY KEY (key, tenant)
) STRICT, WITHOUT ROWID;
";

/// Both tables lie in the order of the calls' numbers, which is that of time. Money is in nano-dollars.
const ATTEMPTS_AND_CALLS: &str = "
CREATE TABLE attempts (
    call         BLOB    NOT NULL,
    attempt      INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    key          TEXT,
    owner        INTEGER,
    tenant       TEXT,
    tags         TEXT,
    provider     TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    strategy     TEXT,
    reason       TEXT    NOT NULL,
    estimate     INTEGER,
    bound        INTEGER,
    outcome      TEXT    NOT NULL,
    prompt       INTEGER,
    cached       INTEGER,
    cache_write  INTEGER,
    completion   INTEGER,
    reasoning    INTEGER,
    cost         INTEGER,
    inexact      TEXT,
    price        TEXT,
    ttft_ms      INTEGER,
    latency_ms   INTEGER NOT NULL,
    PRIMARY KEY (call, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
    call         BLOB    NOT NULL PRIMARY KEY,
    at           INTEGER NOT NULL,
    key          TEXT,
    owner        INTEGER,
    tenant       TEXT,
    tags         TEXT,
    provider     TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    strategy     TEXT,
    reason       TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    prompt       INTEGER,
    cached       INTEGER,
    cache_write  INTEGER,
    completion   INTEGER,
    reasoning    INTEGER,
    estimate     INTEGER,
    most         INTEGER,
    cost         INTEGER,
    inexact      TEXT,
    price        TEXT,
    params       TEXT,
    experiment   TEXT,
    arm          TEXT,
    copy_of      BLOB,
    ttft_ms      INTEGER,
    latency_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Keys under which something was done once; the hash of the key with whose it is, and of what was asked.
const MARKS: &str = "
CREATE TABLE marks (
    key    BLOB    NOT NULL PRIMARY KEY,
    print  BLOB    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX marks_by_age ON marks (at);
";

/// What is to be sent to a store that many nodes share, in the order of its commits; `attempt` 0 is the row of a call.
/// It fills only where such a store was ever configured. The node's name stays with the file.
const OUTBOX: &str = "
CREATE TABLE node (
    id TEXT NOT NULL
) STRICT;

INSERT INTO node VALUES (lower(hex(randomblob(8))));

CREATE TABLE outbox (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    call    BLOB    NOT NULL,
    attempt INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_call ON outbox (call);
";
