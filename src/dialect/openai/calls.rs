//! Tool calls of one choice, put together from fragments of every known bad habit.
//!
//! Providers leave out `index`, repeat ids and names, send one index for several calls, or whole calls at once.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{self, Members, whole_number};
use crate::chat::{Escaped, Event, Sink};

use super::super::codec::Reply;
use super::super::ids;
use super::pieces::{Call as Piece, said, words};

/// The calls of one choice.
#[derive(Debug, Default)]
pub(super) struct Calls {
    list: Vec<Call>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts about one call"
)]
#[derive(Debug)]
struct Call {
    /// The provider's own index, where it gives one.
    place: Option<u64>,
    /// The provider's id, escaped; empty where it gives none.
    given: String,
    /// The id the client sees, escaped.
    id: String,
    name: String,
    custom: bool,
    /// A function in our hands, a custom tool in the client's: its input is unpacked once whole.
    packed: bool,
    started: bool,
    has_arguments: bool,
    held: String,
}

/// What bears on reading fragments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Which choice.
    pub(super) choice: u32,
    /// The answer's id, out of which missing call ids are made.
    pub(super) answer: &'a str,
    /// What was asked.
    pub(super) reply: &'a Reply,
    /// Whether each piece is a call of its own.
    pub(super) whole: bool,
}

impl Calls {
    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The ids as the client sees them.
    pub(super) fn ids(&self) -> Vec<String> {
        let id = |call: &Call| Escaped::trusted(&call.id).decode().into_owned();
        self.list.iter().map(id).collect()
    }

    /// Whether a fragment is nothing but more arguments of a call whose index is ours.
    pub(super) fn continues(&self, piece: &Piece<'_>) -> bool {
        let place = piece.index.and_then(|raw| whole_number(raw.get()));
        let at = place.and_then(|place| usize::try_from(place).ok());
        let call = at.and_then(|at| self.list.get(at));
        let fits =
            |call: &Call| call.place == place && call.started && !call.custom && !call.packed;
        let function = piece.function.as_ref();
        let more = function.is_some_and(|f| f.name.is_none() && words(f.arguments).is_some());
        more && piece.id.is_none()
            && piece.kind.is_none()
            && piece.custom.is_none()
            && piece.extra.is_none()
            && call.is_some_and(fits)
    }

    /// Notes that a call's arguments were passed on elsewhere.
    pub(super) fn passed(&mut self, piece: &Piece<'_>) {
        let place = piece.index.and_then(|raw| whole_number(raw.get()));
        for call in self.list.iter_mut().filter(|call| call.place == place) {
            call.has_arguments = true;
        }
    }

    /// Takes a fragment.
    pub(super) fn take(&mut self, piece: &Piece<'_>, place: Place<'_>, sink: &mut dyn Sink) {
        let fresh = Fresh::of(piece);
        if fresh.is_nothing() {
            return;
        }
        let at = self.find(&fresh, place.whole);
        let index = number(at.unwrap_or(self.list.len()));
        if at.is_none() {
            self.list.push(fresh.begin(place, index));
        }
        let newest = self.list.len().saturating_sub(1);
        let Some(call) = self.list.get_mut(at.unwrap_or(newest)) else {
            return;
        };
        if call.name.is_empty() {
            call.name.push_str(fresh.name.as_str());
            call.packed = !call.custom && place.reply.custom_tools.contains(&call.name);
        }
        call.start(place.choice, index, fresh.extra, sink);
        call.add(place.choice, index, &fresh.arguments, sink);
    }

    /// Which call a fragment belongs to; `None` where it begins one.
    fn find(&self, fresh: &Fresh<'_>, whole: bool) -> Option<usize> {
        if whole {
            return None;
        }
        let other = |call: &Call| {
            let new_id =
                !fresh.id.is_empty() && !call.given.is_empty() && fresh.id.as_str() != call.given;
            let new_name = fresh.id.is_empty()
                && !fresh.name.is_empty()
                && !call.name.is_empty()
                && fresh.name.as_str() != call.name;
            new_id || new_name
        };
        let same_id = |call: &Call| !fresh.id.is_empty() && call.given == fresh.id.as_str();
        if fresh.place.is_some() {
            let at = self
                .list
                .iter()
                .rposition(|call| call.place == fresh.place)?;
            let differs = self.list.get(at).is_some_and(other);
            return if differs {
                self.list.iter().rposition(same_id)
            } else {
                Some(at)
            };
        }
        if !fresh.id.is_empty() {
            return self.list.iter().rposition(same_id);
        }
        let last = self.list.last()?;
        let begins = !fresh.name.is_empty() && (last.has_arguments || other(last));
        (!begins).then(|| self.list.len().saturating_sub(1))
    }

    /// Takes the end of the choice. A call that was `cut` off keeps what it has; another without arguments gets
    /// `{}`, as clients parse them.
    pub(super) fn finish(&mut self, choice: u32, cut: bool, sink: &mut dyn Sink) {
        for (at, call) in self.list.iter_mut().enumerate() {
            let index = number(at);
            call.started = call.started || call.announce(choice, index, None, sink);
            let held = std::mem::take(&mut call.held);
            if call.packed {
                let input = unpack(&held);
                let text = Escaped::trusted(input.as_deref().unwrap_or(&held));
                sink.event(Event::ToolInput {
                    choice,
                    index,
                    text,
                });
            } else if !held.is_empty() {
                call.say(choice, index, Escaped::trusted(&held), sink);
            } else if !call.has_arguments && !call.custom && !cut {
                call.say(choice, index, Escaped::trusted("{}"), sink);
            }
        }
    }
}

impl Call {
    fn start(&mut self, choice: u32, index: u32, extra: Option<&str>, sink: &mut dyn Sink) {
        if !self.started && !self.name.is_empty() {
            self.started = self.announce(choice, index, extra, sink);
        }
    }

    fn announce(&self, choice: u32, index: u32, extra: Option<&str>, sink: &mut dyn Sink) -> bool {
        sink.event(Event::ToolStart {
            choice,
            index,
            id: Escaped::trusted(&self.id),
            name: Escaped::trusted(&self.name),
            custom: self.custom || self.packed,
            extra,
        });
        true
    }

    fn add(&mut self, choice: u32, index: u32, text: &str, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        self.has_arguments = true;
        if self.packed || !self.started {
            self.held.push_str(text);
            return;
        }
        self.say(choice, index, Escaped::trusted(text), sink);
    }

    fn say(&self, choice: u32, index: u32, text: Escaped<'_>, sink: &mut dyn Sink) {
        let json = text;
        if self.custom {
            sink.event(Event::ToolInput {
                choice,
                index,
                text,
            });
        } else {
            sink.event(Event::ToolArgs {
                choice,
                index,
                json,
            });
        }
    }
}

/// What a fragment brings.
#[derive(Debug)]
struct Fresh<'a> {
    place: Option<u64>,
    id: Escaped<'a>,
    name: Escaped<'a>,
    custom: bool,
    arguments: Cow<'a, str>,
    extra: Option<&'a str>,
}

impl<'a> Fresh<'a> {
    fn of(piece: &Piece<'a>) -> Self {
        let named = |function: Option<&super::pieces::Function<'a>>| {
            function.and_then(|function| words(function.name))
        };
        let function = named(piece.function.as_ref());
        // An empty `custom` beside a real function is a zero value of a server written in Go.
        let custom = function.is_none()
            && piece.custom.as_ref().is_some_and(|custom| {
                words(custom.name).is_some() || words(custom.input).is_some()
            });
        let body = if custom {
            piece.custom.as_ref()
        } else {
            piece.function.as_ref()
        };
        let raw = body.and_then(|body| if custom { body.input } else { body.arguments });
        Self {
            place: piece.index.and_then(|raw| whole_number(raw.get())),
            id: words(piece.id).unwrap_or(Escaped::EMPTY),
            name: named(body).unwrap_or(Escaped::EMPTY),
            custom,
            arguments: arguments(raw),
            extra: said(piece.extra).map(RawValue::get),
        }
    }

    fn is_nothing(&self) -> bool {
        self.id.is_empty() && self.name.is_empty() && self.arguments.is_empty()
    }

    fn begin(&self, place: Place<'_>, index: u32) -> Call {
        let id = if self.id.is_empty() {
            ids::made_call_id(place.answer, place.choice, index)
        } else {
            self.id.as_str().to_owned()
        };
        Call {
            place: self.place,
            given: self.id.as_str().to_owned(),
            id,
            name: String::new(),
            custom: self.custom,
            packed: false,
            started: false,
            has_arguments: false,
            held: String::new(),
        }
    }
}

/// Arguments as the inside of a JSON string; some servers send the object itself.
pub(super) fn arguments(raw: Option<&RawValue>) -> Cow<'_, str> {
    let Some(raw) = said(raw) else {
        return Cow::Borrowed("");
    };
    if let Some(text) = Escaped::token(raw) {
        return Cow::Borrowed(text.as_str());
    }
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    json::compact(raw.get(), &mut plain);
    json::escape(&String::from_utf8_lossy(&plain), &mut out);
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// The `input` of arguments that are `{"input": …}`, escaped.
fn unpack(arguments: &str) -> Option<String> {
    let text = Escaped::trusted(arguments).decode();
    let members = Members::parse(&text).ok()?;
    let input = members.find("input").and_then(Escaped::token)?;
    Some(input.as_str().to_owned())
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
