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
