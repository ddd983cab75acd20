//! Whether a whole answer is right as it stands: read off its parsed shape, so that almost every answer is parsed
//! once and none of it is written anew.
//!
//! It may say no to an answer that needs nothing; the way over small changes finds that out.

use serde_json::value::RawValue;

use crate::chat::Escaped;
use crate::chat::json::whole_number;

use super::super::tiers::tier;
use super::answer::Answer;
use super::choice::thought;
use super::pieces::{Call, Choice as Piece, Chunk, Delta, Few, said, words};
use super::usage::Counted;

/// Whether nothing in a document needs mending, given its usage as read and its choices as taken.
pub(super) fn is_right(chunk: &Chunk<'_>, counted: Option<&Counted<'_>>, answer: &Answer) -> bool {
    let is_object = |raw: &RawValue| raw.get() == "\"chat.completion\"";
    let usage_stays = said(chunk.usage).is_none() || counted.is_none_or(|read| !read.is_mended());
    let tier_stays = said(chunk.tier).is_none_or(|raw| {
        Escaped::token(raw).is_some_and(|word| tier(word.as_str()) == Some(raw.get()))
    });
    usage_stays
        && tier_stays
        && chunk.object.is_some_and(is_object)
        && chunk
            .choices
            .as_ref()
            .is_some_and(|choices| choices.iter().all(|piece| choice(piece, answer)))
}

fn choice(piece: &Piece<'_>, answer: &Answer) -> bool {
    let index = piece.index.and_then(|raw| whole_number(raw.get()));
    let state = answer
        .choices
        .iter()
        .find(|choice| Some(u64::from(choice.index)) == index);
    let (Some(state), Some(read)) = (state, &piece.message) else {
        return false;
    };
    let finish = piece.finish.and_then(Escaped::token);
    finish.is_some_and(|word| word.as_str() == state.reason().as_str()) && message(read)
}

fn message(read: &Delta<'_>) -> bool {
    let is_said = |raw: &RawValue| !raw.get().starts_with('[');
    read.role.is_some()
        && read.content.is_some_and(is_said)
        && said(read.function_call).is_none()
        && read.calls.as_ref().is_none_or(calls)
        && (words(read.reasoning_content).is_some() || thought(read).is_none())
}

fn calls(list: &Few<Call<'_>>) -> bool {
    !list.is_empty() && list.iter().all(call)
}

fn call(call: &Call<'_>) -> bool {
    let has_arguments = |raw: Option<&RawValue>| words(raw).is_some();
    words(call.id).is_some()
        && words(call.kind).is_some()
        && call.custom.is_none()
        && call
            .function
            .as_ref()
            .is_some_and(|function| has_arguments(function.arguments))
}
