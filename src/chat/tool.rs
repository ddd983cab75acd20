//! Tools a request offers and the choice it asks for.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::Error;
use super::json::{Escaped, Members, elements};

/// One tool the model may call.
#[derive(Clone, Debug)]
pub struct Tool<'a> {
    /// What it is.
    pub kind: ToolKind<'a>,
    /// A prompt-cache mark on it, raw.
    pub cache: Option<&'a RawValue>,
    /// The tool itself, raw.
    pub raw: &'a RawValue,
}

/// What a tool is.
#[derive(Clone, Debug)]
pub enum ToolKind<'a> {
    /// A function with JSON arguments.
    Function {
        /// Its name.
        name: Cow<'a, str>,
        /// What it does, as it stands on the wire.
        description: Option<Escaped<'a>>,
        /// The JSON schema of its arguments.
        parameters: Option<&'a RawValue>,
        /// Whether the schema shall be enforced.
        strict: Option<bool>,
    },
    /// A tool with free text for input, perhaps under a grammar.
    Custom {
        /// Its name.
        name: Cow<'a, str>,
        /// What it does, as it stands on the wire.
        description: Option<Escaped<'a>>,
        /// The grammar, raw.
        format: Option<&'a RawValue>,
    },
    /// A provider's own tool, by its `type` (empty where it has none).
    Server(Cow<'a, str>),
}

/// What a request wants done with its tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// Nothing was said.
    Absent,
    /// No call.
    None,
    /// The model decides.
    Auto,
    /// Some call.
    Required,
    /// This function.
    Named(Cow<'a, str>),
    /// This custom tool.
    Custom(Cow<'a, str>),
    /// Some of these only.
    Allowed {
        /// Whether one of them must be called.
        required: bool,
        /// Their names.
        names: Vec<Cow<'a, str>>,
    },
}

/// Reads `tools` and the deprecated `functions`.
///
/// # Errors
/// Where a tool does not have the shape the API describes.
pub fn read<'a>(
    tools: Option<&'a str>,
    functions: Option<&'a str>,
) -> Result<Vec<Tool<'a>>, Error> {
    let mut list = Vec::new();
    for (at, raw) in array("tools", tools)?.into_iter().enumerate() {
        list.push(one(at, raw)?);
    }
    for (at, raw) in array("functions", functions)?.into_iter().enumerate() {
        let path = format!("functions[{at}]");
        let members = Members::parse(raw.get())
            .map_err(|_| Error::value(&path, "A function must be an object."))?;
        list.push(Tool {
            kind: function(&path, &members)?,
            cache: None,
            raw,
        });
    }
    Ok(list)
}

fn array<'a>(name: &str, raw: Option<&'a str>) -> Result<Vec<&'a RawValue>, Error> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    serde_json::from_str(raw).map_err(|_| Error::value(name, format!("'{name}' must be an array.")))
}

fn one(at: usize, raw: &RawValue) -> Result<Tool<'_>, Error> {
    let path = format!("tools[{at}]");
    let members =
        Members::parse(raw.get()).map_err(|_| Error::value(&path, "A tool must be an object."))?;
    let kind = members.text("type").unwrap_or_default();
    let cache = members.find("cache_control");
    let kind = match kind.as_ref() {
        "function" => {
            let inner = members
                .find("function")
                .map(|raw| Members::parse(raw.get()))
                .and_then(Result::ok);
            let missing = || {
                Error::value(
                    format!("{path}.function"),
                    "A function tool needs 'function'.",
                )
            };
            function(&format!("{path}.function"), &inner.ok_or_else(missing)?)?
        }
        "custom" => {
            let inner = members
                .find("custom")
                .map(|raw| Members::parse(raw.get()))
                .and_then(Result::ok);
            let missing = || {
                Error::value(
                    format!("{path}.custom.name"),
                    "A custom tool needs 'custom' with a 'name'.",
                )
            };
            let inner = inner.ok_or_else(missing)?;
            let description = inner.find("description").and_then(Escaped::token);
            let name = inner.text("name").ok_or_else(missing)?;
            ToolKind::Custom {
                name,
                description,
                format: inner.find("format"),
            }
        }
        _ => ToolKind::Server(kind),
    };
    Ok(Tool { kind, cache, raw })
}

fn function<'a>(path: &str, members: &Members<'a>) -> Result<ToolKind<'a>, Error> {
    let missing = || Error::value(format!("{path}.name"), "A function needs a name.");
    Ok(ToolKind::Function {
        name: members
            .text("name")
            .filter(|name| !name.is_empty())
            .ok_or_else(missing)?,
        description: members.find("description").and_then(Escaped::token),
        parameters: members.find("parameters"),
        strict: members.find("strict").map(|raw| raw.get() == "true"),
    })
}

/// Reads `tool_choice`, or the deprecated `function_call`.
///
/// # Errors
/// Where the choice has no known shape.
pub fn choice<'a>(
    tool_choice: Option<&'a str>,
    function_call: Option<&'a str>,
) -> Result<Choice<'a>, Error> {
    let Some((name, raw)) = tool_choice
        .map(|raw| ("tool_choice", raw))
        .or_else(|| function_call.map(|raw| ("function_call", raw)))
    else {
        return Ok(Choice::Absent);
    };
    if let Some(word) = Escaped::quoted(raw) {
        return match word.as_str() {
            "none" => Ok(Choice::None),
            "auto" => Ok(Choice::Auto),
            "required" | "any" => Ok(Choice::Required),
            _ => Err(unknown(name)),
        };
    }
    let members = Members::parse(raw).map_err(|_| unknown(name))?;
    let inner = |key: &str| {
        members
            .find(key)
            .map(|raw| Members::parse(raw.get()))
            .and_then(Result::ok)
    };
    match members.text("type").as_deref() {
        Some("function") | None => {
            let function = inner("function").unwrap_or_else(|| members.clone());
            function
                .text("name")
                .map(Choice::Named)
                .ok_or_else(|| unknown(name))
        }
        Some("custom") => inner("custom")
            .and_then(|c| c.text("name"))
            .map(Choice::Custom)
            .ok_or_else(|| unknown(name)),
        Some("allowed_tools") => allowed(
            &inner("allowed_tools").unwrap_or_else(|| members.clone()),
            name,
        ),
        Some("auto") => Ok(Choice::Auto),
        Some("none") => Ok(Choice::None),
        Some("required" | "any") => Ok(Choice::Required),
        Some(_) => Err(unknown(name)),
    }
}

fn allowed<'a>(members: &Members<'a>, param: &str) -> Result<Choice<'a>, Error> {
    let list = members
        .find("tools")
        .and_then(elements)
        .ok_or_else(|| unknown(param))?;
    let mut names = Vec::with_capacity(list.len());
    for raw in list {
        let tool = Members::parse(raw.get()).map_err(|_| unknown(param))?;
        let inner = tool
            .find("function")
            .or_else(|| tool.find("custom"))
            .map(|raw| Members::parse(raw.get()));
        let inner = inner.and_then(Result::ok).unwrap_or(tool);
        names.push(inner.text("name").ok_or_else(|| unknown(param))?);
    }
    Ok(Choice::Allowed {
        required: members.text("mode").as_deref() == Some("required"),
        names,
    })
}

fn unknown(param: &str) -> Error {
    let message = format!(
        "'{param}' must be \"none\", \"auto\", \"required\", {{\"type\":\"function\",\"function\":{{\"name\":…}}}} or \
         {{\"type\":\"allowed_tools\",…}}."
    );
    Error::value(param, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_read() {
        let table = [
            (r#""none""#, Choice::None),
            (r#""required""#, Choice::Required),
            (
                r#"{"type":"function","function":{"name":"f"}}"#,
                Choice::Named("f".into()),
            ),
            (
                r#"{"type":"custom","custom":{"name":"c"}}"#,
                Choice::Custom("c".into()),
            ),
            (
                r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
                Choice::Allowed {
                    required: true,
                    names: vec!["f".into()],
                },
            ),
        ];
        for (raw, expected) in table {
            assert_eq!(choice(Some(raw), None).unwrap(), expected, "{raw}");
        }
        assert_eq!(
            choice(None, Some(r#"{"name":"f"}"#)).unwrap(),
            Choice::Named("f".into())
        );
        assert!(choice(Some(r#""perhaps""#), None).is_err());
    }

    #[test]
    fn every_kind_of_tool_is_read() {
        let raw = r#"[{"type":"function","function":{"name":"f","strict":true}},{"type":"custom","custom":{"name":"c"}},{"type":"web_search_20250305","name":"s"}]"#;
        let tools = read(Some(raw), Some(r#"[{"name":"old"}]"#)).unwrap();
        assert!(
            matches!(&tools[0].kind, ToolKind::Function { name, strict: Some(true), .. } if name == "f")
        );
        assert!(matches!(&tools[1].kind, ToolKind::Custom { name, .. } if name == "c"));
        assert!(matches!(&tools[2].kind, ToolKind::Server(kind) if kind == "web_search_20250305"));
        assert!(matches!(&tools[3].kind, ToolKind::Function { name, .. } if name == "old"));
    }
}
