//! Logs to stderr, gathered so that no call waits for a terminal or a pipe.
//!
//! Lines go to a buffer that a thread of its own writes out a few times a second. The buffer is bounded: where
//! nobody reads stderr, lines are lost and counted, and calls go on.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::line::Line;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Most bytes that wait to be written.
const BOUND: usize = 4 * 1024 * 1024;
/// How long lines gather.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the last ones may take.
const LAST: Duration = Duration::from_secs(2);

/// Starts logging. `filter` is what `RUST_LOG` says. Dropping the guard writes what still waits.
#[must_use]
pub fn start(format: Format, filter: Option<&str>) -> Guard {
    let buffer = Arc::new(Buffer::default());
    let house = registry().with(targets(filter));
    let lines = fmt::layer().with_writer(Gather(Arc::clone(&buffer)));
    let _ = match format {
        Format::Text => house.with(lines.event_format(Line)).try_init(),
        Format::Json => house.with(lines.json().flatten_event(true)).try_init(),
    };
    let writer = thread::Builder::new().name("log".to_owned()).spawn({
        let buffer = Arc::clone(&buffer);
        move || buffer.drain()
    });
    if let Ok(writer) = &writer {
        *buffer.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer.thread().clone());
    }
    Guard {
        buffer,
        writer: writer.ok(),
    }
}

/// What is logged: levels, for all or by target (`warn`, `waypost=debug,hyper=info`); `info` where that is not said
/// or cannot be read.
fn targets(filter: Option<&str>) -> Targets {
    let usual = Targets::new().with_default(LevelFilter::INFO);
    let said = filter.filter(|text| !text.trim().is_empty());
    said.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[derive(Debug, Default)]
struct Buffer {
    lines: Mutex<Lines>,
    wake: Mutex<Option<thread::Thread>>,
}

#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    lost: u64,
    closed: bool,
}

impl Buffer {
    fn push(&self, line: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.bytes.len() + line.len() > BOUND {
            lines.lost += 1;
            return;
        }
        let was_empty = lines.bytes.is_empty();
        lines.bytes.extend_from_slice(line);
        drop(lines);
        if was_empty
            && let Some(writer) = &*self.wake.lock().unwrap_or_else(PoisonError::into_inner)
        {
            writer.unpark();
        }
    }

    /// Writes what gathers until the buffer is closed and empty.
    fn drain(&self) {
        let mut batch = Vec::new();
        loop {
            let (lost, closed) = {
                let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut batch, &mut lines.bytes);
                (std::mem::take(&mut lines.lost), lines.closed)
            };
            if batch.is_empty() {
                if closed {
                    return;
                }
                thread::park();
                thread::sleep(PAUSE);
                continue;
            }
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_all(&batch);
            if lost > 0 {
                let _ = writeln!(
                    stderr,
                    "{lost} log lines were lost: stderr is not read fast enough"
                );
            }
            batch.clear();
        }
    }
}

/// Keeps the log alive.
#[derive(Debug)]
pub struct Guard {
    buffer: Arc<Buffer>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.buffer
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            // Where nobody reads stderr, the last lines are not waited for.
            for _ in 0..LAST.as_millis() / PAUSE.as_millis() {
                if writer.is_finished() {
                    let _ = writer.join();
                    return;
                }
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Makes writers that gather one line each.
#[derive(Clone, Debug)]
struct Gather(Arc<Buffer>);

#[derive(Debug)]
struct Pending<'a> {
    buffer: &'a Buffer,
    bytes: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Gather {
    type Writer = Pending<'a>;

    fn make_writer(&'a self) -> Pending<'a> {
        Pending {
            buffer: &self.0,
            bytes: Vec::with_capacity(256),
        }
    }
}

impl io::Write for Pending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.buffer.push(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_are_set_for_all_or_by_target() {
        for (filter, target, level, logged) in [
            (None, "waypost::gateway", Level::INFO, true),
            (None, "waypost::gateway", Level::DEBUG, false),
            (Some("warn"), "waypost::gateway", Level::INFO, false),
            (
                Some("info,waypost=debug"),
                "waypost::net",
                Level::DEBUG,
                true,
            ),
            (Some("info,waypost=debug"), "hyper", Level::DEBUG, false),
            (Some("off"), "waypost", Level::ERROR, false),
            (Some("=="), "waypost", Level::INFO, true),
            (Some(""), "waypost", Level::INFO, true),
        ] {
            let found = targets(filter).would_enable(target, &level);
            assert_eq!(found, logged, "{filter:?} {target} {level}");
        }
    }
}
