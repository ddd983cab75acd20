//! Tables of the README and of docs/routing.md are printed from the code: what each dialect makes of each member, who
//! is reached, why an endpoint falls out, what a strategy weighs.
//!
//! `BLESS=1` writes them there; without it the test fails where they differ.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::fs;

use waypost::catalog::{Catalog, table};
use waypost::dialect::{DIALECTS, params};
use waypost::route::{effort, policy, reason, task};

#[test]
fn tables_are_those_of_the_code() {
    let catalog = Catalog::builtin().unwrap_or_else(|error| panic!("{error}"));
    let dialects: Vec<_> = DIALECTS
        .iter()
        .map(|(name, dialect)| (*name, dialect.params(), dialect.unnamed()))
        .collect();
    check(
        "README.md",
        &[
            ("providers", table::markdown(&catalog)),
            ("members", params::markdown(&dialects)),
        ],
    );
}

#[test]
fn the_tables_of_routing_are_those_of_the_code() {
    check(
        "docs/routing.md",
        &[
            ("efforts", effort::markdown()),
            ("reasons", reason::markdown()),
            ("tasks", task::markdown()),
            ("strategies", policy::markdown()),
        ],
    );
}

fn check(file: &str, tables: &[(&str, String)]) {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
    let fresh = tables
        .iter()
        .fold(text.clone(), |text, (name, table)| put(&text, name, table));
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, &fresh).unwrap_or_else(|error| panic!("{error}"));
    } else {
        assert!(
            fresh == text,
            "a table in {file} is not what the code says: run BLESS=1 cargo test --test readme"
        );
    }
}

/// The text with what stands between a table's marks replaced.
fn put(readme: &str, name: &str, table: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let parts = readme
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let Some((before, after)) = parts else {
        panic!("there are no marks for '{name}'");
    };
    format!("{before}{begin}\n{}\n\n{end}{after}", table.trim())
}
