//! The request body: the client's own members spliced, and only what a rule touches written anew.

use crate::chat::{Error, Request};

use super::super::codec::{Context, Encoded, Shape, Target};
use super::draft::Draft;
use super::{effort, format, messages, rules, tools};

type Rule = fn(&mut Draft<'_>) -> Result<(), Error>;

/// The rules in their order: what an earlier one left out, a later one does not see.
const RULES: [Rule; 13] = [
    rules::choices,
    rules::limit,
    rules::refused_members,
    tools::offer,
    tools::choice,
    effort::effort,
    rules::sampling,
    rules::stop,
    format::response_format,
    rules::service_tier,
    rules::stream_options,
    rules::names,
    rules::additions,
];

/// Writes the provider's request.
pub(super) fn encode(
    request: &Request,
    target: &Target<'_>,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> Result<Encoded, Error> {
    let mut draft = Draft::new(request, target, context);
    for rule in RULES {
        rule(&mut draft)?;
    }
    let messages = messages::rewrite(&mut draft)?;
    if !target.quirks.reasoning_history.is_empty() {
        draft.reply.answers = request.answers_call();
    }
    draft.write(messages.as_deref(), out);
    let shape = if request.stream {
        Shape::Stream
    } else {
        Shape::Whole
    };
    Ok(Encoded {
        path: target.quirks.chat(target.model),
        headers: Vec::new(),
        shape,
        report: draft.report,
        reply: draft.reply,
    })
}
