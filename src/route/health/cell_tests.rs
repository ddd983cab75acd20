//! Statistics of one site: what they learn, what they forget, and what they are before anything was learned.

use super::super::breaker::Gate;
use super::super::headroom::{Left, Share};
use super::super::outcome::Failing;
use super::super::talk::Talk;
use super::*;

const PRIOR_SPEED: Prior = Prior {
    wait: 1_000.0,
    read: 0.0,
    write: 10.0,
};

fn at(seconds: u64) -> Moment {
    Moment::millis(1_000_000 + seconds * 1000)
}

fn answer(wait: u64, each: u64, output: u64) -> Outcome {
    Outcome::Answered(Answer {
        wait,
        whole: wait + each * output,
        fresh: 500,
        output,
        typical: output,
        ..Answer::default()
    })
}

fn fed(calls: u64, outcome: &Outcome) -> Cell {
    let mut cell = Cell::default();
    for call in 0..calls {
        cell.observe(at(call), &PRIOR_SPEED, outcome, Around::default());
    }
    cell
}

#[test]
fn waits_and_pace_are_learned_apart_and_forgotten() {
    let cell = fed(60, &answer(3_000, 5, 100));
    let now = cell.reading(at(60));
    assert!((now.waits[0] - 3.0).abs() < 0.15, "{now:?}");
    assert!(
        (now.waits[2] - 3.0).abs() < 0.15,
        "bands lean on each other"
    );
    assert!((now.pace - 0.5).abs() < 0.05, "{now:?}");
    assert!(now.surge < 1.05 && now.spread < 0.4, "{now:?}");
    let later = cell.reading(at(60 + 3_600 * 4));
    assert!(
        later.seen < 0.1 && later.waits[0] > 2.0,
        "what was learned is known for hours"
    );
    let forgotten = cell.reading(at(60 + 3_600 * 72));
    assert!((forgotten.waits[0] - 1.0).abs() < 0.05, "{forgotten:?}");
}

#[test]
fn hidden_thinking_is_writing_not_waiting() {
    let thought = Outcome::Answered(Answer {
        wait: 500 + 1_000 * 10,
        whole: 500 + 1_200 * 10,
        output: 1_200,
        hidden: 1_000,
        typical: 600,
        ..Answer::default()
    });
    let now = fed(60, &thought).reading(at(60));
    assert!(
        (now.pace - 1.0).abs() < 0.02 && (now.waits[0] - 0.5).abs() < 0.05,
        "{now:?}"
    );
}

#[test]
fn a_surge_is_seen_at_once_and_soon_forgotten() {
    let mut cell = fed(60, &answer(1_000, 10, 100));
    for call in 60..64 {
        cell.observe(
            at(call),
            &PRIOR_SPEED,
            &answer(10_000, 100, 100),
            Around::default(),
        );
    }
    let now = cell.reading(at(64));
    assert!(now.surge * now.pace > 2.3 && now.pace < 1.8, "{now:?}");
    assert!(cell.reading(at(180)).surge < 1.2);
}

#[test]
fn failures_limits_and_refusals_are_told_apart() {
    let mut cell = fed(50, &answer(1_000, 10, 100));
    cell.observe(
        at(50),
        &PRIOR_SPEED,
        &Outcome::Limited {
            again_in: Some(7_000),
        },
        Around::default(),
    );
    cell.observe(at(50), &PRIOR_SPEED, &Outcome::Void, Around::default());
    let now = cell.reading(at(52));
    assert_eq!(
        (now.cooling, now.failed, now.gate),
        (5_000, 0.0, Gate::Closed)
    );
    let failing = Outcome::Failed {
        what: Failing::Server,
        after: 100,
    };
    for call in 53..58 {
        cell.observe(at(call), &PRIOR_SPEED, &failing, Around::default());
    }
    let now = cell.reading(at(58));
    assert!(matches!(now.gate, Gate::Open(_)) && now.down > 0.6);
    assert!(now.failed < 2.1, "a row of failures is one event: {now:?}");
    cell.observe(
        at(70),
        &PRIOR_SPEED,
        &answer(1_000, 10, 100),
        Around::default(),
    );
    let back = cell.reading(at(70));
    assert_eq!((back.gate, back.down), (Gate::Returning, 0.0));
    assert_eq!(cell.reading(at(80)).gate, Gate::Closed, "soon after");
    let calls = Some(Share {
        left: 0,
        of: None,
        reset_in: 2_000,
    });
    let tokens = None;
    cell.head(at(71), Left { calls, tokens });
    assert_eq!(cell.reading(at(71)).cooling, 2_000);
    assert_eq!(cell.admits(at(71)), (false, false));
    assert!(cell.admits(at(73)).0);
}

#[test]
fn lengths_and_cache_hits_are_learned() {
    let mut talk = Talk::default();
    let long = Answer {
        output: 300,
        typical: 100,
        ..Answer::default()
    };
    for call in 0..100 {
        talk.observe(at(call), &long);
    }
    assert!((talk.words(at(100)) - 3.0).abs() < 0.1);
    let missed = Outcome::Answered(Answer {
        cached: Some((1_000, 0)),
        whole: 10,
        ..Answer::default()
    });
    assert!(fed(30, &missed).reading(at(30)).hits < 0.1);
}

#[test]
fn what_failed_a_few_times_in_a_row_is_tried_again_soon() {
    let mut cell = fed(50, &answer(300, 20, 100));
    let what = Failing::Server;
    for second in 100..103 {
        let around = Around {
            began: at(second),
            ..Around::default()
        };
        cell.observe(
            at(second),
            &Prior::of(None),
            &Outcome::Failed { what, after: 9 },
            around,
        );
    }
    let now = cell.reading(at(103));
    assert!(now.down > 0.3 && now.gate == Gate::Closed && !now.suspect);
    let later = cell.reading(at(108));
    assert!(later.suspect && later.gate == Gate::Trial && later.down == 0.0);
    let around = Around {
        began: at(108),
        ..Around::default()
    };
    cell.observe(at(109), &Prior::of(None), &answer(300, 20, 100), around);
    let back = cell.reading(at(109));
    assert!(!back.suspect && back.gate == Gate::Closed && back.down == 0.0);
}

#[test]
fn what_is_refused_is_left_alone_until_more_is_allowed() {
    let mut cell = Cell::default();
    let limited = Outcome::Limited { again_in: Some(1) };
    let around = |second| Around {
        began: at(second),
        ..Around::default()
    };
    cell.observe(at(10), &Prior::of(None), &limited, around(9));
    for second in 11..20 {
        assert!(
            cell.reading(at(second)).cooling == 0,
            "one refusal says no rate"
        );
        cell.began(at(second));
    }
    cell.began(at(20));
    cell.observe(at(20), &Prior::of(None), &limited, around(20));
    let wait = cell.reading(at(20)).cooling;
    assert!(
        (900..=1_300).contains(&wait),
        "nine calls in ten seconds: {wait}"
    );
    assert_eq!(cell.reading(at(22)).cooling, 0);
}
