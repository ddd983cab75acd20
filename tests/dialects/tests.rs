//! That the comparisons above can fail.

use waypost::fixture::Answer;

use crate::decode::{CUTS, pieces};
use crate::expect::compare_events;

#[test]
fn events_are_compared_by_number_order_and_value() {
    let one = "data: {\"a\":1,\"b\":2}\n\n";
    let done = "data: [DONE]\n\n";
    let same = format!("data: {{ \"b\": 2, \"a\": 1 }}\n\n{done}");
    let table = [
        (same.as_str(), 0),
        ("data: {\"a\":1,\"b\":2}\n\n", 1),
        ("data: {\"a\":1,\"b\":3}\n\ndata: [DONE]\n\n", 1),
        ("data: [DONE]\n\ndata: {\"a\":1,\"b\":2}\n\n", 2),
        (": ping\n\ndata: [DONE]\n\n", 1),
        ("data: {\"a\":1,\"b\":2}\n\ndata: [DONE]\n\ndata: {}\n\n", 1),
    ];
    for (got, problems) in table {
        let found = compare_events(&format!("{one}{done}"), got);
        assert_eq!(found.len(), problems, "{got:?}: {found:?}");
    }
}

#[test]
fn what_the_dialect_says_must_be_in_an_errors_words_but_never_of_a_credential() {
    let error = |message: &str, code: &str| {
        format!("data: {{\"error\":{{\"message\":{message:?},\"code\":{code:?}}}}}\n\n")
    };
    let table = [
        ("lab: too long", "too long", "context_length_exceeded", 0),
        ("lab: other", "too long", "context_length_exceeded", 1),
        (
            "refused our credential",
            "bad key sk-1",
            "upstream_auth_error",
            0,
        ),
        (
            "lab: bad key sk-1",
            "bad key sk-1",
            "upstream_auth_error",
            1,
        ),
        ("it broke off", "", "upstream_stream_truncated", 0),
        ("", "", "upstream_stream_truncated", 1),
    ];
    for (wanted, got, code, problems) in table {
        let found = compare_events(&error(wanted, code), &error(got, code));
        assert_eq!(found.len(), problems, "{wanted:?} {got:?}: {found:?}");
    }
}

#[test]
fn every_cut_keeps_all_bytes_and_they_differ() {
    let answer = Answer::events(&"data: {\"text\":\"é\"}\n\n".repeat(40));
    let cuts = CUTS.map(|cut| pieces(&answer, cut));
    for cut in &cuts {
        let joined = cut.concat();
        assert_eq!(joined, answer.body());
    }
    assert_eq!(cuts[1].len(), answer.body().len());
    assert!(cuts[2] != cuts[3] && cuts[2] != cuts[0]);
}
