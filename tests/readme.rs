//! The README's tables are printed from the code: what each dialect makes of each member, and who is reached.
//!
//! `BLESS=1` writes them into the README; without it the test fails where they differ.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::fs;

use waypost::catalog::{Catalog, table};
use waypost::dialect::{DIALECTS, params};

#[test]
fn tables_are_those_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}"));
    let catalog = Catalog::builtin().unwrap_or_else(|error| panic!("{error}"));
    let dialects: Vec<_> = DIALECTS
        .iter()
        .map(|(name, dialect)| (*name, dialect.params(), dialect.unnamed()))
        .collect();
    let fresh = put(&readme, "providers", &table::markdown(&catalog));
    let fresh = put(&fresh, "members", &params::markdown(&dialects));
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, &fresh).unwrap_or_else(|error| panic!("{error}"));
    } else {
        assert!(
            fresh == readme,
            "a table in the README is not what the code says: run BLESS=1 cargo test --test readme"
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
        panic!("the README has no marks for '{name}'");
    };
    format!("{before}{begin}\n{}\n\n{end}{after}", table.trim())
}
