//! Definitions of a JSON schema under the one name that providers know, `$defs`.

use serde_json::value::RawValue;

use crate::chat::json::{Members, comma, compact, elements, key, member};

/// Whether a schema describes objects.
pub(super) fn is_object(members: &Members<'_>) -> bool {
    match members.find("type") {
        Some(kind) => kind.get().contains("\"object\""),
        None => members.find("properties").is_some(),
    }
}

/// A reference, quotes included, to where definitions stand now.
pub(super) fn renamed_reference(quoted: &str) -> String {
    ["\"#/definitions/", "\"#/components/schemas/"]
        .iter()
        .find_map(|old| quoted.strip_prefix(old))
        .map_or_else(|| quoted.to_owned(), |name| format!("\"#/$defs/{name}"))
}

/// A schema with its definitions under `$defs`, where providers look for them (E-67); all else byte for byte.
pub(super) fn with_defs(raw: &RawValue, out: &mut Vec<u8>) {
    let Ok(members) = Members::parse(raw.get()) else {
        return compact(raw.get(), out);
    };
    out.push(b'{');
    for (name, value) in &members.0 {
        match name.as_ref() {
            "definitions" => defs_map("$defs", value, out),
            "components" => {
                let schemas = Members::parse(value.get()).unwrap_or_default();
                if let Some(schemas) = schemas.find("schemas") {
                    defs_map("$defs", schemas, out);
                }
            }
            "properties" | "$defs" | "patternProperties" => defs_map(name, value, out),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                key(name, out);
                out.push(b'[');
                for value in elements(value).unwrap_or_default() {
                    comma(out);
                    with_defs(value, out);
                }
                out.push(b']');
            }
            "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" => {
                key(name, out);
                with_defs(value, out);
            }
            "$ref" => member("$ref", &renamed_reference(value.get()), out),
            _ => {
                key(name, out);
                compact(value.get(), out);
            }
        }
    }
    out.push(b'}');
}

fn defs_map(name: &str, value: &RawValue, out: &mut Vec<u8>) {
    key(name, out);
    out.push(b'{');
    for (name, value) in Members::parse(value.get()).unwrap_or_default().0 {
        key(&name, out);
        with_defs(value, out);
    }
    out.push(b'}');
}
