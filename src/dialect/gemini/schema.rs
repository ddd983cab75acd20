//! JSON schemas: almost as they are for today's models, cut down to a subset of `OpenAPI` for old ones.
//!
//! The subset is <https://ai.google.dev/api/caching#Schema>. What it cannot say goes into the description, so that
//! the model still reads it.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::chat::Error;

/// Round a schema whose root is no object.
pub(super) const WRAP_OPEN: &[u8] = b"{\"type\":\"object\",\"properties\":{\"value\":";
/// The other end.
pub(super) const WRAP_SHUT: &[u8] = b"},\"required\":[\"value\"]}";

/// Members that the old subset knows, beside those with a rule of their own.
const KEPT: [&str; 15] = [
    "title",
    "description",
    "nullable",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "propertyOrdering",
    "default",
];

/// Members that say something which only words can keep.
const TOLD: [&str; 7] = [
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "uniqueItems",
    "not",
    "patternProperties",
    "examples",
];

/// A schema for the JSON-schema fields: as it is, but for the old homes of definitions, which must be `$defs`
/// (E-67).
pub(super) fn modern(raw: &RawValue) -> Cow<'_, str> {
    let text = raw.get();
    let homes = ["#/definitions/", "#/components/schemas/"];
    if !homes.iter().any(|home| text.contains(home)) {
        return Cow::Borrowed(text);
    }
    let moved = text
        .replace("#/definitions/", "#/$defs/")
        .replace("#/components/schemas/", "#/$defs/");
    let Ok(Value::Object(mut root)) = serde_json::from_str(&moved) else {
        return Cow::Borrowed(text);
    };
    let mut definitions = Map::new();
    let components = root
        .get_mut("components")
        .and_then(|components| components.get_mut("schemas"))
        .map(Value::take);
    root.remove("components");
    let found = [components, root.remove("definitions"), root.remove("$defs")];
    for found in found.into_iter().flatten() {
        if let Value::Object(found) = found {
            definitions.extend(found);
        }
    }
    root.insert("$defs".to_owned(), Value::Object(definitions));
    Cow::Owned(Value::Object(root).to_string())
}

/// A schema in the old subset.
pub(super) fn old(raw: &RawValue, path: &str) -> Result<Value, Error> {
    let shape = |what: &str| Error::value(path, format!("The schema at '{path}' {what}."));
    let root: Value = serde_json::from_str(raw.get()).map_err(|_| shape("is not one"))?;
    let mut walk = Walk {
        root: &root,
        refs: Vec::new(),
    };
    walk.node(&root)
        .ok_or_else(|| shape("refers to itself or to nothing, which this model cannot take"))
}

/// A schema as the one member of an object.
pub(super) fn wrap_value(schema: &Value) -> Value {
    json!({"type": "object", "properties": {"value": schema}, "required": ["value"]})
}

/// Whether a schema is of an object without properties.
pub(super) fn is_empty_object(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    schema.get("type") == Some(&json!("object")) && properties.is_none_or(Map::is_empty)
}

struct Walk<'r> {
    root: &'r Value,
    /// The references being followed, to tell a cycle.
    refs: Vec<String>,
}

impl Walk<'_> {
    /// One node; `None` where a reference cannot be inlined.
    fn node(&mut self, schema: &Value) -> Option<Value> {
        let Value::Object(schema) = schema else {
            // `true` says nothing: any text.
            return Some(json!({"type": "string"}));
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.inlined(reference, schema);
        }
        let schema = merged(schema);
        let mut out = Map::new();
        self.kind(&schema, &mut out)?;
        self.inside(&schema, &mut out)?;
        told(&schema, &mut out);
        if !out.contains_key("type") && !out.contains_key("anyOf") {
            let kind = if out.contains_key("properties") {
                "object"
            } else {
                "string"
            };
            out.insert("type".to_owned(), json!(kind));
        }
        if out.get("type") == Some(&json!("array")) && !out.contains_key("items") {
            out.insert("items".to_owned(), json!({"type": "string"}));
        }
        Some(Value::Object(out))
    }

    fn inlined(&mut self, reference: &str, around: &Map<String, Value>) -> Option<Value> {
        if self.refs.iter().any(|open| open == reference) {
            return None;
        }
        let found = self.root.pointer(reference.strip_prefix('#')?)?.clone();
        self.refs.push(reference.to_owned());
        let mut node = self.node(&found);
        self.refs.pop();
        if let (Some(Value::Object(node)), Some(text)) = (&mut node, around.get("description")) {
            node.insert("description".to_owned(), text.clone());
        }
        node
    }

    /// `type`, `enum`, `anyOf`, `format` and what is kept as it is.
    fn kind(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>) -> Option<()> {
        let mut branches: Vec<Value> = Vec::new();
        match schema.get("type") {
            Some(Value::Array(kinds)) => {
                branches.extend(kinds.iter().map(|kind| json!({"type": kind})));
            }
            Some(kind) => {
                out.insert("type".to_owned(), kind.clone());
            }
            None => {}
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(Value::Array(list)) = schema.get(name) {
                branches.extend(list.iter().cloned());
            }
        }
        for name in KEPT {
            if let Some(value) = schema.get(name) {
                out.insert(name.to_owned(), value.clone());
            }
        }
        self.branches(branches, out)?;
        choices(schema, out);
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && known_format(out.get("type").and_then(Value::as_str), format)
        {
            out.insert("format".to_owned(), json!(format));
        }
        Some(())
    }

    /// Alternatives: `null` among them is `nullable`, and one alone is the node itself.
    fn branches(&mut self, branches: Vec<Value>, out: &mut Map<String, Value>) -> Option<()> {
        let null = json!("null");
        let (nulls, others): (Vec<_>, Vec<_>) = branches
            .into_iter()
            .partition(|branch| branch.get("type") == Some(&null));
        if !nulls.is_empty() {
            out.insert("nullable".to_owned(), json!(true));
        }
        let nodes: Option<Vec<Value>> = others.iter().map(|branch| self.node(branch)).collect();
        let mut nodes = nodes?;
        match (nodes.len(), nodes.pop()) {
            (1, Some(Value::Object(only))) => {
                for (name, value) in only {
                    out.entry(name).or_insert(value);
                }
            }
            (_, Some(last)) => {
                nodes.push(last);
                out.insert("anyOf".to_owned(), Value::Array(nodes));
            }
            (_, None) => {}
        }
        Some(())
    }

    /// `properties`, `required` and `items`.
    fn inside(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>) -> Option<()> {
        if let Some(Value::Object(properties)) = schema.get("properties") {
            let mut kept = Map::new();
            for (name, property) in properties {
                kept.insert(name.clone(), self.node(property)?);
            }
            if let Some(Value::Array(required)) = schema.get("required") {
                let mut required = required.clone();
                required.retain(|name| name.as_str().is_some_and(|name| kept.contains_key(name)));
                if !required.is_empty() {
                    out.insert("required".to_owned(), Value::Array(required));
                }
            }
            if !kept.is_empty() {
                out.insert("properties".to_owned(), Value::Object(kept));
            }
        }
        if let Some(items) = schema.get("items").or_else(|| schema.get("prefixItems")) {
            let items = match items {
                Value::Array(list) => list.first().cloned().unwrap_or(Value::Bool(true)),
                one => one.clone(),
            };
            out.insert("items".to_owned(), self.node(&items)?);
        }
        Some(())
    }
}

/// `allOf` put into the node itself.
fn merged(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut node = schema.clone();
    let Some(Value::Array(all)) = node.remove("allOf") else {
        return node;
    };
    for part in all {
        let Value::Object(part) = part else { continue };
        for (name, value) in merged(&part) {
            match (node.get_mut(&name), value) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                (Some(_), _) => {}
                (None, value) => {
                    node.insert(name, value);
                }
            }
        }
    }
    node
}

/// `enum` and `const`. Only strings can be listed there: of other values the type stays and words say the rest, so
/// that arguments come back as what the client asked for (E-65).
fn choices(schema: &Map<String, Value>, out: &mut Map<String, Value>) {
    let listed = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(list)), _) => list.clone(),
        (_, Some(value)) => vec![value.clone()],
        _ => return,
    };
    let nulls = listed.iter().any(Value::is_null);
    let listed: Vec<Value> = listed
        .into_iter()
        .filter(|value| !value.is_null())
        .collect();
    if nulls {
        out.insert("nullable".to_owned(), json!(true));
    }
    if listed.iter().all(Value::is_string) {
        out.insert("type".to_owned(), json!("string"));
        out.insert("enum".to_owned(), Value::Array(listed));
        return;
    }
    let kind = match listed.first() {
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(number)) if number.is_f64() => "number",
        Some(Value::Number(_)) => "integer",
        _ => "string",
    };
    out.entry("type").or_insert_with(|| json!(kind));
    let words: Vec<String> = listed.iter().map(Value::to_string).collect();
    describe(out, &format!("One of: {}.", words.join(", ")));
}

fn told(schema: &Map<String, Value>, out: &mut Map<String, Value>) {
    for name in TOLD {
        if let Some(value) = schema.get(name) {
            describe(out, &format!("{name}: {value}."));
        }
    }
}

fn describe(out: &mut Map<String, Value>, words: &str) {
    let text = match out.get("description").and_then(Value::as_str) {
        Some(text) if !text.is_empty() => format!("{text} {words}"),
        _ => words.to_owned(),
    };
    out.insert("description".to_owned(), Value::String(text));
}

fn known_format(kind: Option<&str>, format: &str) -> bool {
    match kind.map(str::to_ascii_lowercase).as_deref() {
        Some("number") => matches!(format, "float" | "double"),
        Some("integer") => matches!(format, "int32" | "int64"),
        Some("string") => matches!(format, "enum" | "date-time"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn old_models_get_the_subset() {
        // E-63, E-64, E-65, E-68 and rules 1 to 10 of the normaliser.
        let table = [
            (
                r#"{"type":["string","null"]}"#,
                r#"{"nullable":true,"type":"string"}"#,
            ),
            (
                r#"{"type":["string","number"]}"#,
                r#"{"anyOf":[{"type":"string"},{"type":"number"}]}"#,
            ),
            (
                r#"{"type":"object","additionalProperties":false,"properties":{"a":true},"required":["a","b"]}"#,
                r#"{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}"#,
            ),
            (
                r#"{"enum":["a","b"]}"#,
                r#"{"type":"string","enum":["a","b"]}"#,
            ),
            (
                r#"{"enum":[1,2],"description":"D"}"#,
                r#"{"description":"D One of: 1, 2.","type":"integer"}"#,
            ),
            (r#"{"const":"x"}"#, r#"{"type":"string","enum":["x"]}"#),
            (
                r#"{"type":"array"}"#,
                r#"{"type":"array","items":{"type":"string"}}"#,
            ),
            (
                r##"{"$defs":{"p":{"type":"integer","format":"uint8"}},"type":"object","properties":{"a":{"$ref":"#/$defs/p"}}}"##,
                r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#,
            ),
            (
                r#"{"allOf":[{"type":"object","properties":{"a":{"type":"string","format":"date-time"}}},{"required":["a"]}]}"#,
                r#"{"type":"object","required":["a"],"properties":{"a":{"type":"string","format":"date-time"}}}"#,
            ),
            (
                r#"{"type":"number","exclusiveMinimum":0,"$schema":"x"}"#,
                r#"{"type":"number","description":"exclusiveMinimum: 0."}"#,
            ),
            (
                r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#,
                r#"{"nullable":true,"type":"string"}"#,
            ),
        ];
        for (before, after) in table {
            assert_eq!(
                old(&raw(before), "p").unwrap().to_string(),
                after,
                "{before}"
            );
        }
    }

    #[test]
    fn cycles_are_refused_for_old_models_only() {
        let cycle = r##"{"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"}"##;
        assert_eq!(
            old(&raw(cycle), "p").unwrap_err().param.as_deref(),
            Some("p")
        );
        assert_eq!(modern(&raw(cycle)), cycle);
    }

    #[test]
    fn e67_old_homes_of_definitions_become_defs() {
        let before = r##"{"definitions":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/definitions/a"}}}"##;
        let after =
            r##"{"properties":{"x":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}"##;
        assert_eq!(modern(&raw(before)), after);
    }
}
