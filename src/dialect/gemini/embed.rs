//! OpenAI embeddings as Google's: many at once on AI Studio (ai.google.dev/api/embeddings); on Vertex one at a time,
//! or by `predict` for the models that came before `embedContent`
//! (docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).

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
use super::request::place;

/// The most inputs of one call, where the catalogue says no more.
const MOST_TEXTS: usize = 100;

/// Embeddings by Google.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings;

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

static PARAMS: [Row; 8] = [
    row("model", Fate::Translated, "in the path"),
    row(
        "input",
        Fate::Translated,
        "at most 100; one on Vertex; no token ids",
    ),
    row("encoding_format", Fate::Ours, "made here"),
    row("dimensions", Fate::Renamed("outputDimensionality"), ""),
    row("user", Fate::Dropped, "has no counterpart here."),
    row("task_type", Fate::Renamed("taskType"), ""),
    row("title", Fate::Sent, "of the provider's own format."),
    row("taskType", Fate::Sent, "of the provider's own format."),
];

impl Dialect for Embeddings {
    fn name(&self) -> &'static str {
        "gemini"
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
        let way = Way::of(target);
        let job = Job {
            texts: texts(request, target, way)?,
            task: request
                .member("task_type")
                .or_else(|| request.member("taskType")),
            title: request.member("title"),
            dimensions: request.positive("dimensions")?,
        };
        match way {
            Way::Batch => job.batch(target, out),
            Way::One => job.one(out),
            Way::Predict => job.predict(out),
        }
        Ok(Encoded {
            path: place(target, way.method()),
            headers: Vec::new(),
            shape: Shape::Whole,
            report,
            reply: Reply {
                vectors: Vectors {
                    count: job.texts.len(),
                    encoding: encoding(request.member("encoding_format"))?,
                },
                ..Reply::default()
            },
        })
    }

    fn decoder(&self, target: &Target<'_>, _: Shape, reply: Reply) -> Box<dyn Decode> {
        let model = target.model.strip_prefix("models/").unwrap_or(target.model);
        Box::new(Gathered::new(model, &reply, read))
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        failure::read(status, headers, body)
    }
}

/// The method that a target is asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Batch,
    One,
    Predict,
}

impl Way {
    /// On Vertex `embedContent` came with the second generation of Gemini's embeddings; what is older is predicted.
    fn of(target: &Target<'_>) -> Self {
        if !target.quirks.embeddings.one_by_one {
            Self::Batch
        } else if target.model.contains("gemini") && target.model != "gemini-embedding-001" {
            Self::One
        } else {
            Self::Predict
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Batch => ":batchEmbedContents",
            Self::One => ":embedContent",
            Self::Predict => ":predict",
        }
    }
}

fn texts<'a>(
    request: &'a Request,
    target: &Target<'_>,
    way: Way,
) -> Result<Vec<Escaped<'a>>, Error> {
    let Input::Texts(texts) = request.input()? else {
        let why = "must be text: this provider takes no token ids.";
        return Err(unsupported("input", why));
    };
    let most = match way {
        Way::One => 1,
        Way::Predict if target.model == "gemini-embedding-001" => 1,
        Way::Batch | Way::Predict => target.quirks.embeddings.batch.unwrap_or(MOST_TEXTS),
    };
    if texts.len() > most {
        let message = format!(
            "'input' holds {} texts; this model takes at most {most} in one call.",
            texts.len()
        );
        return Err(Error::value("input", message));
    }
    Ok(texts)
}

/// What is said of every text.
struct Job<'a> {
    texts: Vec<Escaped<'a>>,
    task: Option<&'a str>,
    title: Option<&'a str>,
    dimensions: Option<u64>,
}

impl Job<'_> {
    fn batch(&self, target: &Target<'_>, out: &mut Vec<u8>) {
        let model = target.model.strip_prefix("models/").unwrap_or(target.model);
        let model = quoted(&format!("models/{model}"));
        out.extend_from_slice(b"{\"requests\":[");
        for text in &self.texts {
            comma(out);
            out.push(b'{');
            member("model", &model, out);
            self.content(*text, out);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }

    fn one(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for text in &self.texts {
            self.content(*text, out);
        }
        out.push(b'}');
    }

    fn content(&self, text: Escaped<'_>, out: &mut Vec<u8>) {
        key("content", out);
        out.extend_from_slice(b"{\"parts\":[{\"text\":");
        text.write_quoted(out);
        out.extend_from_slice(b"}]}");
        if let Some(task) = self.task {
            member("taskType", task, out);
        }
        if let Some(title) = self.title {
            member("title", title, out);
        }
        if let Some(dimensions) = self.dimensions {
            member("outputDimensionality", &dimensions.to_string(), out);
        }
    }

    fn predict(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"instances\":[");
        for text in &self.texts {
            comma(out);
            out.push(b'{');
            key("content", out);
            text.write_quoted(out);
            for (name, value) in [("task_type", self.task), ("title", self.title)] {
                if let Some(value) = value {
                    member(name, value, out);
                }
            }
            out.push(b'}');
        }
        out.push(b']');
        if let Some(dimensions) = self.dimensions {
            key("parameters", out);
            out.push(b'{');
            member("outputDimensionality", &dimensions.to_string(), out);
            out.push(b'}');
        }
        out.push(b'}');
    }
}

fn read(text: &str) -> Result<Found<'_>, Stop> {
    let odd = || Stop::Malformed("the answer has no embeddings".to_owned());
    let answer = Members::parse(text).map_err(|_| odd())?;
    if let Some(error) = answer.find("error") {
        return Err(Stop::Failed(failure::within(error.get())));
    }
    if let Some(predictions) = answer.find("predictions").and_then(elements) {
        return predicted(&predictions).ok_or_else(odd);
    }
    let list = match (answer.find("embeddings"), answer.find("embedding")) {
        (Some(list), _) => elements(list).ok_or_else(odd)?,
        (None, Some(one)) => vec![one],
        (None, None) => return Err(odd()),
    };
    let vectors: Option<Vec<&RawValue>> = list.into_iter().map(values).collect();
    let usage = answer
        .find("usageMetadata")
        .and_then(|raw| Members::parse(raw.get()).ok());
    let tokens = usage.and_then(|usage| usage.find("promptTokenCount"));
    Ok(Found {
        vectors: vectors.ok_or_else(odd)?,
        tokens: tokens.and_then(|raw| whole_number(raw.get())),
    })
}

fn values(raw: &RawValue) -> Option<&RawValue> {
    Members::parse(raw.get()).ok()?.find("values")
}

/// Embeddings of `predict`, each with its own count of tokens.
fn predicted<'a>(predictions: &[&'a RawValue]) -> Option<Found<'a>> {
    let mut found = Found {
        vectors: Vec::with_capacity(predictions.len()),
        tokens: None,
    };
    for raw in predictions {
        let embedding = Members::parse(raw.get()).ok()?.find("embeddings")?;
        found.vectors.push(values(embedding)?);
        let statistics = Members::parse(embedding.get()).ok()?.find("statistics");
        let counts = statistics.and_then(|raw| Members::parse(raw.get()).ok());
        let count = counts.and_then(|counts| whole_number(counts.find("token_count")?.get()));
        if let Some(count) = count {
            found.tokens = Some(found.tokens.unwrap_or_default().saturating_add(count));
        }
    }
    Some(found)
}
