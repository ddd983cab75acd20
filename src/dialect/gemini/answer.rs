//! One answer, response by response: shared by the stream and the whole document.
//!
//! Every event of a stream is a full response with what is new. Nothing says that it was the last one, so finish
//! reasons are held until the end.

use crate::chat::{Code, Escaped, Event, Sink, Usage};
use crate::dialect::codec::{Failure, Reply, Stop};
use crate::dialect::ids::digest;

use super::choice::{Choice, Ending};
use super::desk::Desk;
use super::failure;
use super::repeat::News;
use super::usage::Counts;
use super::wire::{Candidate, Feedback, Few, Response, count, text};

/// An answer being read.
#[derive(Debug)]
pub(super) struct Answer {
    desk: Desk,
    responses: u32,
    choices: Vec<Choice>,
    counts: Counts,
}

impl Answer {
    pub(super) const fn new(reply: Reply) -> Self {
        Self {
            desk: Desk {
                reply,
                seed: String::new(),
                scratch: Vec::new(),
                escaped: Vec::new(),
            },
            responses: 0,
            choices: Vec::new(),
            counts: Counts::NONE,
        }
    }

    /// Takes one response.
    pub(super) fn take(
        &mut self,
        response: &Response<'_>,
        json: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if let Some(error) = response.error {
            return Err(Stop::Failed(failure::within(error.get())));
        }
        self.start(response, json, sink);
        self.responses = self.responses.saturating_add(1);
        let mut position = 0;
        for candidate in response.candidates.iter().flat_map(Few::iter) {
            self.candidate(position, candidate, sink);
            position = position.saturating_add(1);
        }
        if position == 0
            && let Some(feedback) = &response.prompt_feedback
        {
            self.blocked(feedback, sink);
        }
        if let Some(usage) = &response.usage_metadata
            && self.counts.take(usage)
        {
            let tokens = self.counts.tokens();
            sink.event(Event::Usage(Usage { tokens, raw: None }));
        }
        Ok(())
    }

    /// Takes what is new in a response that repeats the one before, which must have been taken.
    pub(super) fn add(&mut self, news: &News<'_>, sink: &mut dyn Sink) -> bool {
        let mut choices = self.choices.iter_mut();
        let Some(choice) = choices.find(|choice| choice.index == news.index) else {
            return false;
        };
        choice.add(news.words, news.is_thought, sink);
        self.responses = self.responses.saturating_add(1);
        if self.counts.add(news) {
            let tokens = self.counts.tokens();
            sink.event(Event::Usage(Usage { tokens, raw: None }));
        }
        true
    }

    fn start(&mut self, response: &Response<'_>, json: &str, sink: &mut dyn Sink) {
        if self.responses > 0 {
            return;
        }
        let id = text(response.response_id);
        let shown = if id.is_empty() {
            self.desk.seed = digest(json, 24);
            String::new()
        } else {
            id.as_str().clone_into(&mut self.desk.seed);
            format!("chatcmpl-{}", id.as_str())
        };
        sink.event(Event::Start {
            id: Escaped::trusted(&shown),
            model: text(response.model_version),
            created: unix_seconds(text(response.create_time).as_str()),
        });
    }

    fn candidate(&mut self, position: u32, candidate: &Candidate<'_>, sink: &mut dyn Sink) {
        let index = count(candidate.index).and_then(|index| u32::try_from(index).ok());
        let index = index.unwrap_or(position);
        let at = self.choices.iter().position(|choice| choice.index == index);
        let at = at.unwrap_or_else(|| {
            self.choices.push(Choice::new(index, &self.desk.reply));
            self.choices.len().saturating_sub(1)
        });
        let first = self.responses <= 1;
        if let Some(choice) = self.choices.get_mut(at) {
            choice.take(candidate, first, &mut self.desk, sink);
        }
    }

    /// The prompt itself was refused: that is the answer (E-69).
    fn blocked(&mut self, feedback: &Feedback<'_>, sink: &mut dyn Sink) {
        let reason = text(feedback.block_reason);
        if reason.is_empty() || !self.choices.is_empty() {
            return;
        }
        let message = text(feedback.block_reason_message);
        let made = format!("Prompt blocked: {}", reason.as_str());
        let words = if message.is_empty() {
            Escaped::trusted(&made)
        } else {
            message
        };
        sink.event(Event::Refusal {
            choice: 0,
            text: words,
        });
        self.choices.push(Choice::blocked(&self.desk.reply));
    }

    /// Takes the end: everything that waited for it is sent.
    pub(super) fn end(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.responses == 0 {
            return Err(Stop::Truncated);
        }
        if self.choices.is_empty() {
            let what = "an answer with neither candidates nor feedback";
            return Err(Stop::Malformed(what.to_owned()));
        }
        if self.choices.iter().any(|choice| choice.ending.is_none()) {
            return Err(Stop::Truncated);
        }
        self.failed()?;
        if let Some(tier) = self.counts.tier {
            let json = format!("\"{tier}\"");
            sink.event(Event::Top {
                name: "service_tier",
                json: &json,
            });
        }
        for choice in &mut self.choices {
            choice.end(&mut self.desk, sink);
        }
        Ok(())
    }

    /// An answer that is nothing but a failure to answer.
    fn failed(&self) -> Result<(), Stop> {
        if self.choices.iter().any(|choice| choice.has_output) {
            return Ok(());
        }
        for choice in &self.choices {
            match &choice.ending {
                Some(Ending::Broken(word)) => {
                    let message = format!("the model's output was unusable ({word})");
                    let failure = Failure::provider(Code::UpstreamMalformedOutput, message);
                    return Err(Stop::Failed(failure));
                }
                Some(Ending::Disabled(word)) => return Err(Stop::Failed(failure::disabled(word))),
                Some(Ending::Done(..)) | None => {}
            }
        }
        Ok(())
    }
}

/// Reads one JSON text of a response or a list of them.
pub(super) fn responses(json: &str) -> Result<Vec<&str>, serde_json::Error> {
    let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(json)?;
    Ok(list
        .into_iter()
        .map(serde_json::value::RawValue::get)
        .collect())
}

/// `2026-02-15T07:50:39.178410Z` as Unix seconds.
fn unix_seconds(time: &str) -> Option<u64> {
    let field = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    if !time.ends_with('Z') || !(1..=12).contains(&month) {
        return None;
    }
    // Days of the civil calendar, years beginning in March.
    let shifted = year.saturating_sub(i64::from(month < 3));
    let of_year = month.saturating_add(9).checked_rem(12)?;
    let days = [
        shifted.saturating_mul(365),
        shifted.div_euclid(4),
        shifted.div_euclid(100).saturating_neg(),
        shifted.div_euclid(400),
        of_year.saturating_mul(153).saturating_add(2).div_euclid(5),
        day.saturating_sub(1),
        -719_468,
    ];
    let days = days.into_iter().fold(0_i64, i64::saturating_add);
    let of_day = hour
        .saturating_mul(3_600)
        .saturating_add(minute.saturating_mul(60))
        .saturating_add(second);
    let seconds = days.saturating_mul(86_400).saturating_add(of_day);
    u64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_unix_seconds() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-02-15T07:50:39.178410Z", Some(1_771_141_839)),
            ("2024-02-29T23:59:59Z", Some(1_709_251_199)),
            ("2026-13-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ];
        for (time, seconds) in table {
            assert_eq!(unix_seconds(time), seconds, "{time}");
        }
    }
}
