//! Faults before an answer begins: refusals, broken connections, verdicts.

use std::time::Duration;

use crate::house::{FIRST, House, SECOND, SHAPES, pairs};
use crate::wall::Does;
use crate::words::Dialect;

/// Time for two pauses and the answers.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_limit_that_says_how_long_is_waited_out() {
    for pair in pairs() {
        let house = House::start(pair).await;
        let asked = house.ask(Does::LimitedOnce, Does::Answers, SHAPES[1]).await;
        asked.is_of(FIRST, Does::LimitedOnce);
        asked.asked_primary(2..=2);
        let pause = asked.attempts[1].at.saturating_sub(asked.attempts[0].at);
        assert!(
            pause >= Duration::from_secs(1),
            "{}: after {pause:?}",
            asked.why
        );
        asked.within(SOON);
    }
}

#[tokio::test]
async fn a_limit_that_says_nothing_and_stays_leads_on() {
    for pair in pairs() {
        for shape in SHAPES {
            let house = House::start(pair).await;
            let asked = house.ask(Does::LimitedForEver, Does::Answers, shape).await;
            asked.is_of(SECOND, Does::Answers);
            asked.asked_primary(1..=3);
            asked.within(SOON);
        }
    }
}

#[tokio::test]
async fn what_broke_once_is_asked_again() {
    for pair in pairs() {
        for (does, shape) in [(Does::BrokenOnce, SHAPES[0]), (Does::ResetOnce, SHAPES[1])] {
            let house = House::start(pair).await;
            let asked = house.ask(does, Does::Answers, shape).await;
            asked.is_of(FIRST, does);
            asked.asked_primary(2..=2);
            asked.within(SOON);
        }
    }
}

#[tokio::test]
async fn who_is_down_for_ever_is_left_and_soon_not_asked_at_all() {
    for pair in pairs() {
        let house = House::start(pair).await;
        let mut attempts = 0;
        for call in 0..6 {
            let asked = house
                .ask(Does::DownForEver, Does::Answers, SHAPES[call % 2])
                .await;
            asked.is_of(SECOND, Does::Answers);
            asked.asked_primary(0..=3);
            asked.within(SOON);
            attempts += asked.attempts.len();
        }
        assert!(attempts <= 8, "{pair:?}: {attempts} attempts in six calls");
        assert!(
            house
                .ask(Does::DownForEver, Does::Answers, SHAPES[0])
                .await
                .attempts
                .is_empty(),
            "{pair:?}"
        );
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_goes_to_whom_it_fits_at_once() {
    for pair in pairs() {
        for shape in SHAPES {
            let house = House::start(pair).await;
            let asked = house.ask(Does::TooLong, Does::Answers, shape).await;
            asked.is_of(SECOND, Does::Answers);
            asked.asked_primary(1..=1);
            asked.within(Duration::from_secs(1));
        }
    }
}

#[tokio::test]
async fn a_verdict_of_a_filter_is_the_answer() {
    for pair in pairs() {
        for shape in SHAPES {
            let house = House::start(pair).await;
            let asked = house.ask(Does::Filtered, Does::Answers, shape).await;
            let text = asked.reply.text();
            if pair.0 == Dialect::Gemini {
                // There it is an answer that ends so.
                assert!(
                    text.contains(r#""finish_reason":"content_filter""#),
                    "{text}"
                );
            } else {
                assert!(text.contains(r#""code":"content_filter""#), "{text}");
                let again = asked.reply.header("x-should-retry");
                assert_eq!((asked.reply.status, again), (400, Some("false")));
            }
            asked.asked_primary(1..=1);
            assert!(
                house.wall.seen(SECOND).is_empty(),
                "{}: nobody else is asked",
                asked.why
            );
        }
    }
}

/// Calls go on while it is down, and it is used again once it is back: well within thirty seconds.
#[tokio::test]
async fn who_comes_and_goes_is_left_and_taken_back() {
    for pair in [pairs()[0], pairs()[1], pairs()[5]] {
        let house = House::start(pair).await;
        let mut back = None;
        while house.wall.age() < Duration::from_secs(30) && back.is_none() {
            let asked = house.ask(Does::Flaps, Does::Answers, SHAPES[1]).await;
            if asked.attempts.iter().any(|attempt| attempt.answered) {
                asked.is_of(FIRST, Does::Flaps);
                back = Some(house.wall.age());
            } else {
                asked.is_of(SECOND, Does::Answers);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(back.is_some(), "{pair:?}: it is not used again");
        let seen = house.wall.seen(FIRST);
        assert!(seen.len() <= 12, "{pair:?}: asked {} times", seen.len());
    }
}
