//! Arguments that come value by value, each with its JSON path: put together to one object.
//!
//! Seen of Vertex (`streamFunctionCallArguments`); a string may come in several pieces at the same path.

use crate::chat::json::{self, Escaped};

use super::wire::{Piece, text};

/// An object that grows.
#[derive(Debug)]
pub(super) enum Node {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// The inside of a string, escaped.
    Text(String),
    /// Any other JSON.
    Plain(String),
}

/// The longest array that a path may make.
const MAX_ITEMS: usize = 100_000;

impl Node {
    /// An empty object.
    pub(super) const fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Puts a piece where it belongs; what has no readable path is left out.
    pub(super) fn put(&mut self, piece: &Piece<'_>) {
        let path = text(piece.json_path).decode();
        let Some(steps) = steps(&path) else { return };
        let mut node = self;
        for step in steps {
            let Some(next) = node.enter(&step) else {
                return;
            };
            node = next;
        }
        if let Some(text) = piece.string_value.and_then(Escaped::token) {
            node.append(text);
        } else {
            let plain = piece.number_value.or(piece.bool_value);
            *node = Self::Plain(plain.map_or("null", |raw| raw.get()).to_owned());
        }
    }

    fn append(&mut self, text: Escaped<'_>) {
        if let Self::Text(known) = self {
            known.push_str(text.as_str());
        } else {
            *self = Self::Text(text.as_str().to_owned());
        }
    }

    /// The node one step down, made where it is not there yet.
    fn enter(&mut self, step: &Step) -> Option<&mut Self> {
        match step {
            Step::Name(name) => {
                if !matches!(self, Self::Object(_)) {
                    *self = Self::object();
                }
                let Self::Object(members) = self else {
                    return None;
                };
                let at = members.iter().position(|(known, _)| known == name);
                if at.is_none() {
                    members.push((name.clone(), Self::null()));
                }
                let at = at.unwrap_or_else(|| members.len().saturating_sub(1));
                members.get_mut(at).map(|(_, node)| node)
            }
            Step::At(at) => {
                if !matches!(self, Self::Array(_)) {
                    *self = Self::Array(Vec::new());
                }
                let Self::Array(items) = self else {
                    return None;
                };
                while items.len() <= *at {
                    items.push(Self::null());
                }
                items.get_mut(*at)
            }
        }
    }

    fn null() -> Self {
        Self::Plain("null".to_owned())
    }

    /// Writes the JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Object(members) => {
                out.push(b'{');
                for (name, node) in members {
                    json::key(name, out);
                    node.write(out);
                }
                out.push(b'}');
            }
            Self::Array(items) => {
                out.push(b'[');
                for item in items {
                    json::comma(out);
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Text(text) => Escaped::trusted(text).write_quoted(out),
            Self::Plain(json) => out.extend_from_slice(json.as_bytes()),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    At(usize),
}

/// Reads `$.a['b c'][0].d`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at_checked(end)?;
            (Step::Name(name.to_owned()), after)
        } else {
            bracket(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn bracket(inside: &str) -> Option<(Step, &str)> {
    for quote in ["'", "\""] {
        if let Some(name) = inside.strip_prefix(quote) {
            let (name, after) = name.split_once(&format!("{quote}]"))?;
            return Some((Step::Name(name.to_owned()), after));
        }
    }
    let (number, after) = inside.split_once(']')?;
    let at = number.parse().ok().filter(|at| *at < MAX_ITEMS)?;
    Some((Step::At(at), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_where_their_paths_say() {
        let pieces = [
            r#"{"jsonPath":"$.list[0].name","stringValue":"Sa","willContinue":true}"#,
            r#"{"jsonPath":"$.list[0].name","stringValue":"lt\n"}"#,
            r#"{"jsonPath":"$.list[1]","numberValue":1e400}"#,
            r#"{"jsonPath":"$['a b'].c","boolValue":false}"#,
            r#"{"jsonPath":"$.none","nullValue":"NULL_VALUE"}"#,
            r#"{"jsonPath":"nonsense","stringValue":"x"}"#,
        ];
        let mut root = Node::object();
        for piece in pieces {
            root.put(&serde_json::from_str(piece).unwrap());
        }
        let mut out = Vec::new();
        root.write(&mut out);
        let expected = r#"{"list":[{"name":"Salt\n"},1e400],"a b":{"c":false},"none":null}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
