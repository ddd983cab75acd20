//! OpenAI embeddings as Cohere's Embed API, version 2 (docs.cohere.com/reference/embed).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::embed::{Input, encoding};
use crate::chat::json::{Members, comma, elements, key, member, quoted, whole_number};
use crate::chat::request::unsupported;
use crate::chat::{Error, Escaped, Request};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Report, Shape, Stop, Target,
    Vectors,
};
use super::super::params::{self as table, Fate, Row};
use super::super::vectors::{Found, Gathered};
use super::failure;

/// The most texts of one call.
const MOST_TEXTS: usize = 96;

/// Embeddings by Cohere.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings;

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

const OWN: &str = "of the provider's own format.";

static PARAMS: [Row; 9] = [
    row("model", Fate::Sent, ""),
    row("input", Fate::Renamed("texts"), "at most 96; no token ids"),
    row("encoding_format", Fate::Ours, "made here"),
    row("dimensions", Fate::Renamed("output_dimension"), ""),
    row("user", Fate::Dropped, "has no counterpart here."),
    row(
        "input_type",
        Fate::Sent,
        "`search_document` where it is not given",
    ),
    row("truncate", Fate::Sent, OWN),
    row("max_tokens", Fate::Sent, OWN),
    row("priority", Fate::Sent, OWN),
];

impl Dialect for Embeddings {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn params(&self) -> &'static [Row] {
        &PARAMS
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error> {
        let mut report = Report::default();
        table::sweep(request, &PARAMS, context.mode, &mut report)?;
        let texts = texts(request)?;
        out.push(b'{');
        member("model", &quoted(target.model), out);
        if let Some(kind) = request.member("input_type") {
            member("input_type", kind, out);
        } else {
            // The provider demands it, and OpenAI has no word for it.
            report.fill("input_type");
            member("input_type", "\"search_document\"", out);
        }
        // Its own base64 does not say of which floats; ours is made of the numbers.
        member("embedding_types", "[\"float\"]", out);
        if let Some(dimensions) = request.positive("dimensions")? {
            member("output_dimension", &dimensions.to_string(), out);
        }
        for name in ["truncate", "max_tokens", "priority"] {
            if let Some(raw) = request.member(name) {
                member(name, raw, out);
            }
        }
        key("texts", out);
        out.push(b'[');
        for text in &texts {
            comma(out);
            text.write_quoted(out);
        }
        out.extend_from_slice(b"]}");
        Ok(Encoded {
            path: "/v2/embed".to_owned(),
            headers: Vec::new(),
            shape: Shape::Whole,
            report,
            reply: Reply {
                vectors: Vectors {
                    count: texts.len(),
                    encoding: encoding(request.member("encoding_format"))?,
                },
                ..Reply::default()
            },
        })
    }

    fn decoder(&self, target: &Target<'_>, _: Shape, reply: Reply) -> Box<dyn Decode> {
        Box::new(Gathered::new(target.model, &reply, read))
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        failure::of_status(status, headers, body)
    }
}

fn texts(request: &Request) -> Result<Vec<Escaped<'_>>, Error> {
    let Input::Texts(texts) = request.input()? else {
        let why = "must be text: this provider takes no token ids.";
        return Err(unsupported("input", why));
    };
    if texts.len() > MOST_TEXTS {
        let message = format!(
            "'input' holds {} texts; this provider takes at most {MOST_TEXTS} in one call.",
            texts.len()
        );
        return Err(Error::value("input", message));
    }
    Ok(texts)
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    embeddings: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

fn read(text: &str) -> Result<Found<'_>, Stop> {
    let odd = || Stop::Malformed("the answer has no embeddings".to_owned());
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|_| odd())?;
    if let Some(words) = answer.message.and_then(Escaped::token) {
        return Err(Stop::Failed(failure::in_answer(&words.decode())));
    }
    let kinds = Members::parse(answer.embeddings.ok_or_else(odd)?.get()).map_err(|_| odd())?;
    let vectors = kinds.find("float").and_then(elements).ok_or_else(odd)?;
    Ok(Found {
        vectors,
        tokens: tokens(answer.meta),
    })
}

/// The inputs' tokens: as counted, else as billed.
fn tokens(meta: Option<&RawValue>) -> Option<u64> {
    let meta = Members::parse(meta?.get()).ok()?;
    ["tokens", "billed_units"].into_iter().find_map(|name| {
        let counts = Members::parse(meta.find(name)?.get()).ok()?;
        whole_number(counts.find("input_tokens")?.get())
    })
}
