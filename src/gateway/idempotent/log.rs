//! An answer as it is written, for all who read it: each from its beginning, at a pace of its own.
//!
//! Up to a bound all of it is kept, and the writer waits for nobody. A longer one is let go from its beginning: nobody
//! can join it any more, and the writer keeps step with the slowest who reads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// What an answer may weigh to be kept, in bytes.
pub const LONGEST: usize = 8 * 1024 * 1024;

/// How far the writer of a longer one may be ahead, in bytes.
const AHEAD: usize = 256 * 1024;

/// What all answers weigh together, those that are still written included.
#[derive(Debug)]
pub struct Room {
    used: AtomicUsize,
    most: usize,
}

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            most,
        }
    }

    /// Takes some; says whether there is too little.
    fn take(&self, bytes: usize) -> bool {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) > self.most
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// An answer.
#[derive(Debug)]
pub struct Log {
    /// The id of the call that gives it.
    pub call: String,
    room: Arc<Room>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    head: Option<(StatusCode, HeaderMap)>,
    /// How many pieces were let go.
    gone: usize,
    pieces: VecDeque<Bytes>,
    /// The bytes of those that are here.
    bytes: usize,
    overlong: bool,
    end: Option<End>,
    readers: Vec<Place>,
    next: u64,
    writer: Option<Waker>,
}

/// Where a reader is.
#[derive(Debug)]
struct Place {
    id: u64,
    at: usize,
    waker: Option<Waker>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is whole.
    Whole,
    /// It broke off.
    Aborted,
}

/// What was read.
#[derive(Debug)]
pub enum Read {
    /// A piece.
    Piece(Bytes),
    /// There is no more.
    End(End),
}

/// Whether an answer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// It is.
    Kept,
    /// It is too long for that.
    Over,
}

impl Log {
    /// An empty one, for the answer of a call.
    #[must_use]
    pub fn new(call: String, room: Arc<Room>) -> Self {
        Self {
            call,
            room,
            state: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the head.
    pub fn head(&self, status: StatusCode, headers: HeaderMap) {
        let mut state = self.held();
        state.head = Some((status, headers));
        state.wake();
    }

    /// Writes a piece.
    pub fn piece(&self, piece: Bytes) -> Length {
        let crowded = self.room.take(piece.len());
        let mut state = self.held();
        state.bytes = state.bytes.saturating_add(piece.len());
        state.pieces.push_back(piece);
        state.overlong |= state.bytes > LONGEST || crowded;
        self.room.give(state.forget());
        state.wake();
        if state.overlong {
            Length::Over
        } else {
            Length::Kept
        }
    }

    /// Waits until more may be written; `Err` where nobody reads what nobody can read later.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let mut state = self.held();
        if !state.overlong {
            return Poll::Ready(Ok(()));
        }
        if state.readers.is_empty() {
            return Poll::Ready(Err(()));
        }
        if state.bytes <= AHEAD {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends it; the first end holds.
    pub fn end(&self, end: End) {
        let mut state = self.held();
        state.end.get_or_insert(end);
        state.wake();
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.held().end
    }

    /// What it weighs, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.held().bytes
    }

    /// Somebody who reads it from its beginning; `None` where that is gone.
    #[must_use]
    pub fn reader(self: &Arc<Self>) -> Option<Reader> {
        let mut state = self.held();
        if state.overlong {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.readers.push(Place {
            id,
            at: 0,
            waker: None,
        });
        drop(state);
        Some(Reader {
            log: Arc::clone(self),
            id,
        })
    }
}

impl State {
    fn wake(&mut self) {
        for place in &mut self.readers {
            if let Some(waker) = place.waker.take() {
                waker.wake();
            }
        }
    }

    /// Lets go of what everybody has read, where the whole is not kept; says how many bytes that were.
    fn forget(&mut self) -> usize {
        if !self.overlong {
            return 0;
        }
        let before = self.bytes;
        let read = self.readers.iter().map(|place| place.at).min();
        let read = read.unwrap_or(usize::MAX);
        while self.gone < read
            && let Some(piece) = self.pieces.pop_front()
        {
            self.gone += 1;
            self.bytes = self.bytes.saturating_sub(piece.len());
        }
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        before.saturating_sub(self.bytes)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let held = self.weight();
        self.room.give(held);
    }
}

/// Somebody who reads an answer.
#[derive(Debug)]
pub struct Reader {
    log: Arc<Log>,
    id: u64,
}

impl Reader {
    /// The id of the call that gives the answer.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.log.call
    }

    /// Waits for the head.
    pub fn poll_head(&self, cx: &mut Context<'_>) -> Poll<(StatusCode, HeaderMap)> {
        let mut state = self.log.held();
        if let Some((status, headers)) = &state.head {
            return Poll::Ready((*status, headers.clone()));
        }
        if state.end.is_some() {
            // The call was given up without a word.
            return Poll::Ready((StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new()));
        }
        if let Some(place) = state.readers.iter_mut().find(|place| place.id == self.id) {
            place.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits for the next piece.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        let mut held = self.log.held();
        let state = &mut *held;
        let Some(place) = state.readers.iter_mut().find(|place| place.id == self.id) else {
            return Poll::Ready(Read::End(End::Aborted));
        };
        let piece = place.at.checked_sub(state.gone);
        let piece = piece.and_then(|at| state.pieces.get(at)).cloned();
        if let Some(piece) = piece {
            place.at += 1;
            self.log.room.give(state.forget());
            return Poll::Ready(Read::Piece(piece));
        }
        if let Some(end) = state.end {
            return Poll::Ready(Read::End(end));
        }
        place.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.log.held();
        state.readers.retain(|place| place.id != self.id);
        self.log.room.give(state.forget());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: usize) -> Bytes {
        Bytes::from(vec![b'x'; bytes])
    }

    #[test]
    fn where_there_is_no_room_an_answer_goes_through_and_all_is_given_back() {
        let room = Arc::new(Room::new(250));
        let used = || room.used.load(Ordering::Relaxed);
        let kept = Arc::new(Log::new("req_1".to_owned(), Arc::clone(&room)));
        assert_eq!(kept.piece(piece(200)), Length::Kept);
        let crowded = Arc::new(Log::new("req_2".to_owned(), Arc::clone(&room)));
        let mut reader = crowded.reader().unwrap();
        assert_eq!(crowded.piece(piece(100)), Length::Over);
        assert_eq!(used(), 300, "it waits for its reader");
        assert!(crowded.reader().is_none(), "nobody can join");
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(
            reader.poll_read(&mut cx),
            Poll::Ready(Read::Piece(_))
        ));
        assert_eq!(used(), 200);
        drop(reader);
        assert!(crowded.poll_room(&mut cx) == Poll::Ready(Err(())));
        drop((crowded, kept));
        assert_eq!(used(), 0);
    }
}
