//! The shapes of an answer on the wire, borrowed from its bytes: one pass, no allocation for known members.
//!
//! Null stands where providers feel like it, so every shape also reads `null`. Members that are not known are
//! kept in `rest`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::Escaped;
use crate::chat::json::Name;

macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty = $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$kind>,)*
            /// Members that have no place above.
            pub(super) rest: Vec<(Cow<'a, str>, &'a RawValue)>,
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Read<'a>(PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("a JSON object")
                    }

                    fn visit_unit<E>(self) -> Result<Self::Value, E> {
                        Ok($name::default())
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut found = $name::default();
                        while let Some(Name(name)) = map.next_key::<Name<'a>>()? {
                            match name.as_ref() {
                                $($key => found.$field = Some(map.next_value()?),)*
                                _ => found.rest.push((name, map.next_value()?)),
                            }
                        }
                        Ok(found)
                    }
                }
                deserializer.deserialize_any(Read(PhantomData))
            }
        }
    };
}

object! {
    /// A chunk, or a whole answer.
    Chunk {
        id: &'a RawValue = "id",
        object: &'a RawValue = "object",
        created: &'a RawValue = "created",
        model: &'a RawValue = "model",
        choices: Few<Choice<'a>> = "choices",
        usage: &'a RawValue = "usage",
        error: &'a RawValue = "error",
        fingerprint: &'a RawValue = "system_fingerprint",
        tier: &'a RawValue = "service_tier",
        obfuscation: &'a RawValue = "obfuscation",
        groq: &'a RawValue = "x_groq",
    }
}

object! {
    /// One choice of a chunk or of a whole answer.
    Choice {
        index: &'a RawValue = "index",
        delta: Delta<'a> = "delta",
        message: Delta<'a> = "message",
        finish: &'a RawValue = "finish_reason",
        native: &'a RawValue = "native_finish_reason",
        logprobs: &'a RawValue = "logprobs",
    }
}

object! {
    /// What a choice says, or adds to what it said.
    Delta {
        role: &'a RawValue = "role",
        content: &'a RawValue = "content",
        reasoning_content: &'a RawValue = "reasoning_content",
        reasoning: &'a RawValue = "reasoning",
        details: &'a RawValue = "reasoning_details",
        refusal: &'a RawValue = "refusal",
        calls: Few<Call<'a>> = "tool_calls",
        function_call: &'a RawValue = "function_call",
    }
}

object! {
    /// A tool call, or a fragment of one.
    Call {
        index: &'a RawValue = "index",
        id: &'a RawValue = "id",
        kind: &'a RawValue = "type",
        function: Function<'a> = "function",
        custom: Function<'a> = "custom",
        extra: &'a RawValue = "extra_content",
    }
}

object! {
    /// What is called with what.
    Function {
        name: &'a RawValue = "name",
        arguments: &'a RawValue = "arguments",
        input: &'a RawValue = "input",
    }
}

/// The elements of an array that mostly holds one.
#[derive(Debug)]
pub(super) struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Few<T> {
    /// All elements in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.others)
    }

    /// The element, where there is exactly one.
    pub(super) fn single(&self) -> Option<&T> {
        self.first.as_ref().filter(|_| self.others.is_empty())
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Few<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Few {
                    first: None,
                    others: Vec::new(),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let first = seq.next_element()?;
                let mut others = Vec::new();
                while let Some(other) = seq.next_element()? {
                    others.push(other);
                }
                Ok(Few { first, others })
            }
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

/// A value that is there and not null.
pub(super) fn said(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// A string's inside; nothing where it is absent, empty or no string.
pub(super) fn words(raw: Option<&RawValue>) -> Option<Escaped<'_>> {
    raw.and_then(Escaped::token).filter(|text| !text.is_empty())
}
