//! What providers send: frames, answers, failures, usage.

use std::sync::LazyLock;

use waypost::account::Money;
use waypost::catalog::cost::{Fees, Tariff, billed, said_cost};
use waypost::catalog::{Catalog, Provider, When};
use waypost::chat::chunk::{Extras, Identity};
use waypost::chat::{ChunkWriter, Sink, Tokens, WholeWriter};
use waypost::dialect::codec::Reply;
use waypost::dialect::{
    DIALECTS, Decode, Dialect, Shape, Target, eventstream as binary, sse as lines,
};

use super::{cuts, parts};

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::builtin().expect("our own catalogue"));

/// 2026-11-25 12:00.
const NOON: u64 = 1_795_608_000;

/// Whoever speaks a format first, and a model of theirs that is asked in it.
fn site(name: &str) -> Option<(&'static Provider, &'static str)> {
    CATALOG.providers().iter().find_map(|provider| {
        let speaks = |id: &&str| provider.resolve(id).dialect.name() == name;
        let mut ids = provider.models.iter().map(|model| model.id.as_str());
        Some((&**provider, ids.find(speaks)?))
    })
}

/// Works with a target of a format.
pub(crate) fn with_target<T>(name: &str, work: impl FnOnce(&Target<'_>) -> T) -> T {
    let Some((provider, model)) = site(name) else {
        let (quirks, caps) = Default::default();
        return work(&Target {
            model: "a-model",
            quirks: &quirks,
            caps: &caps,
        });
    };
    let caps = provider.resolve(model).caps;
    work(&Target {
        model,
        quirks: &provider.quirks,
        caps: &caps,
    })
}

/// Server-sent events: the same under any cut.
pub(crate) fn sse(data: &[u8]) {
    let read = |pieces: &[&[u8]]| {
        let mut framer = lines::Framer::new();
        let mut found = Vec::new();
        for piece in pieces {
            let each = |frame: lines::Frame<'_>| {
                found.push((frame.event.to_vec(), frame.data.to_vec()));
                true
            };
            if framer.push(piece, each).is_err() {
                return (found, false);
            }
        }
        framer.finish(|frame| {
            found.push((frame.event.to_vec(), frame.data.to_vec()));
            true
        });
        (found, true)
    };
    assert_eq!(read(&[data]), read(&cuts(data, seed(data))));
}

/// Binary frames: the same under any cut.
pub(crate) fn eventstream(data: &[u8]) {
    let read = |pieces: &[&[u8]]| {
        let mut framer = binary::Framer::default();
        let mut found = Vec::new();
        for piece in pieces {
            let each = |frame: binary::Frame<'_>| {
                found.push((
                    frame.kind.to_owned(),
                    frame.words.to_owned(),
                    frame.payload.to_vec(),
                ));
                true
            };
            if framer.push(piece, each).is_err() {
                return (found, false);
            }
        }
        (found, true)
    };
    assert_eq!(read(&[data]), read(&cuts(data, seed(data))));
}

/// An answer in any format, whole and streamed: the client gets the same under any cut, and never what is no JSON.
pub(crate) fn decode(data: &[u8]) {
    for (name, dialect) in DIALECTS {
        for shape in [Shape::Stream, Shape::Whole] {
            let whole = streamed((name, *dialect), shape, &[data]);
            let cut = streamed((name, *dialect), shape, &cuts(data, seed(data)));
            assert_eq!(whole, cut, "{name} under a cut");
            let pieces = whole
                .split("\n\n")
                .filter_map(|event| event.strip_prefix("data: "));
            for json in pieces.filter(|json| *json != "[DONE]") {
                serde_json::from_str::<&serde_json::value::RawValue>(json)
                    .unwrap_or_else(|error| panic!("{name}: {error} in {json}"));
            }
            let mut writer = WholeWriter::new(identity(), Extras::Shown);
            if feed((name, *dialect), shape, &[data], &mut writer) {
                serde_json::from_slice::<&serde_json::value::RawValue>(&writer.close(None))
                    .unwrap_or_else(|error| panic!("{name}: {error} in a whole answer"));
            }
        }
    }
}

fn streamed(dialect: (&str, &dyn Dialect), shape: Shape, pieces: &[&[u8]]) -> String {
    let mut writer = ChunkWriter::new(identity(), true.into(), Extras::Shown);
    if feed(dialect, shape, pieces, &mut writer) {
        writer.close(None);
    }
    String::from_utf8(writer.take().to_vec()).expect("text")
}

fn identity() -> Identity {
    Identity {
        id: "chatcmpl-0".to_owned(),
        model: "a-model".to_owned(),
        created: 0,
    }
}

/// Says whether the answer was complete.
fn feed(
    (name, dialect): (&str, &dyn Dialect),
    shape: Shape,
    pieces: &[&[u8]],
    sink: &mut dyn Sink,
) -> bool {
    let reply = Reply {
        stream: true,
        include_usage: true,
        ..Reply::default()
    };
    let mut decoder: Box<dyn Decode> =
        with_target(name, |target| dialect.decoder(target, shape, reply));
    for piece in pieces {
        if decoder.done() {
            break;
        }
        if decoder.push(piece, sink).is_err() {
            return false;
        }
    }
    decoder.finish(sink).is_ok()
}

/// A refusal in any format. Parts: a body, and a `retry-after`.
pub(crate) fn failure(data: &[u8]) {
    let parts = parts(data);
    let again = parts.get(1).map_or_else(String::new, |again| {
        String::from_utf8_lossy(again).into_owned()
    });
    let headers = [
        ("retry-after", again.as_str()),
        ("content-type", "application/json"),
    ];
    for (_, dialect) in DIALECTS {
        for status in [400, 401, 404, 413, 429, 500, 503, 529] {
            let failure = dialect.failure(status, &headers, parts[0]);
            let mut body = Vec::new();
            failure.error().write(&mut body);
            serde_json::from_slice::<serde_json::Value>(&body).expect("an error is JSON");
        }
    }
}

/// Counts of any size at any price, and what a provider says that it bills. Parts: a usage, then eight bytes per count.
pub(crate) fn usage(data: &[u8]) {
    let parts = parts(data);
    let text = String::from_utf8_lossy(parts[0]);
    let counts = parts.get(1).map_or(&[][..], |counts| counts);
    let mut counts = counts.chunks_exact(8).map(|bytes| {
        let mut number = [0; 8];
        number.copy_from_slice(bytes);
        u64::from_le_bytes(number)
    });
    let tokens = Tokens {
        prompt: counts.next().unwrap_or(7),
        completion: counts.next().unwrap_or(9),
        cached: counts.next(),
        cache_write: counts.next(),
        cache_write_1h: counts.next(),
        reasoning: counts.next(),
        audio_prompt: counts.next(),
        audio_completion: counts.next(),
        searches: counts.next(),
    };
    let _: Option<Money> = said_cost(&text);
    let billed = billed(&text, &tokens).unwrap_or(tokens);
    for provider in CATALOG.providers() {
        for model in &provider.models {
            let Some(tariff) = Tariff::of(provider, model, When::unix(NOON)) else {
                continue;
            };
            let cost = tariff.cost(&billed, &Fees::of(&billed)).money;
            let none = tariff.cost(&Tokens::default(), &Fees::default()).money;
            assert!(cost >= none, "{}: more tokens cost less", model.id);
        }
    }
}

/// Cuts hang on the bytes, so that an input that fails fails again.
fn seed(data: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    data.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
