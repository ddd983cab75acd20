//! One table per dialect of what becomes of each chat member; the README's table is printed from it.

use std::fmt::Write as _;

use crate::chat::request::OWN_MEMBERS;
use crate::chat::{Error, Request};

use super::report::{Mode, Report, refused};

/// What becomes of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The chat member.
    pub member: &'static str,
    /// What becomes of it.
    pub fate: Fate,
    /// How, in a few words, for the README's table and for error messages.
    pub note: &'static str,
}

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Sent as it is.
    Sent,
    /// Sent under another name.
    Renamed(&'static str),
    /// Sent in the provider's own form.
    Translated,
    /// Replaced by something near, and reported.
    Emulated,
    /// Depends on the model: sent, clamped or dropped, and reported.
    ByModel,
    /// Ours to act on; nothing to send.
    Ours,
    /// Left out and reported.
    Dropped,
    /// Refused: leaving it out would change the meaning.
    Refused,
}

/// The row of a member.
#[must_use]
pub fn find(table: &'static [Row], member: &str) -> Option<&'static Row> {
    table.iter().find(|row| row.member == member)
}

/// Walks over a request's members: drops, reports or refuses what the table says, and drops what it does not know.
/// What is sent, translated or depends on the model is the encoder's.
///
/// # Errors
/// Where a member is refused, or dropped under [`Mode::Strict`].
pub fn sweep(
    request: &Request,
    table: &'static [Row],
    mode: Mode,
    report: &mut Report,
) -> Result<(), Error> {
    for (member, value) in request.members() {
        if OWN_MEMBERS.contains(&member) {
            continue;
        }
        match find(table, member) {
            Some(row) => match row.fate {
                Fate::Dropped if is_neutral(member, value) => {}
                Fate::Dropped => report.drop(mode, row.member, row.note)?,
                Fate::Refused => return Err(refused(member, row.note)),
                Fate::Sent
                | Fate::Renamed(_)
                | Fate::Translated
                | Fate::Emulated
                | Fate::ByModel
                | Fate::Ours => {}
            },
            None => report.drop(
                mode,
                member.to_owned(),
                "is not known to this provider's format.",
            )?,
        }
    }
    Ok(())
}

/// Whether a member says what holds without it, so that leaving it out loses nothing.
fn is_neutral(member: &str, value: &str) -> bool {
    match member {
        "presence_penalty" | "frequency_penalty" => value.parse::<f64>().is_ok_and(|v| v == 0.0),
        "logprobs" | "store" => value == "false",
        "top_logprobs" => value == "0",
        "logit_bias" | "metadata" => value.bytes().all(|b| matches!(b, b'{' | b'}' | b' ')),
        _ => false,
    }
}

/// One dialect's table: its name, its rows, and what becomes of members that no row names.
pub type Table<'a> = (&'a str, &'static [Row], Fate);

/// The tables side by side, as Markdown.
#[must_use]
pub fn markdown(tables: &[Table<'_>]) -> String {
    let mut members: Vec<&str> = Vec::new();
    for row in tables.iter().flat_map(|(_, table, _)| table.iter()) {
        if !members.contains(&row.member) {
            members.push(row.member);
        }
    }
    let mut out = String::from("| member |");
    for (name, _, _) in tables {
        let _ = write!(out, " {name} |");
    }
    let _ = write!(out, "\n|---|{}\n", "---|".repeat(tables.len()));
    for member in members {
        let _ = write!(out, "| `{member}` |");
        for (_, table, unnamed) in tables {
            let other = if OWN_MEMBERS.contains(&member) {
                Fate::Ours
            } else {
                *unnamed
            };
            let words = find(table, member).map_or_else(|| word(other), describe);
            let _ = write!(out, " {words} |");
        }
        out.push('\n');
    }
    out
}

fn describe(row: &Row) -> String {
    let word = word(row.fate);
    let note = row.note.trim_end_matches('.');
    if note.is_empty() {
        word
    } else {
        format!("{word}: {note}")
    }
}

fn word(fate: Fate) -> String {
    match fate {
        Fate::Sent => "sent".to_owned(),
        Fate::Renamed(name) => format!("`{name}`"),
        Fate::Translated => "translated".to_owned(),
        Fate::Emulated => "emulated".to_owned(),
        Fate::ByModel => "by model".to_owned(),
        Fate::Ours => "acted on here".to_owned(),
        Fate::Dropped => "dropped".to_owned(),
        Fate::Refused => "400".to_owned(),
    }
}
