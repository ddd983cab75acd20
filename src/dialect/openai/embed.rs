//! OpenAI embeddings and every provider that copied them: requests spliced, answers as they came.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::embed::{Encoding, Input, encoding};
use crate::chat::json::{Members, comma, compact, key, member, quoted, whole_number};
use crate::chat::request::{OWN_MEMBERS, unsupported};
use crate::chat::{Error, Event, Request, Sink};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Report, Shape, Stop, Target,
    Vectors,
};
use super::super::params::{Fate, Row};
use super::super::quirks::EmbeddingQuirks;
use super::super::{complaint, vectors};

/// Embeddings in OpenAI's format.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings;

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

static PARAMS: [Row; 5] = [
    row("model", Fate::Translated, "the provider's own name"),
    row("input", Fate::Sent, "token ids where they are taken"),
    row("encoding_format", Fate::Sent, "made true where it is not"),
    row("dimensions", Fate::ByModel, ""),
    row("user", Fate::ByModel, ""),
];

impl Dialect for Embeddings {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn params(&self) -> &'static [Row] {
        &PARAMS
    }

    fn unnamed(&self) -> Fate {
        Fate::Sent
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error> {
        let rules = &target.quirks.embeddings;
        let mut report = Report::default();
        let vectors = asked(request, rules)?;
        out.push(b'{');
        for (name, value) in request.members() {
            if OWN_MEMBERS.contains(&name) {
                continue;
            }
            if rules.drop.iter().any(|dropped| dropped == name) {
                report.drop(context.mode, name.to_owned(), "is not taken here.")?;
            } else if name == "model" {
                member("model", &quoted(target.model), out);
            } else {
                key(rules.rename.get(name).map_or(name, String::as_str), out);
                out.extend_from_slice(value.as_bytes());
            }
        }
        out.push(b'}');
        Ok(Encoded {
            path: target.quirks.of_model(&rules.path, target.model),
            headers: Vec::new(),
            shape: Shape::Whole,
            report,
            reply: Reply {
                vectors,
                ..Reply::default()
            },
        })
    }

    fn decoder(&self, _: &Target<'_>, _: Shape, reply: Reply) -> Box<dyn Decode> {
        Box::new(List {
            body: Vec::new(),
            wanted: reply.vectors,
            done: false,
        })
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        complaint::read(status, headers, body)
    }
}

/// What is asked for, within what the provider takes.
fn asked(request: &Request, rules: &EmbeddingQuirks) -> Result<Vectors, Error> {
    let input = request.input()?;
    if matches!(input, Input::Tokens(_)) && !rules.tokens {
        let why = "must be text: this provider takes no token ids.";
        return Err(unsupported("input", why));
    }
    if let Some(most) = rules.batch.filter(|most| input.count() > *most) {
        let message = format!(
            "'input' holds {} inputs; this provider takes at most {most} in one call.",
            input.count()
        );
        return Err(Error::value("input", message));
    }
    Ok(Vectors {
        count: input.count(),
        encoding: encoding(request.member("encoding_format"))?,
    })
}

/// Hands a list on as it is, unless its embeddings are written otherwise than was asked.
#[derive(Debug)]
struct List {
    body: Vec<u8>,
    wanted: Vectors,
    done: bool,
}

/// What of a list is looked at.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

impl Decode for List {
    fn push(&mut self, bytes: &[u8], _: &mut dyn Sink) -> Result<(), Stop> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let text = vectors::whole(&self.body)?;
        let Ok(told) = serde_json::from_str::<Told<'_>>(text) else {
            let failed = complaint::within(text).map(Stop::Failed);
            let odd = || Stop::Malformed("the answer is no list of embeddings".to_owned());
            return Err(failed.unwrap_or_else(odd));
        };
        vectors::tell_usage(tokens(told.usage), told.usage.map(RawValue::get), sink);
        if told.data.iter().all(|raw| self.is_right(raw)) {
            sink.event(Event::Raw(text));
        } else {
            let mended = self.mended(text, &told.data);
            let odd = || Stop::Malformed("an embedding is no list of numbers".to_owned());
            sink.event(Event::Raw(&mended.ok_or_else(odd)?));
        }
        self.done = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn skipped(&self) -> u32 {
        0
    }
}

impl List {
    /// Whether an item's embedding is written as it was asked for.
    fn is_right(&self, item: &RawValue) -> bool {
        let item = Members::parse(item.get()).unwrap_or_default();
        let Some(embedding) = item.find("embedding") else {
            return true;
        };
        let starts = match self.wanted.encoding {
            Encoding::Float => '[',
            Encoding::Base64 => '"',
        };
        embedding.get().starts_with(starts)
    }

    /// The document with its embeddings written as they were asked for: servers that know one form only send it
    /// whatever is asked.
    fn mended(&self, text: &str, data: &[&RawValue]) -> Option<String> {
        let mut list = b"[".to_vec();
        for item in data {
            comma(&mut list);
            list.push(b'{');
            for (name, value) in Members::parse(item.get()).ok()?.0 {
                key(&name, &mut list);
                if name == "embedding" {
                    let written = vectors::written(value, self.wanted.encoding)?;
                    list.extend_from_slice(written.as_bytes());
                } else {
                    compact(value.get(), &mut list);
                }
            }
            list.push(b'}');
        }
        list.push(b']');
        let mut out = b"{".to_vec();
        for (name, value) in Members::parse(text).ok()?.0 {
            key(&name, &mut out);
            if name == "data" {
                out.append(&mut list);
            } else {
                compact(value.get(), &mut out);
            }
        }
        out.push(b'}');
        String::from_utf8(out).ok()
    }
}

/// The inputs' tokens; some providers tell the total alone.
fn tokens(usage: Option<&RawValue>) -> Option<u64> {
    let usage = Members::parse(usage?.get()).ok()?;
    let count = |name: &str| usage.find(name).and_then(|raw| whole_number(raw.get()));
    count("prompt_tokens").or_else(|| count("total_tokens"))
}
