//! JSON schemas as Anthropic's grammar takes them: what it cannot check moves into descriptions.
//!
//! Works on raw slices, member by member in the client's order, so that the same schema always gives the same bytes.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::chat::Escaped;
use crate::chat::json::{Members, comma, compact, elements, escape, key, member};

use super::super::defs::{is_object, renamed_reference};

/// String formats that the grammar checks (Anthropic's page on structured outputs).
const FORMATS: [&str; 10] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// Annotations that say nothing to a model.
const IDLE: [&str; 6] = [
    "$schema",
    "$id",
    "$comment",
    "examples",
    "deprecated",
    "$anchor",
];

/// A schema within the subset.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// The schema.
    pub(crate) json: String,
    /// Whether something of it cannot be expressed: an object with free keys, any value at all, or recursion.
    pub(crate) open: bool,
    /// Whether anything had to be changed.
    pub(crate) changed: bool,
}

/// Fits a schema into the subset.
pub(crate) fn fit(raw: &RawValue) -> Fitted {
    let mut walk = Walk::default();
    let mut out = Vec::with_capacity(raw.get().len());
    walk.node(raw, &mut out);
    Fitted {
        json: String::from_utf8(out).unwrap_or_default(),
        open: walk.open || walk.recurses(),
        changed: walk.changed,
    }
}

#[derive(Debug, Default)]
struct Walk {
    open: bool,
    changed: bool,
    /// The definition being walked, and every reference seen: from where, to where.
    within: String,
    edges: BTreeSet<(String, String)>,
}

impl Walk {
    fn node(&mut self, raw: &RawValue, out: &mut Vec<u8>) {
        let members = Members::parse(raw.get()).unwrap_or_default();
        if members.0.is_empty() {
            // `true`, `{}`: any value at all.
            self.open = true;
            out.extend_from_slice(b"{}");
            return;
        }
        out.push(b'{');
        let mut notes = Vec::new();
        for (name, value) in &members.0 {
            self.keyword(name, value, &mut notes, out);
        }
        self.describe(members.find("description"), &notes, out);
        if is_object(&members) {
            self.close(&members, out);
        }
        out.push(b'}');
    }

    fn keyword(
        &mut self,
        name: &str,
        value: &RawValue,
        notes: &mut Vec<String>,
        out: &mut Vec<u8>,
    ) {
        match name {
            "type" | "required" | "enum" | "const" | "title" | "default" => {
                key(name, out);
                compact(value.get(), out);
            }
            "$ref" => self.reference(value, out),
            "properties" => self.map(name, value, out),
            "$defs" => self.definitions(value, out),
            "definitions" => {
                self.changed = true;
                self.definitions(value, out);
            }
            "items" if elements(value).is_none() => {
                key(name, out);
                self.node(value, out);
            }
            "anyOf" | "allOf" => self.list(name, value, out),
            "oneOf" => {
                self.changed = true;
                self.list("anyOf", value, out);
            }
            "format" if is_known_format(value) => member(name, value.get(), out),
            "pattern" if !value.get().contains("(?") => member(name, value.get(), out),
            "minItems" if matches!(value.get(), "0" | "1") => member(name, value.get(), out),
            "description" | "additionalProperties" => {}
            "patternProperties" => self.open = true,
            _ if IDLE.contains(&name) => self.changed = true,
            _ => {
                let mut note = format!("{name}: ").into_bytes();
                compact(value.get(), &mut note);
                notes.push(String::from_utf8(note).unwrap_or_default());
            }
        }
    }

    fn reference(&mut self, value: &RawValue, out: &mut Vec<u8>) {
        let target = renamed_reference(value.get());
        self.changed |= target != value.get();
        let to = target
            .trim_matches('"')
            .trim_start_matches("#/$defs/")
            .to_owned();
        self.edges.insert((self.within.clone(), to));
        member("$ref", &target, out);
    }

    fn definitions(&mut self, value: &RawValue, out: &mut Vec<u8>) {
        key("$defs", out);
        out.push(b'{');
        for (name, value) in Members::parse(value.get()).unwrap_or_default().0 {
            key(&name, out);
            let outer = std::mem::replace(&mut self.within, name.into_owned());
            self.node(value, out);
            self.within = outer;
        }
        out.push(b'}');
    }

    fn map(&mut self, name: &str, value: &RawValue, out: &mut Vec<u8>) {
        key(name, out);
        out.push(b'{');
        for (name, value) in Members::parse(value.get()).unwrap_or_default().0 {
            key(&name, out);
            self.node(value, out);
        }
        out.push(b'}');
    }

    fn list(&mut self, name: &str, value: &RawValue, out: &mut Vec<u8>) {
        key(name, out);
        out.push(b'[');
        for value in elements(value).unwrap_or_default() {
            comma(out);
            self.node(value, out);
        }
        out.push(b']');
    }

    fn describe(&mut self, said: Option<&RawValue>, notes: &[String], out: &mut Vec<u8>) {
        self.changed |= !notes.is_empty();
        let said = said.and_then(Escaped::token).unwrap_or(Escaped::EMPTY);
        if said.is_empty() && notes.is_empty() {
            return;
        }
        key("description", out);
        out.push(b'"');
        out.extend_from_slice(said.as_str().as_bytes());
        if !notes.is_empty() {
            let gap = if said.is_empty() { "" } else { " " };
            escape(&format!("{gap}({})", notes.join(", ")), out);
        }
        out.push(b'"');
    }

    /// Every object must refuse further keys. One that takes any keys by its nature cannot be expressed.
    fn close(&mut self, members: &Members<'_>, out: &mut Vec<u8>) {
        let more = members.find("additionalProperties").map(RawValue::get);
        match more {
            Some("false") => {}
            Some(_) => self.open = true,
            None => {
                self.changed = true;
                self.open |= members.find("properties").is_none();
            }
        }
        member("additionalProperties", "false", out);
    }

    /// Whether a definition leads back to itself, or to the root.
    fn recurses(&self) -> bool {
        let starts: BTreeSet<&str> = self.edges.iter().map(|(from, _)| from.as_str()).collect();
        starts.into_iter().any(|start| {
            let mut reached: BTreeSet<&str> = BTreeSet::from([start]);
            let mut fresh = vec![start];
            while let Some(at) = fresh.pop() {
                for (_, to) in self.edges.iter().filter(|(from, _)| from == at) {
                    let to = if to == "#" { "" } else { to.as_str() };
                    if to == start {
                        return true;
                    }
                    if reached.insert(to) {
                        fresh.push(to);
                    }
                }
            }
            false
        })
    }
}

fn is_known_format(value: &RawValue) -> bool {
    let format = Escaped::token(value).map(Escaped::as_str);
    format.is_some_and(|format| FORMATS.contains(&format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(schema: &str) -> Fitted {
        fit(&RawValue::from_string(schema.to_owned()).unwrap())
    }

    #[test]
    fn constraints_move_into_descriptions() {
        // E-66 and the row of H.14.
        let table = [
            (
                r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"required":["a"],"additionalProperties":false}"#,
                r#"{"type":"object","properties":{"a":{"type":"integer","description":"(minimum: 1)"}},"required":["a"],"additionalProperties":false}"#,
                false,
            ),
            (
                r#"{"type":"array","items":{"type":"string","description":"x","maxLength":5,"format":"iban"},"uniqueItems":true,"minItems":1}"#,
                r#"{"type":"array","items":{"type":"string","description":"x (maxLength: 5, format: \"iban\")"},"minItems":1,"description":"(uniqueItems: true)"}"#,
                false,
            ),
            (
                r##"{"$ref":"#/definitions/A","definitions":{"A":{"oneOf":[{"type":"null"},{"type":"string","format":"date"}]}}}"##,
                r##"{"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"null"},{"type":"string","format":"date"}]}}}"##,
                false,
            ),
            // E-68.
            (
                r#"{"type":"object","properties":{"a":true}}"#,
                r#"{"type":"object","properties":{"a":{}},"additionalProperties":false}"#,
                true,
            ),
            (
                r#"{"type":"object"}"#,
                r#"{"type":"object","additionalProperties":false}"#,
                true,
            ),
            (
                r#"{"type":"object","properties":{},"additionalProperties":{"type":"string"}}"#,
                r#"{"type":"object","properties":{},"additionalProperties":false}"#,
                true,
            ),
            (
                r##"{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}},"additionalProperties":false}}}"##,
                r##"{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}},"additionalProperties":false}}}"##,
                true,
            ),
        ];
        for (schema, json, open) in table {
            let found = fitted(schema);
            assert_eq!(
                found.json.replace("\\\"", "\""),
                json.replace("\\\"", "\""),
                "{schema}"
            );
            assert_eq!(found.open, open, "{schema}");
            assert!(serde_json::from_str::<serde_json::Value>(&found.json).is_ok());
        }
        let fits = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
        assert_eq!(
            fitted(fits),
            Fitted {
                json: fits.to_owned(),
                open: false,
                changed: false
            }
        );
    }
}
