//! An attempt that is out and says nothing, or nothing more, while others may be asked beside it: it may still speak.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;

use crate::chat::Error;
use crate::dialect::{Stop, limits};
use crate::net::Upstream;
use crate::route::{self, Candidate, Next};

use super::aside::Attempted;
use super::broken::error_of;
use crate::gateway::dispatch::{Came, Sending};
use crate::gateway::ending::Heard;
use crate::gateway::failed::{Lost, header_map, refusal, stopped, texts, unreachable};
use crate::gateway::feed::{Ear, Feed, Step};
use crate::gateway::listen::differs;
use crate::gateway::reader::Reader;
use crate::gateway::receive::Received;
use crate::gateway::shared::Shared;
use crate::gateway::voice::Voice;

/// One that is silent.
#[derive(Debug)]
pub struct Silent {
    stage: Stage,
    /// Since when.
    pub since: Instant,
    /// How much of the answer had come before.
    words: u64,
    /// What the client gets of its head.
    carried: HeaderMap,
}

/// How far it has come.
enum Stage {
    /// There is no head yet.
    Unheaded(Sending, Box<Ahead>),
    /// There is a head, and no byte behind it.
    Unread(Box<Upstream>, Box<Ahead>),
    /// It is read, and says nothing.
    Unheard(Box<Feed<Voice>>),
    /// It is dead, or was taken.
    Over,
}

/// What it takes to hear an answer whenever it comes.
#[derive(Debug)]
pub struct Ahead {
    /// Reads it.
    pub reader: Reader,
    /// Listens to it.
    pub ear: Ear<Voice>,
    /// Whether it must be known piece by piece.
    pub apart: bool,
    /// Whose it is.
    pub candidate: Candidate,
    /// What it answers.
    pub received: Arc<Received>,
}

/// How one that was silent died.
#[derive(Clone, Debug)]
pub enum Dead {
    /// Before anything of it was heard.
    Lost(Lost),
    /// In its midst; others may be asked, or not.
    Broke(Error, Next),
    /// It is another answer than the one that it should carry on.
    Differs,
}

impl fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unheaded(..) => "Unheaded",
            Self::Unread(..) => "Unread",
            Self::Unheard(_) => "Unheard",
            Self::Over => "Over",
        })
    }
}

impl Dead {
    /// Whether others may do better.
    #[must_use]
    pub fn leads_on(&self) -> bool {
        match self {
            Self::Lost(Lost::Failed(failure, _)) => route::next(failure) == Next::Try,
            Self::Broke(_, next) => *next == Next::Try,
            Self::Lost(Lost::Refused(_)) | Self::Differs => true,
        }
    }

    /// What it died of.
    #[must_use]
    pub fn error(&self) -> Error {
        match self {
            Self::Lost(Lost::Failed(failure, _)) => failure.error(),
            Self::Lost(Lost::Refused(error)) | Self::Broke(error, _) => error.clone(),
            Self::Differs => differs(),
        }
    }
}

impl Silent {
    /// One without a head.
    #[must_use]
    pub fn unheaded(sending: Sending, ahead: Ahead, since: Instant) -> Self {
        Self::at(Stage::Unheaded(sending, Box::new(ahead)), since)
    }

    /// One without a byte behind its head.
    #[must_use]
    pub fn unread(upstream: Upstream, ahead: Ahead, since: Instant) -> Self {
        Self::at(Stage::Unread(Box::new(upstream), Box::new(ahead)), since)
    }

    /// One that says nothing, or nothing more.
    #[must_use]
    pub fn unheard(feed: Box<Feed<Voice>>, since: Instant) -> Self {
        let words = feed.ear.words;
        Self {
            words,
            ..Self::at(Stage::Unheard(feed), since)
        }
    }

    fn at(stage: Stage, since: Instant) -> Self {
        Self {
            stage,
            since,
            words: 0,
            carried: HeaderMap::new(),
        }
    }

    /// With what the client gets of its head.
    #[must_use]
    pub fn told(self, carried: HeaderMap) -> Self {
        Self { carried, ..self }
    }

    /// The voice that it would speak with.
    #[must_use]
    pub fn voice(&self) -> Option<&Voice> {
        match &self.stage {
            Stage::Unheaded(_, ahead) | Stage::Unread(_, ahead) => Some(&ahead.ear.writer),
            Stage::Unheard(feed) => Some(&feed.ear.writer),
            Stage::Over => None,
        }
    }

    /// What was heard of it; `None` where that is nothing at all.
    #[must_use]
    pub fn heard(&self) -> Option<Heard> {
        match &self.stage {
            Stage::Unheard(feed) if feed.ear.events > 0 => Some(feed.heard()),
            Stage::Unheaded(..) | Stage::Unread(..) | Stage::Unheard(_) | Stage::Over => None,
        }
    }

    /// Whether it has said anything of an answer.
    #[must_use]
    pub fn has_spoken(&self) -> bool {
        matches!(&self.stage, Stage::Unheard(feed) if feed.ear.has_spoken())
    }

    /// The feed of one that is read, with what the client gets of its head.
    #[must_use]
    pub fn feed(self) -> Option<(Box<Feed<Voice>>, HeaderMap)> {
        match self.stage {
            Stage::Unheard(feed) => Some((feed, self.carried)),
            Stage::Unheaded(..) | Stage::Unread(..) | Stage::Over => None,
        }
    }

    /// Waits for it to speak, or to come to its end.
    ///
    /// # Errors
    /// Why it never will.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        (attempted, shared): (&mut Attempted, &Shared),
    ) -> Poll<Result<(), Dead>> {
        loop {
            let stage = std::mem::replace(&mut self.stage, Stage::Over);
            let step = match stage {
                Stage::Unheaded(sending, ahead) => {
                    self.head(sending, ahead, cx, (attempted, shared))
                }
                Stage::Unread(upstream, ahead) => self.first(upstream, ahead, cx, shared),
                Stage::Unheard(feed) => {
                    self.stage = Stage::Unheard(feed);
                    return self.hear(cx, (attempted, shared));
                }
                Stage::Over => return Poll::Pending,
            };
            if let Err(lost) = ready!(step) {
                return Poll::Ready(Err(Dead::Lost(lost)));
            }
        }
    }

    fn head(
        &mut self,
        mut sending: Sending,
        ahead: Box<Ahead>,
        cx: &mut Context<'_>,
        (attempted, shared): (&mut Attempted, &Shared),
    ) -> Poll<Result<(), Lost>> {
        let Poll::Ready(arrived) = Pin::new(&mut sending).poll(cx) else {
            self.stage = Stage::Unheaded(sending, ahead);
            return Poll::Pending;
        };
        attempted.again = attempted.again.saturating_add(arrived.again);
        let mut upstream = match arrived.came? {
            Came::Answer(upstream) => upstream,
            Came::Refusal(said) => {
                let whose = (&ahead.candidate, ahead.reader.dialect);
                let said = (&*said, &*ahead.received);
                return Poll::Ready(Err(refusal(shared, whose, said)));
            }
        };
        let carried = limits::carried(texts(&upstream.headers), shared.clock.unix());
        attempted.has_head(&carried, shared.clock.now());
        upstream.headers = HeaderMap::new();
        self.carried = header_map(carried);
        self.stage = Stage::Unread(Box::new(upstream), ahead);
        Poll::Ready(Ok(()))
    }

    fn first(
        &mut self,
        mut upstream: Box<Upstream>,
        ahead: Box<Ahead>,
        cx: &mut Context<'_>,
        shared: &Shared,
    ) -> Poll<Result<(), Lost>> {
        let Poll::Ready(read) = upstream.poll_bytes(cx) else {
            self.stage = Stage::Unread(upstream, ahead);
            return Poll::Pending;
        };
        let Ahead {
            reader,
            ear,
            apart,
            candidate,
            ..
        } = *ahead;
        let name = &candidate.provider.name;
        let first = match read {
            None => Bytes::new(),
            Some(read) => read.map_err(|wire| unreachable(name, wire))?,
        };
        self.since = shared.clock.now();
        let mut feed = reader.feed(*upstream, ear, (&candidate, apart, &first));
        feed.push(&first).map_err(|stop| stopped(name, stop))?;
        self.stage = Stage::Unheard(feed);
        Poll::Ready(Ok(()))
    }

    fn hear(
        &mut self,
        cx: &mut Context<'_>,
        (attempted, shared): (&Attempted, &Shared),
    ) -> Poll<Result<(), Dead>> {
        let Stage::Unheard(feed) = &mut self.stage else {
            return Poll::Pending;
        };
        loop {
            if feed.ear.differs() {
                return Poll::Ready(Err(Dead::Differs));
            }
            if feed.ear.words > self.words && feed.ear.writer.has_output() {
                return Poll::Ready(Ok(()));
            }
            let before = feed.ear.events;
            match ready!(feed.poll_step(cx)) {
                Step::End if feed.ear.differs() => return Poll::Ready(Err(Dead::Differs)),
                Step::End => return Poll::Ready(Ok(())),
                Step::Fed if feed.ear.events == before => {}
                Step::Fed => self.since = shared.clock.now(),
                Step::Stop(stop) if feed.ear.has_spoken() => {
                    return Poll::Ready(Err(broke(stop, attempted.provider())));
                }
                Step::Stop(stop) => {
                    let failure = stopped(attempted.provider(), stop);
                    return Poll::Ready(Err(Dead::Lost(failure.into())));
                }
            }
        }
    }
}

fn broke(stop: Stop, provider: &str) -> Dead {
    let next = match &stop {
        Stop::Failed(failure) => route::next(failure),
        Stop::Truncated | Stop::Malformed(_) => Next::Try,
    };
    Dead::Broke(error_of(stop, provider), next)
}
