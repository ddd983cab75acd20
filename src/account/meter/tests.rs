//! Meters count bytes where they must, and tokens where they can.

use super::*;
use crate::account::Amount;
use crate::chat::Usage;

fn metered(ceiling: u64) -> Meter {
    let pace = Pace {
        start: Amount::from(Money::nano(100)),
        each: Amount::from(Money::nano(2)),
        unseen: 0,
        token_parts: 10_000,
        slack: None,
    };
    Meter::new(pace, Money::nano(ceiling))
}

fn text(words: &str) -> Event<'_> {
    Event::Text {
        choice: 0,
        text: Escaped::trusted(words),
    }
}

#[test]
fn it_is_over_at_the_first_token_that_might_not_be_paid() {
    let mut meter = metered(100 + 2 * (PER_CHOICE + 10));
    meter.event(text("123456789"));
    assert!(!meter.over());
    meter.event(text("0"));
    assert!(!meter.over(), "exactly the ceiling");
    assert_eq!(meter.due_after(0), Money::nano(100 + 2 * (PER_CHOICE + 10)));
    meter.event(text("1"));
    assert!(meter.over());
    let tight = metered(99);
    assert_eq!(tight.room, None);
    assert!(tight.over(), "the prompt alone is above it");
}

#[test]
fn a_report_replaces_what_was_guessed_before_it() {
    let mut meter = metered(u64::MAX);
    let long = "x".repeat(4_000);
    meter.event(text(&long));
    let guess = meter.output_estimate();
    assert!((900..1_000).contains(&guess), "{guess}");
    let tokens = Tokens {
        completion: 700,
        ..Tokens::default()
    };
    meter.event(Event::Usage(Usage { tokens, raw: None }));
    assert_eq!(
        (meter.output_most(), meter.output_estimate()),
        (700 + PER_CHOICE, 700)
    );
    meter.event(text("abcd"));
    assert_eq!(meter.output_most(), 704 + PER_CHOICE);
    assert_eq!(meter.reported(), Some(&tokens));
}

#[test]
fn chunks_handed_on_count_as_the_events_they_are() {
    let mut meter = metered(u64::MAX);
    let chunks = [
        r#"{"id":"c","model":"delta","n":1,"choices":[{"index":0,"delta":{"content":"say \"delta\": {x}"},"logprobs":{"content":[{"token":"no"}]},"finish_reason":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}},{"index":1,"delta":{"content":"b"}}]}"#,
        r#"{"choices":[{"delta" : {"content":"spaced"}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}"#,
        r#"{"choices":[{"message":{"role":"assistant","content":"whole"}}]}"#,
    ];
    for chunk in chunks {
        meter.event(Event::Raw(chunk));
    }
    let said = len(r#"say \"delta\": {x}"#) + 1 + len("spaced") + len("whole");
    assert_eq!(meter.seen(), (said, 2, len(r#"f{\"a\":1}"#)));
    assert_eq!(meter.calls, 1);
}

/// A token is four letters, or what is left of a word.
#[derive(Debug)]
struct Fours;

impl Vocabulary for Fours {
    fn count(&self, text: &str) -> Option<u64> {
        let words = text.split_whitespace();
        Some(words.map(|word| len(word).div_ceil(4)).sum())
    }
}

#[test]
fn what_is_counted_is_held_with_its_slack_and_never_more_than_the_bytes() {
    let pace = Pace {
        each: Amount::from(Money::nano(1)),
        token_parts: 15_000,
        slack: Some(Slack::MEASURED),
        ..Pace::default()
    };
    let mut meter = Meter::new(pace, Money::MAX).counted_by(&Fours);
    for _ in 0..100 {
        meter.event(text("lighthouse "));
    }
    // 300 tokens are counted, of which the model makes half as many more, and 8 in 100; the last space may belong to
    // what follows.
    assert_eq!(meter.output_due(), PER_CHOICE + 450 + 36 + 1);
    assert!(meter.output_due() < meter.output_most());
    assert_eq!(meter.output_estimate(), 450 + 1);
    let tokens = Tokens {
        completion: 400,
        ..Tokens::default()
    };
    meter.event(Event::Usage(Usage { tokens, raw: None }));
    assert_eq!(meter.output_due(), PER_CHOICE + 400);
    let unknown = Pace {
        slack: None,
        ..pace
    };
    let mut blind = Meter::new(unknown, Money::MAX).counted_by(&Fours);
    blind.event(text("lighthouse "));
    assert_eq!(
        blind.output_due(),
        PER_CHOICE + len("lighthouse "),
        "a byte is a token"
    );
}

#[test]
fn as_much_as_came_at_once_is_held_for_what_comes_next() {
    let mut meter = metered(100 + 2 * (PER_CHOICE + 100));
    for _ in 0..2 {
        meter.event(text(&"x".repeat(40)));
        meter.batched();
    }
    assert_eq!(meter.output_due(), PER_CHOICE + 80 + 40);
    assert!(
        meter.over(),
        "a third of that size would be beyond the ceiling"
    );
}
