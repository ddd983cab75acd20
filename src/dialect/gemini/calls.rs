//! Function calls as tool calls: whole ones, and those whose arguments come value by value.

use serde_json::value::RawValue;

use crate::chat::json::{self, Escaped, Members};
use crate::chat::{Event, Sink};
use crate::dialect::codec::Reply;
use crate::dialect::ids::made_call_id;

use super::desk::Desk;
use super::partial::Node;
use super::wire::{Call, Few, is_true, text};

/// A call whose arguments are still coming.
#[derive(Debug)]
struct Growing {
    index: u32,
    kind: Kind,
    root: Node,
}

/// What a call's arguments are to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// One string of free text.
    Custom,
    /// One value in an object of ours.
    Wrapped,
    /// The deprecated form, told at once.
    Legacy,
    /// A further call that the deprecated form cannot tell.
    Untold,
}

/// The calls of one choice.
#[derive(Debug, Default)]
pub(super) struct Calls {
    choice: u32,
    /// Their ids as the client sees them.
    pub(super) ids: Vec<String>,
    /// Signatures by call id.
    pub(super) signed: Vec<(String, String)>,
    growing: Option<Growing>,
    /// The name of the first call, for the deprecated form.
    legacy_name: String,
}

impl Calls {
    pub(super) fn new(choice: u32) -> Self {
        Self {
            choice,
            ..Self::default()
        }
    }

    /// Takes a whole call, the beginning of one, or more of the one that is open.
    pub(super) fn take(
        &mut self,
        call: &Call<'_>,
        signature: Escaped<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) {
        let name = text(call.name);
        let goes_on = is_true(call.will_continue);
        if name.is_empty() {
            // More of the open call, or the empty call that ends it.
            if let Some(growing) = &mut self.growing {
                for piece in call.partial_args.iter().flat_map(Few::iter) {
                    growing.root.put(piece);
                }
                if !goes_on {
                    self.close(desk, sink);
                }
            }
            return;
        }
        self.close(desk, sink);
        let index = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let kind = self.open(index, call, signature, desk, sink);
        if goes_on || call.partial_args.is_some() {
            let mut root = Node::object();
            for piece in call.partial_args.iter().flat_map(Few::iter) {
                root.put(piece);
            }
            self.growing = Some(Growing { index, kind, root });
            if !goes_on {
                self.close(desk, sink);
            }
            return;
        }
        self.arguments(
            index,
            kind,
            call.args.map_or("{}", RawValue::get),
            desk,
            sink,
        );
    }

    /// Begins a call: its id, its name, its signature.
    fn open(
        &mut self,
        index: u32,
        call: &Call<'_>,
        signature: Escaped<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Kind {
        let given = text(call.id);
        let mut id = given.decode().into_owned();
        if id.is_empty() || self.ids.contains(&id) {
            id = made_call_id(&desk.seed, self.choice, index);
        }
        let theirs = text(call.name).decode();
        let name = desk.reply.client_name(&theirs);
        let kind = kind(&desk.reply, index, name);
        if kind == Kind::Legacy {
            name.clone_into(&mut self.legacy_name);
        }
        if !matches!(kind, Kind::Legacy | Kind::Untold) {
            desk.scratch.clear();
            json::escape(&id, &mut desk.scratch);
            desk.escaped.clear();
            json::escape(name, &mut desk.escaped);
            let extra = format!(
                "{{\"google\":{{\"thought_signature\":\"{}\"}}}}",
                signature.as_str()
            );
            sink.event(Event::ToolStart {
                choice: self.choice,
                index,
                id: inside(&desk.scratch),
                name: inside(&desk.escaped),
                custom: kind == Kind::Custom,
                extra: (!signature.is_empty()).then_some(extra.as_str()),
            });
        }
        if !signature.is_empty() {
            self.signed
                .push((id.clone(), signature.as_str().to_owned()));
        }
        self.ids.push(id);
        kind
    }

    /// Sends the arguments of a call: compact, and as a string's inside.
    fn arguments(&self, index: u32, kind: Kind, args: &str, desk: &mut Desk, sink: &mut dyn Sink) {
        let choice = self.choice;
        let members = match kind {
            Kind::Custom | Kind::Wrapped => Members::parse(args).ok(),
            Kind::Plain | Kind::Legacy | Kind::Untold => None,
        };
        let find = |name: &str| members.as_ref().and_then(|members| members.find(name));
        if kind == Kind::Custom
            && let Some(text) = find("input").and_then(Escaped::token)
        {
            return sink.event(Event::ToolInput {
                choice,
                index,
                text,
            });
        }
        let args = match kind {
            Kind::Wrapped => find("value").map_or(args, RawValue::get),
            Kind::Plain | Kind::Custom | Kind::Legacy | Kind::Untold => args,
        };
        desk.scratch.clear();
        json::compact(args, &mut desk.scratch);
        desk.escaped.clear();
        json::escape(
            std::str::from_utf8(&desk.scratch).unwrap_or_default(),
            &mut desk.escaped,
        );
        let json = inside(&desk.escaped);
        match kind {
            Kind::Plain | Kind::Wrapped => sink.event(Event::ToolArgs {
                choice,
                index,
                json,
            }),
            Kind::Custom => sink.event(Event::ToolInput {
                choice,
                index,
                text: json,
            }),
            Kind::Legacy => {
                let mut call = b"{\"name\":".to_vec();
                json::quote(&self.legacy_name, &mut call);
                json::key("arguments", &mut call);
                json.write_quoted(&mut call);
                call.push(b'}');
                sink.event(Event::Field {
                    choice,
                    name: "function_call",
                    json: std::str::from_utf8(&call).unwrap_or("null"),
                });
            }
            Kind::Untold => {}
        }
    }

    /// Ends a call that came value by value.
    pub(super) fn close(&mut self, desk: &mut Desk, sink: &mut dyn Sink) {
        let Some(growing) = self.growing.take() else {
            return;
        };
        let mut args = Vec::new();
        growing.root.write(&mut args);
        let args = String::from_utf8(args).unwrap_or_default();
        self.arguments(growing.index, growing.kind, &args, desk, sink);
    }
}

fn kind(reply: &Reply, index: u32, name: &str) -> Kind {
    let has = |list: &[String]| list.iter().any(|known| known == name);
    if reply.legacy_functions {
        return if index == 0 {
            Kind::Legacy
        } else {
            Kind::Untold
        };
    }
    if has(&reply.custom_tools) {
        Kind::Custom
    } else if has(&reply.wrapped_tools) {
        Kind::Wrapped
    } else {
        Kind::Plain
    }
}

fn inside(bytes: &[u8]) -> Escaped<'_> {
    Escaped::trusted(std::str::from_utf8(bytes).unwrap_or_default())
}
