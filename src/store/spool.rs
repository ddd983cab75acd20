//! What is under way, in a file of fixed places beside the ledger: one place per attempt that has no row yet.
//!
//! An intent is written to its own place with one `write` and is then safe from a killed process; a place is used
//! again once the row of its attempt is committed. So the file never grows beyond what was ever open at once, and
//! after a crash whatever it holds and the ledger does not was open.
//!
//! Each process has a file of its own, locked for as long as it runs; a file whose lock is free belongs to the dead.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::account::Intent;

/// The bytes of a place.
pub const PLACE: usize = 2_048;
/// What stands before an intent's text: a mark, its length, its checksum.
const HEAD: usize = 12;
const MARK: &[u8; 4] = b"wpi1";
/// How many processes may share a ledger.
const FILES: usize = 32;

/// The file of this process.
#[derive(Debug)]
pub struct Spool {
    file: File,
    path: PathBuf,
}

/// What the dead have left.
#[derive(Debug, Default)]
pub struct Left {
    /// Intents that may have no row.
    pub intents: Vec<Intent>,
    /// Their files, locked until they are cleared.
    pub files: Vec<Spool>,
}

/// Whether there is anything of a process that did not end well, without touching it.
#[must_use]
pub fn is_anything_left(ledger: &Path) -> bool {
    (0..FILES).any(|number| {
        let facts = std::fs::metadata(name(ledger, number));
        facts.is_ok_and(|facts| facts.len() > 0)
    })
}

/// Reads what is under way in all processes that share the ledger, and what was: a place that is free still has its
/// last call in it. So many places of each file are looked at.
pub(super) fn look(ledger: &Path, most: u64) -> Vec<Intent> {
    let files = (0..FILES).filter_map(|number| File::open(name(ledger, number)).ok());
    files
        .flat_map(|file| intents_in(&file, most).unwrap_or_default())
        .collect()
}

/// Locks a file for this process, and every file of the dead.
///
/// # Errors
/// Where no file can be had.
pub fn claim(ledger: &Path) -> io::Result<(Spool, Left)> {
    let mut left = Left::default();
    let mut own = None;
    for number in 0..FILES {
        let path = name(ledger, number);
        if own.is_some() && !path.exists() {
            continue;
        }
        let Some(spool) = Spool::lock(path)? else {
            continue;
        };
        if spool.file.metadata()?.len() > 0 {
            left.intents.extend(spool.read()?);
            left.files.push(spool);
        } else if own.is_none() {
            own = Some(spool);
        }
    }
    let none = || io::Error::other("too many processes share it");
    let own = own.or_else(|| left.files.pop());
    own.map(|own| (own, left)).ok_or_else(none)
}

fn name(ledger: &Path, number: usize) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(format!("-open-{number}"));
    PathBuf::from(name)
}

impl Spool {
    /// Opens a file and locks it; `None` where another process holds it.
    fn lock(path: PathBuf) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let file = options.open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file, path })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes an intent to its place.
    ///
    /// # Errors
    /// Where the disk is full or away. The place then holds nothing that can be read.
    pub fn put(&self, place: u32, intent: &Intent) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(&[0; HEAD]);
        serde_json::to_writer(&mut bytes, intent)?;
        if bytes.len() > PLACE {
            return Err(io::Error::other("the names of the call are too long"));
        }
        let (head, text) = bytes.split_at_mut(HEAD);
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let sum = crc32fast::hash(text);
        let words = [*MARK, length.to_le_bytes(), sum.to_le_bytes()];
        for (to, from) in head.iter_mut().zip(words.as_flattened()) {
            *to = *from;
        }
        self.file
            .write_all_at(&bytes, u64::from(place) * PLACE as u64)
    }

    /// Makes a place hold nothing.
    ///
    /// # Errors
    /// Where the disk is away.
    pub fn erase(&self, place: u32) -> io::Result<()> {
        self.file
            .write_all_at(&[0; HEAD], u64::from(place) * PLACE as u64)
    }

    /// Every intent that can be read. A place that was being written when the process ended holds none: nothing was
    /// sent for it.
    fn read(&self) -> io::Result<Vec<Intent>> {
        intents_in(&self.file, u64::MAX)
    }

    /// Waits until the disk has what was written.
    ///
    /// # Errors
    /// Where the disk could not take it.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// Where the file cannot be cut.
    pub fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn intents_in(file: &File, most: u64) -> io::Result<Vec<Intent>> {
    let places = file.metadata()?.len().div_ceil(PLACE as u64);
    let mut intents = Vec::new();
    let mut bytes = vec![0; PLACE];
    for place in 0..places.min(most) {
        let read = file.read_at(&mut bytes, place * PLACE as u64)?;
        intents.extend(bytes.get(..read).and_then(intent_of));
    }
    Ok(intents)
}

fn intent_of(bytes: &[u8]) -> Option<Intent> {
    let (mark, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let text = rest.get(..length).filter(|_| mark == MARK)?;
    let whole = crc32fast::hash(text) == u32::from_le_bytes(*sum);
    whole.then(|| serde_json::from_slice(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{CallId, Money};

    fn intent(number: u32) -> Intent {
        Intent {
            call: CallId::new(u64::from(number), 1),
            attempt: 1,
            at: u64::from(number),
            party: crate::account::entry::Party::default(),
            provider: "p".into(),
            model: "m".into(),
            strategy: None,
            reason: "forced".into(),
            estimate: None,
            bound: Some(Money::nano(5)),
        }
    }

    fn ledger() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("waypost-spool-{}", fastrand::u64(..)));
        std::fs::create_dir_all(&folder).expect("folder");
        folder.join("waypost.db")
    }

    #[test]
    fn what_a_dead_process_left_is_read_by_the_next() {
        let ledger = ledger();
        let (own, left) = claim(&ledger).expect("own");
        assert!(left.intents.is_empty() && !is_anything_left(&ledger));
        for place in [0, 3] {
            own.put(place, &intent(place)).expect("put");
        }
        let (other, none) = claim(&ledger).expect("a second process has its own");
        assert!(none.intents.is_empty(), "the first one lives");
        assert_ne!(own.path(), other.path());
        drop((own, other));
        assert!(is_anything_left(&ledger));
        let (_own, left) = claim(&ledger).expect("own");
        assert_eq!(left.intents, [intent(0), intent(3)]);
        assert_eq!(left.files.len(), 1);
    }

    #[test]
    fn a_torn_place_holds_nothing_and_harms_no_other() {
        let ledger = ledger();
        let (own, _) = claim(&ledger).expect("own");
        for place in 0..3 {
            own.put(place, &intent(place)).expect("put");
        }
        own.file
            .write_all_at(b"torn", PLACE as u64 + 20)
            .expect("tear");
        own.file.set_len(2 * PLACE as u64 + 40).expect("cut");
        assert_eq!(own.read().expect("read"), [intent(0)]);
        own.put(1, &intent(9)).expect("put");
        assert_eq!(own.read().expect("read"), [intent(0), intent(9)]);
        own.clear().expect("clear");
        assert!(own.read().expect("read").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..PLACE)) {
            let _ = intent_of(&bytes);
        }
    }
}
