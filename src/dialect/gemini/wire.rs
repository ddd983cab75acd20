//! The answer's JSON as structures that borrow from it: strings stay raw, lists of one need no allocation.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::json::{Escaped, whole_number};

/// One `GenerateContentResponse`, or the error that came instead.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the provider's own names")]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) candidates: Option<Few<Candidate<'a>>>,
    #[serde(borrow)]
    pub(super) prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow)]
    pub(super) usage_metadata: Option<Usage<'a>>,
    #[serde(borrow)]
    pub(super) response_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) model_version: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) create_time: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// One candidate, or what is new of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(borrow)]
    pub(super) index: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) citation_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) logprobs_result: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) parts: Option<Few<Part<'a>>>,
}

/// One part. Exactly one of the members beside `thought` and the signature is set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thought: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thought_signature: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) function_call: Option<Call<'a>>,
    #[serde(borrow)]
    pub(super) inline_data: Option<Blob<'a>>,
    #[serde(borrow)]
    pub(super) executable_code: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) code_execution_result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_call: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_response: Option<&'a RawValue>,
}

/// A function call: whole, begun, or gone on with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call<'a> {
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) partial_args: Option<Few<Piece<'a>>>,
    #[serde(borrow)]
    pub(super) will_continue: Option<&'a RawValue>,
}

/// One value of a streamed call's arguments and where it goes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Piece<'a> {
    #[serde(borrow)]
    pub(super) json_path: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) string_value: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) number_value: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) bool_value: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    #[serde(borrow)]
    pub(super) mime_type: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
}

/// What was thought of the prompt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feedback<'a> {
    #[serde(borrow)]
    pub(super) block_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) block_reason_message: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage<'a> {
    #[serde(borrow)]
    pub(super) prompt_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) cached_content_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) candidates_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use_prompt_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thoughts_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) total_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) prompt_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) candidates_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) service_tier: Option<&'a RawValue>,
}

/// The text of a string member, raw; empty where there is none.
pub(super) fn text(raw: Option<&RawValue>) -> Escaped<'_> {
    raw.and_then(Escaped::token).unwrap_or(Escaped::EMPTY)
}

/// A count, where the member is one.
pub(super) fn count(raw: Option<&RawValue>) -> Option<u64> {
    raw.and_then(|raw| whole_number(raw.get()))
}

/// Whether the member is `true`.
pub(super) fn is_true(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| raw.get() == "true")
}

/// A list of which the first element needs no allocation: events mostly hold one candidate of one part.
#[derive(Debug)]
pub(super) struct Few<T> {
    first: Option<T>,
    rest: Vec<T>,
}

impl<T> Few<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.rest)
    }

    /// The element, where there is exactly one.
    pub(super) fn single(&self) -> Option<&T> {
        self.first.as_ref().filter(|_| self.rest.is_empty())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FewVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FewVisitor<T> {
            type Value = Few<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let first = list.next_element()?;
                let mut rest = Vec::new();
                while let Some(next) = list.next_element()? {
                    rest.push(next);
                }
                Ok(Few { first, rest })
            }
        }
        deserializer.deserialize_seq(FewVisitor(PhantomData))
    }
}
