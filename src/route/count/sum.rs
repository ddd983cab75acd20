//! Sums of a load: its bound, its estimate, its count.

use crate::catalog::{Factor, Reading, Sight};

use super::exact::Counter;
use super::load::{Load, Text, Unbounded};
use super::script::Script;

/// What a provider may put round a conversation: a system text of its own (one takes 680 tokens), a beginning, a prompt
/// for the answer.
const ROUND_ALL: u64 = 1_024;
/// Round each message and each call: its role, its ends, its name and id.
const ROUND_EACH: u64 = 16;
/// What tools or a format add once: instructions on how to call and how to answer.
const ROUND_TOOLS: u64 = 1_024;
/// Round each tool.
const ROUND_TOOL: u64 = 64;

/// How many tokens any estimate may be off.
const FEW: u64 = 16;

/// Bytes of texts that are counted whole; of longer prompts so many in samples. Some hundred microseconds at most.
pub const WHOLE: usize = 16 * 1_024;

/// Bytes of a long prompt that are counted at a time when samples are taken: many small ones see more of a text that is
/// of several kinds than few large ones, and each cut costs less than a token.
const SAMPLE: usize = 512;

/// Tokens of a prompt at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many.
    Tokens(u64),
    /// As many as the model takes.
    Window,
    /// None.
    Endless,
}

/// Tokens of a prompt, by guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The likely number.
    pub tokens: u64,
    /// How far off it usually is at most, either way.
    pub error: u64,
}

/// Tokens of `o200k` in the texts of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// In what is said.
    pub said: u64,
    /// In the JSON of tools and formats.
    pub schemas: u64,
    /// How sure that is.
    pub how: How,
}

/// How texts were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Each.
    Exactly,
    /// Samples of them, and the rest by the guess that the samples corrected.
    Sampled,
    /// By guess alone.
    Guessed,
}

impl Bound {
    /// The number for a model with such a window for its input, if there is one: what is larger is refused, not billed.
    #[must_use]
    pub fn within(self, window: Option<u64>) -> Option<u64> {
        match self {
            Self::Tokens(tokens) => Some(window.map_or(tokens, |window| tokens.min(window))),
            Self::Window => window,
            Self::Endless => None,
        }
    }
}

impl Load<'_> {
    /// Tokens at most for a model that sees like this. `kept` is how many bytes of earlier turns the proxy adds.
    ///
    /// No tokenizer in use makes more than one token of a byte of text: byte-level ones begin at single bytes, the others
    /// fall back to them. JSON's escapes and keys only make text longer than what it says; tools and formats, which
    /// providers write out anew, count twice. Templates get more than any known one takes.
    #[must_use]
    pub fn bound(&self, sight: Sight, kept: u64) -> Bound {
        match self.unbounded {
            Some(Unbounded::ServerTool) => return Bound::Endless,
            Some(Unbounded::Media) => return Bound::Window,
            None => {}
        }
        let frames = ROUND_EACH.saturating_mul(self.messages.saturating_add(self.calls));
        let tools = ROUND_TOOL.saturating_mul(self.tools);
        let once = if self.schema_bytes == 0 {
            0
        } else {
            ROUND_TOOLS
        };
        let pictures = self.pictures.iter().map(|picture| sight.most(*picture));
        let parts = [
            ROUND_ALL,
            frames,
            tools,
            once,
            self.bytes,
            self.schema_bytes,
            self.growth,
            self.sound_bytes,
            kept,
        ];
        Bound::Tokens(
            parts
                .into_iter()
                .chain(pictures)
                .fold(0, u64::saturating_add),
        )
    }

    /// Tokens at most for a model whose tokenizer is the counter's: what was counted, and for all that stands round the
    /// texts a token a byte and the templates of [`Load::bound`]. `None` where anything but single texts is read, or the
    /// count is no whole one.
    ///
    /// Each message is tokenized by itself, between marks that no text can make, so that the count of its one text is
    /// what is billed. Where a message has several, nobody says how they are joined, and a joint may cost tokens.
    #[must_use]
    pub fn counted_bound(&self, counted: Counted, kept: u64) -> Option<u64> {
        let plain = self.unbounded.is_none()
            && !self.joined
            && self.calls == 0
            && self.schema_bytes == 0
            && self.pictures.is_empty()
            && self.sound_bytes == 0;
        if !plain || counted.how != How::Exactly {
            return None;
        }
        let round = self.bytes.saturating_sub(self.text_bytes);
        let frames = ROUND_EACH.saturating_mul(self.messages);
        let parts = [ROUND_ALL, frames, round, counted.said, kept];
        Some(parts.into_iter().fold(0, u64::saturating_add))
    }

    /// Tokens by guess: those of the texts, times the model's own tokens per token of `o200k`, and what the model's way of
    /// reading adds.
    ///
    /// The error is what five of six short prompts keep within, and more of the long ones: a fifth of what was guessed, a
    /// twelfth of what was sampled, a twentieth of what was counted; a third more where the model's tokenizer is not known; half of what schemas and templates are thought to be, and a few
    /// tokens; all of what files and sounds are.
    #[must_use]
    pub fn estimate(
        &self,
        counted: Counted,
        factor: Option<Factor>,
        reading: &Reading,
    ) -> Estimate {
        let sight = reading.sight;
        let parts = u64::from(factor.unwrap_or(Factor::ONE).as_parts());
        let own = |tokens: u64| tokens.saturating_mul(parts).div_ceil(10_000);
        let text = own(counted.said);
        let schemas = own(counted.schemas).saturating_mul(u64::from(reading.schema)) / 100;
        let each = u64::from(reading.each).saturating_mul(self.messages.saturating_add(self.calls));
        let tool = u64::from(reading.tool).saturating_mul(self.tools);
        let once = match (self.tools, self.schema_bytes) {
            (0, 0) => 0,
            (0, _) => u64::from(reading.tools) / 4,
            (_, _) => u64::from(reading.tools),
        };
        let tools = tool.saturating_add(once);
        let frames = each
            .saturating_add(tools)
            .saturating_add(u64::from(reading.all));
        let pictures = self.pictures.iter().map(|picture| sight.likely(*picture));
        let pictures = pictures.fold(0, u64::saturating_add);
        // Speech at 64 kbit/s in tokens of a tenth of a second; a page of 60 kB and 2,500 tokens.
        let sounds = self.sound_bytes / 800;
        let pages = if self.file_bytes == 0 {
            0
        } else {
            (self.file_bytes / 60_000).max(1)
        };
        let pages = pages.saturating_mul(2_500);
        let vague = sounds.saturating_add(pages);
        let hundredths = match counted.how {
            How::Exactly => 5,
            How::Sampled => 8,
            How::Guessed => 20,
        };
        let hundredths = hundredths + if factor.is_none() { 33 } else { 0 };
        let vague = vague.saturating_add(pictures / 2);
        let shaped = schemas.saturating_add(frames) / 2;
        let error = text.saturating_mul(hundredths) / 100;
        let sum = text.saturating_add(schemas).saturating_add(frames);
        Estimate {
            tokens: sum
                .saturating_add(pictures)
                .saturating_add(sounds)
                .saturating_add(pages),
            error: error
                .saturating_add(shaped)
                .saturating_add(vague)
                .saturating_add(FEW),
        }
    }

    /// The texts by guess.
    #[must_use]
    pub fn guess(&self) -> Counted {
        Counted {
            said: self.said.tokens(),
            schemas: self.schemas.tokens(),
            how: How::Guessed,
        }
    }

    /// The texts by count: each of them where together they are within `budget` bytes, else samples of that size.
    #[must_use]
    pub fn count(&self, counter: Counter, budget: usize) -> Counted {
        let total: usize = self.texts.iter().map(|text| text.raw().len()).sum();
        if total > budget {
            return self.sampled(counter, total.div_ceil((budget / SAMPLE).max(1)));
        }
        let (mut said, mut schemas) = (0_u64, 0_u64);
        for text in &self.texts {
            let sum = if matches!(text, Text::Json(_)) {
                &mut schemas
            } else {
                &mut said
            };
            *sum += counter.count(&text.said());
        }
        Counted {
            said,
            schemas,
            how: How::Exactly,
        }
    }

    /// Corrects the guess by a sample each so many bytes.
    fn sampled(&self, counter: Counter, every: usize) -> Counted {
        let (mut script, mut tokens, mut at) = (Script::default(), 0_u64, 0_usize);
        for text in &self.texts {
            let length = text.raw().len();
            for begin in (at.next_multiple_of(every) - at..length).step_by(every) {
                let (from, to) = sample(text.raw(), begin);
                let sample = text.part(from, to);
                script.add(sample.raw());
                tokens += counter.count(&sample.said());
            }
            at += length;
        }
        let guessed = u128::from(script.tokens().max(1));
        let corrected = |guess: u64| {
            let scaled = u128::from(guess) * u128::from(tokens) / guessed;
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        Counted {
            said: corrected(self.said.tokens()),
            schemas: corrected(self.schemas.tokens()),
            how: How::Sampled,
        }
    }
}

/// A sample from about a place on, that cuts neither a character nor an escape in two.
fn sample(text: &str, begin: usize) -> (usize, usize) {
    let from = whole(text, begin);
    (from, whole(text, begin + SAMPLE).max(from))
}

/// The last place up to `at` where a text can be cut. An escape is at most six bytes long, and a run of backslashes
/// before it may belong to it.
fn whole(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at.min(bytes.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if at == bytes.len() {
        return at;
    }
    let near = at.saturating_sub(6);
    let Some(escape) = bytes
        .get(near..at)
        .and_then(|bytes| memchr::memrchr(b'\\', bytes))
    else {
        return at;
    };
    let last = near + escape;
    let run = bytes.get(..last).unwrap_or_default().iter().rev();
    last - run.take_while(|byte| **byte == b'\\').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Request;

    fn request(content: &str, more: &str) -> Request {
        let body =
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]{more}}}"#);
        Request::parse(body.into_bytes()).unwrap()
    }

    #[test]
    fn samples_cut_nothing_in_two() {
        let text = "\u{4eca}\\\\\\n\\u4eca\u{1f600}x".repeat(40);
        for begin in 0..text.len() {
            let at = whole(&text, begin);
            assert!(at <= begin && text.is_char_boundary(at));
            let inside = Escaped::quoted_inside(&text[at..]);
            assert!(inside, "{at}: {}", &text[at..]);
        }
    }

    /// Whether a text is the inside of a JSON string.
    struct Escaped;

    impl Escaped {
        fn quoted_inside(text: &str) -> bool {
            serde_json::from_str::<String>(&format!("\"{text}\"")).is_ok()
        }
    }

    #[test]
    fn long_prompts_are_sampled_and_near() {
        let counter = Counter::warm().unwrap();
        let code = include_str!("load.rs").repeat(12);
        let prose = "The quick brown fox jumps over the lazy dog, and nobody minds. ".repeat(1_000);
        let request = request(&serde_json::to_string(&(code + &prose)).unwrap(), "");
        let load = Load::of(&request).unwrap();
        let (exact, sampled) = (load.count(counter, usize::MAX), load.count(counter, 32_768));
        assert_eq!((exact.how, sampled.how), (How::Exactly, How::Sampled));
        let off = exact.said.abs_diff(sampled.said) * 100 / exact.said;
        assert!(off <= 8, "{} for {}", sampled.said, exact.said);
    }

    #[test]
    fn what_cannot_be_bounded_says_so() {
        let most = |content: &str, more: &str| {
            let request = request(content, more);
            Load::of(&request).unwrap().bound(Sight::Unknown, 0)
        };
        let Bound::Tokens(text) = most("\"hi\"", "") else {
            panic!("a text has a bound")
        };
        assert!(text > 1_024 && text < 1_100, "{text}");
        let file = r#"[{"type":"file","file":{"file_id":"f"}}]"#;
        assert_eq!(most(file, ""), Bound::Window);
        assert_eq!(most(file, "").within(Some(9)), Some(9));
        let search = r#","tools":[{"type":"web_search_preview"}]"#;
        assert_eq!(most(file, search), Bound::Endless);
        assert_eq!(most(file, search).within(Some(9)), None);
        let image = r#"[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]"#;
        assert!(matches!(most(image, ""), Bound::Tokens(tokens) if tokens > 48_000));
        // A picture's base64 is no text; a sound is a token a byte at most.
        let inline = format!(
            r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}}]"#,
            "A".repeat(90_000)
        );
        assert!(matches!(most(&inline, ""), Bound::Tokens(tokens) if tokens < 50_000));
        let sound = format!(
            r#"[{{"type":"input_audio","input_audio":{{"data":"{}","format":"wav"}}}}]"#,
            "A".repeat(4_000)
        );
        assert!(
            matches!(most(&sound, ""), Bound::Tokens(tokens) if tokens > 4_000 && tokens < 5_000)
        );
    }
}
