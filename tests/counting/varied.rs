//! Counts of varied text: up to a size each text is counted whole, beyond it samples are, within the error that is stated.

use std::fmt::Write as _;

use waypost::catalog::{Factor, Reading};
use waypost::chat::Request;
use waypost::route::{Counter, How, Load, WHOLE};

/// Numbers one after the other, the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// All files below a folder that end so, in the order of their names.
fn files(folder: &str, end: &str) -> String {
    let mut paths = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(format!("{ROOT}/{folder}"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let texts = paths
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok());
    texts.collect::<Vec<_>>().concat()
}

/// Sentences of Chinese and Japanese characters that are in use, with their marks.
fn east(draw: &mut Draw, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let kana = draw.below(3) == 0;
        for _ in 0..6 + draw.below(30) {
            let (from, range) = if kana {
                (0x3042, 0x50)
            } else {
                (0x4E00, 0x1200)
            };
            text.extend(char::from_u32(
                from + u32::try_from(draw.below(range)).unwrap(),
            ));
        }
        text.push_str(["\u{3002}", "\u{ff0c}", "\u{3002}\n"][draw.below(3)]);
    }
    text
}

fn base64(draw: &mut Draw, bytes: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..bytes)
        .map(|_| char::from(DIGITS[draw.below(64)]))
        .collect()
}

/// Rows of figures, dates and ids, as logs and tables have them.
fn rows(draw: &mut Draw, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let (day, id, amount) = (draw.below(28), draw.below(1 << 32), draw.below(1_000_000));
        writeln!(
            text,
            "2026-11-{day:02}T07:{:02}:00Z,{id:08x},{amount}.{:02},ok",
            day * 2,
            day
        )
        .unwrap();
    }
    text
}

/// Every kind in turn, a few thousand bytes of each.
fn mixed(draw: &mut Draw, kinds: &[(&str, String)], bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let (_, kind) = &kinds[draw.below(kinds.len())];
        let length = 500 + draw.below(6_000);
        let from = draw.below(kind.len().saturating_sub(length).max(1));
        text.push_str(cut(&kind[floor(kind, from)..], length));
    }
    text
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..floor(text, bytes.min(text.len()))]
}

fn kinds() -> Vec<(&'static str, String)> {
    let mut draw = Draw(7);
    let mut kinds = vec![
        ("code", files("src", ".rs")),
        (
            "prose",
            [
                files("docs", ".md"),
                files("tests", ".rs"),
                files("src", ".rs"),
            ]
            .concat(),
        ),
        (
            "json",
            files("fixtures", ".json") + &files("tests", ".json"),
        ),
        ("events", files("fixtures", ".sse")),
        ("toml", files("src/catalog", ".toml")),
        ("cjk", east(&mut draw, 400_000)),
        ("base64", base64(&mut draw, 400_000)),
        ("rows", rows(&mut draw, 400_000)),
    ];
    // Prose is what comments and pages say, without code.
    let lines = kinds[1].1.lines();
    let said = lines.filter_map(|line| {
        let comment = line.trim_start().strip_prefix("//");
        let page = line
            .chars()
            .next()
            .filter(|first| first.is_alphabetic())
            .map(|_| line);
        comment
            .map(|rest| rest.trim_start_matches(['/', '!', ' ']))
            .or(page)
    });
    let said: Vec<&str> = said
        .filter(|line| line.len() > 40 && !line.ends_with(['{', ';', ',']))
        .collect();
    kinds[1].1 = said.join(" ");
    let all = mixed(&mut draw, &kinds, 400_000);
    kinds.push(("mixed", all));
    kinds
}

fn request(text: &str) -> Request {
    let text = serde_json::to_string(text).unwrap();
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{text}}}]}}"#);
    Request::parse(body.into_bytes()).unwrap()
}

#[test]
fn whole_counts_are_exact_and_samples_within_what_is_stated() {
    let counter = Counter::warm().unwrap();
    let mut worst = Vec::new();
    for (kind, text) in kinds() {
        assert!(text.len() > 200_000, "{kind}: {} bytes", text.len());
        for bytes in [2_000, 12_000, 20_000, 50_000, 200_000] {
            let mut off = Vec::new();
            let mut guessed = Vec::new();
            for passage in 0..5 {
                let room = text.len() - bytes;
                let begin = floor(&text, room * passage / 4);
                let part = cut(&text[begin..], bytes);
                let asked = request(part);
                let load = Load::of(&asked).unwrap();
                let (exact, counted) = (counter.count(part), load.count(counter, WHOLE));
                let escaped = serde_json::to_string(part).unwrap().len() - 2;
                if escaped <= WHOLE {
                    assert_eq!((counted.how, counted.said), (How::Exactly, exact), "{kind}");
                } else {
                    assert_eq!(counted.how, How::Sampled);
                }
                let bare = Reading {
                    all: 0,
                    each: 0,
                    ..Reading::default()
                };
                let error = load.estimate(counted, Some(Factor::ONE), &bare).error;
                let miss = counted.said.abs_diff(exact);
                worst.push((miss > error).then(|| format!("{kind} {bytes} {miss} of {exact}")));
                off.push(permille(counted.said, exact));
                guessed.push(permille(load.guess().said, exact));
            }
            println!("{kind:8} {bytes:>7}: off by {off:?} permille, by guess {guessed:?}");
        }
    }
    let missed: Vec<_> = worst.iter().flatten().collect();
    assert!(
        missed.is_empty(),
        "{} of {}: {missed:?}",
        missed.len(),
        worst.len()
    );
}

fn permille(found: u64, exact: u64) -> i64 {
    let (found, exact) = (i64::try_from(found).unwrap(), i64::try_from(exact).unwrap());
    (found - exact) * 1_000 / exact.max(1)
}
