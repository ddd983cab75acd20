//! Requests that the vendor's models take in another of its formats only.

use crate::chat::Request;
use crate::chat::json::Members;

use super::super::caps::{Effort, ToolsWhile};
use super::super::codec::{Dialect, Target};
use super::super::responses::Responses;

/// The Responses API, where the provider has it and the model takes such a request nowhere else: newer models refuse
/// tools on chat completions while they reason.
pub(super) fn handover(request: &Request, target: &Target<'_>) -> Option<&'static dyn Dialect> {
    let caps = target.caps;
    if !target.quirks.responses || caps.tools_while_reasoning == ToolsWhile::Yes {
        return None;
    }
    if !offers(request, "tools") && !offers(request, "functions") {
        return None;
    }
    let told = effort(request);
    let goes = match caps.tools_while_reasoning {
        ToolsWhile::Yes => false,
        ToolsWhile::Never => true,
        ToolsWhile::ExplicitNone => told != Some(Effort::None),
        ToolsWhile::Unset => caps.reasoning.happens(told),
    };
    goes.then_some(&Responses)
}

/// Whether a list member holds anything.
fn offers(request: &Request, name: &str) -> bool {
    let list = request.member(name);
    list.is_some_and(|raw| raw.trim_start_matches('[').trim_start() != "]")
}

/// The level the client asks for, in either of the two ways.
fn effort(request: &Request) -> Option<Effort> {
    if let Some(raw) = request.member("reasoning_effort") {
        return Effort::said(raw);
    }
    let object = Members::parse(request.member("reasoning")?).ok()?;
    Effort::parse(&object.text("effort")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::caps::{Kind, Reasoning};
    use crate::dialect::{Caps, Quirks};

    const TOOLS: &str = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;

    fn goes(rule: ToolsWhile, reasons: Option<bool>, quirks: &Quirks, members: &str) -> bool {
        let body = format!(r#"{{"model":"m","messages":[{{}}]{members}}}"#);
        let request = Request::parse(body.into_bytes()).unwrap();
        let caps = Caps {
            tools_while_reasoning: rule,
            reasoning: Reasoning {
                kind: Kind::Effort,
                on_by_default: reasons,
                ..Reasoning::default()
            },
            ..Caps::default()
        };
        let target = Target {
            model: "m",
            quirks,
            caps: &caps,
        };
        let to = handover(&request, &target);
        assert!(to.is_none_or(|dialect| dialect.name() == "openai-responses"));
        to.is_some()
    }

    /// E-56, E-57: what the model takes with tools decides, and where it goes nobody asks the client.
    #[test]
    fn tools_go_where_a_model_that_reasons_takes_them() {
        let both = Quirks {
            responses: true,
            ..Quirks::default()
        };
        let none = format!(r#"{TOOLS},"reasoning_effort":"none""#);
        let low = format!(r#"{TOOLS},"reasoning_effort":"low""#);
        let object = format!(r#"{TOOLS},"reasoning":{{"effort":"none"}}"#);
        let old = r#","functions":[{"name":"f"}]"#;
        let (on, off) = (Some(true), Some(false));
        let table = [
            (ToolsWhile::Yes, on, low.as_str(), false),
            (ToolsWhile::Never, on, TOOLS, true),
            (ToolsWhile::Never, on, old, true),
            (ToolsWhile::Never, on, r#","tools":[ ]"#, false),
            (ToolsWhile::Never, on, "", false),
            (ToolsWhile::ExplicitNone, off, TOOLS, true),
            (ToolsWhile::ExplicitNone, on, &none, false),
            (ToolsWhile::ExplicitNone, on, &object, false),
            (ToolsWhile::ExplicitNone, on, &low, true),
            (ToolsWhile::Unset, off, TOOLS, false),
            (ToolsWhile::Unset, None, TOOLS, true),
            (ToolsWhile::Unset, on, TOOLS, true),
            (ToolsWhile::Unset, on, &none, false),
            (ToolsWhile::Unset, off, &low, true),
        ];
        for (rule, reasons, members, expected) in table {
            let found = goes(rule, reasons, &both, members);
            assert_eq!(found, expected, "{rule:?} {reasons:?} {members}");
            assert!(!goes(rule, reasons, &Quirks::default(), members));
        }
    }
}
