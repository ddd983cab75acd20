//! The root of a tool's schema, which must be one plain object here.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::Escaped;
use crate::chat::json::{Members, compact, elements, key, member};

use super::defs::{is_object, with_defs};

/// A tool's schema as the provider takes it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// The schema.
    pub(crate) json: String,
    /// What became of it.
    pub(crate) change: Change,
}

/// What became of a schema's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing that matters.
    None,
    /// It stands under `value` in an object.
    Wrapped,
    /// Its alternatives were merged into one object.
    Merged,
}

/// Fits a tool's parameters.
pub(crate) fn fit(parameters: Option<&RawValue>) -> Root {
    let plain = |json: String| Root {
        json,
        change: Change::None,
    };
    let Some(raw) = parameters.filter(|raw| raw.get().starts_with('{')) else {
        return plain("{\"type\":\"object\",\"properties\":{}}".to_owned());
    };
    let text = renamed(raw);
    let Ok(members) = Members::parse(&text) else {
        return plain(text.into_owned());
    };
    let resolved = resolve(&members, &members).unwrap_or_else(|| members.clone());
    if has_alternatives(&resolved) {
        return merged(&resolved, &members).map_or_else(
            || wrapped(&members),
            |json| Root {
                json,
                change: Change::Merged,
            },
        );
    }
    let says_type = resolved.find("type").is_some();
    let elsewise = ["items", "enum", "const"];
    if says_type && !is_object(&resolved)
        || elsewise
            .iter()
            .any(|n| resolved.find(n).is_some() && !says_type)
    {
        return wrapped(&members);
    }
    let simple = resolved
        .find("type")
        .is_some_and(|kind| kind.get() == "\"object\"");
    if simple && members.find("$ref").is_none() {
        return plain(text.into_owned());
    }
    plain(as_object(&resolved, &members))
}

/// The schema without white space, its definitions renamed where it has old ones.
fn renamed(raw: &RawValue) -> Cow<'_, str> {
    let text = raw.get();
    let old = text.contains("\"definitions\"") || text.contains("\"components\"");
    if !old && !text.contains([' ', '\n']) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    if old {
        with_defs(raw, &mut out);
    } else {
        compact(text, &mut out);
    }
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// The definition that a schema is a reference to.
fn resolve<'a>(schema: &Members<'a>, root: &Members<'a>) -> Option<Members<'a>> {
    let reference = schema.find("$ref").and_then(Escaped::token)?;
    let name = reference.as_str().strip_prefix("#/$defs/")?;
    let defs = Members::parse(root.find("$defs")?.get()).ok()?;
    Members::parse(defs.find(name)?.get()).ok()
}

const ALTERNATIVES: [&str; 3] = ["anyOf", "oneOf", "allOf"];

fn has_alternatives(members: &Members<'_>) -> bool {
    ALTERNATIVES.iter().any(|name| members.find(name).is_some())
}

/// An object schema with its type said plainly.
fn as_object(schema: &Members<'_>, root: &Members<'_>) -> String {
    let mut out = b"{\"type\":\"object\"".to_vec();
    if schema.find("properties").is_none() {
        member("properties", "{}", &mut out);
    }
    for (name, value) in &schema.0 {
        if name != "type" && name != "$defs" {
            member(name, value.get(), &mut out);
        }
    }
    finish(root, out)
}

/// The schema under `value` in an object.
fn wrapped(schema: &Members<'_>) -> Root {
    let mut out = b"{\"type\":\"object\",\"properties\":{\"value\":{".to_vec();
    for (name, value) in schema.0.iter().filter(|(name, _)| name != "$defs") {
        member(name, value.get(), &mut out);
    }
    out.extend_from_slice(b"}},\"required\":[\"value\"]");
    Root {
        json: finish(schema, out),
        change: Change::Wrapped,
    }
}

/// Closes an object schema, with the root's definitions.
fn finish(root: &Members<'_>, mut out: Vec<u8>) -> String {
    if let Some(defs) = root.find("$defs") {
        member("$defs", defs.get(), &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

/// One object of all alternatives: every property any of them has, required what all of them require. `None` where
/// an alternative is no object.
fn merged(schema: &Members<'_>, root: &Members<'_>) -> Option<String> {
    let mut properties = map(schema, "properties");
    let mut required = names(schema);
    for word in ALTERNATIVES {
        let Some(branches) = schema.find(word).and_then(elements) else {
            continue;
        };
        let mut common: Option<Vec<String>> = None;
        for raw in branches {
            let branch = Members::parse(raw.get()).ok()?;
            let branch = resolve(&branch, root).unwrap_or(branch);
            if !is_object(&branch)
                && (branch.find("required").is_none() || branch.find("type").is_some())
            {
                return None;
            }
            for (name, value) in map(&branch, "properties") {
                if !properties.iter().any(|(known, _)| *known == name) {
                    properties.push((name, value));
                }
            }
            let asked = names(&branch);
            common = Some(match common {
                None => asked,
                Some(all) if word == "allOf" => all.into_iter().chain(asked).collect(),
                Some(all) => all
                    .into_iter()
                    .filter(|name| asked.contains(name))
                    .collect(),
            });
        }
        for name in common.unwrap_or_default() {
            if !required.contains(&name) {
                required.push(name);
            }
        }
    }
    Some(write_merged(schema, root, &properties, &required))
}

fn write_merged(
    schema: &Members<'_>,
    root: &Members<'_>,
    properties: &[(Cow<'_, str>, &RawValue)],
    required: &[String],
) -> String {
    let mut out = b"{\"type\":\"object\"".to_vec();
    for name in ["title", "description"] {
        if let Some(value) = schema.find(name) {
            member(name, value.get(), &mut out);
        }
    }
    key("properties", &mut out);
    out.push(b'{');
    for (name, value) in properties {
        member(name, value.get(), &mut out);
    }
    out.push(b'}');
    if !required.is_empty() {
        let list: Vec<String> = required
            .iter()
            .map(|name| crate::chat::json::quoted(name))
            .collect();
        member("required", &format!("[{}]", list.join(",")), &mut out);
    }
    finish(root, out)
}

fn map<'a>(schema: &Members<'a>, name: &str) -> Vec<(Cow<'a, str>, &'a RawValue)> {
    let members = schema.find(name).map(|raw| Members::parse(raw.get()));
    members.and_then(Result::ok).unwrap_or_default().0
}

fn names(schema: &Members<'_>) -> Vec<String> {
    let list = schema
        .find("required")
        .and_then(elements)
        .unwrap_or_default();
    let texts = list.into_iter().filter_map(Escaped::token);
    texts.map(|text| text.decode().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases is one table")]
    fn roots_become_one_object() {
        let table = [
            (None, r#"{"type":"object","properties":{}}"#, Change::None),
            (
                Some("null"),
                r#"{"type":"object","properties":{}}"#,
                Change::None,
            ),
            (
                Some("{}"),
                r#"{"type":"object","properties":{}}"#,
                Change::None,
            ),
            (
                Some(r#"{"type":"object","properties":{"n":{"maximum":1.0}}}"#),
                r#"{"type":"object","properties":{"n":{"maximum":1.0}}}"#,
                Change::None,
            ),
            (
                Some(r#"{"properties":{"a":{}}}"#),
                r#"{"type":"object","properties":{"a":{}}}"#,
                Change::None,
            ),
            (
                Some(r#"{"type":["object","null"],"properties":{}}"#),
                r#"{"type":"object","properties":{}}"#,
                Change::None,
            ),
            (
                Some(r#"{"type":"array","items":{"$ref":"x"},"$defs":{"A":{}}}"#),
                r#"{"type":"object","properties":{"value":{"type":"array","items":{"$ref":"x"}}},"required":["value"],"$defs":{"A":{}}}"#,
                Change::Wrapped,
            ),
            (
                Some(
                    r#"{"anyOf":[{"type":"object","properties":{"a":{},"b":{}},"required":["a","b"]},{"type":"object","properties":{"a":{},"c":{}},"required":["a"]}]}"#,
                ),
                r#"{"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["a"]}"#,
                Change::Merged,
            ),
            (
                Some(r#"{"anyOf":[{"type":"string"},{"type":"object"}]}"#),
                r#"{"type":"object","properties":{"value":{"anyOf":[{"type":"string"},{"type":"object"}]}},"required":["value"]}"#,
                Change::Wrapped,
            ),
            // E-67.
            (
                Some(
                    r##"{"type":"object","properties":{"definitions":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"string"}}}"##,
                ),
                r##"{"type":"object","properties":{"definitions":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
                Change::None,
            ),
            (
                Some(
                    r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"x":{}}}}}"##,
                ),
                r#"{"type":"object","properties":{"x":{}},"$defs":{"A":{"type":"object","properties":{"x":{}}}}}"#,
                Change::None,
            ),
        ];
        for (schema, json, change) in table {
            let raw = schema.map(|schema| RawValue::from_string(schema.to_owned()).unwrap());
            let root = fit(raw.as_deref());
            assert_eq!(
                (root.json.as_str(), root.change),
                (json, change),
                "{schema:?}"
            );
        }
    }
}
