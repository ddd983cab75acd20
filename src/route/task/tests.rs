//! What the rules make of requests.

use super::*;

#[test]
fn the_first_rule_that_fits_holds() {
    let plain = Abilities::NONE;
    let schema = plain.with(Ability::JsonSchema);
    let table = [
        ("Write a function that sorts.", "", plain, 100, Task::Code),
        ("Fix it", "You are a coding agent.", plain, 100, Task::Code),
        ("Who is in this text?", "", schema, 100, Task::Extraction),
        (
            "Please SUMMARIZE the minutes.",
            "",
            plain,
            9_000,
            Task::Summary,
        ),
        ("Classify the mail.", "", plain, 100, Task::Extraction),
        ("Write a poem on rain", "", plain, 20, Task::Creative),
        ("What is the capital of Peru?", "", plain, 20, Task::General),
        ("Classify the mail.", "", plain, 90_000, Task::LongContext),
        ("", "", plain, 0, Task::General),
    ];
    for (asked, system, needs, prompt, task) in table {
        let shape = Shape {
            needs,
            prompt,
            asked,
            system,
        };
        assert_eq!(guess(&shape).task, task, "{asked}");
    }
}

#[test]
fn a_program_is_asked_for_in_many_words() {
    let table = [
        ("Write a python function that sorts a list", Task::Code),
        ("Please implement two REST endpoints.", Task::Code),
        ("Convert this to C++: x = 1", Task::Code),
        ("Write a short story about a python", Task::Creative),
        ("What does a class of children cost?", Task::General),
        ("Write to my landlord about the heating", Task::General),
    ];
    for (asked, task) in table {
        let shape = Shape {
            asked,
            ..Shape::default()
        };
        assert_eq!(guess(&shape).task, task, "{asked}");
    }
}

#[test]
fn both_ends_are_read_and_no_more() {
    let text = format!("{}Summarize it.{}", "é".repeat(1_000), "x".repeat(2_000));
    assert_eq!(
        guess(&Shape {
            asked: &text,
            ..Shape::default()
        })
        .task,
        Task::General
    );
    let text = format!("{}Summarize it.", "é".repeat(1_000));
    assert_eq!(
        guess(&Shape {
            asked: &text,
            ..Shape::default()
        })
        .task,
        Task::Summary
    );
    for length in [0, 1, 399, 400, 401, 799, 801] {
        assert!(ends(&"y".repeat(length)).len() <= 801);
    }
}
