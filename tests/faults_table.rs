//! The table of docs/faults.md holds: each case stands in it once, each test that it names exists, and the README lists
//! the same of the cases with a star.
#![expect(clippy::print_stdout, reason = "how many cases are open is told")]

use std::fs;

/// How many cases each group has.
const GROUPS: [(&str, usize); 10] = [
    ("IN", 22),
    ("AU", 14),
    ("BU", 16),
    ("UP", 17),
    ("ST", 19),
    ("LE", 14),
    ("AD", 11),
    ("CF", 10),
    ("RE", 12),
    ("TL", 11),
];

/// What stands for a case.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    id: String,
    starred: bool,
    shown: Shown,
    left: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Shown {
    By(Vec<(String, String)>),
    Exception,
    Open,
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).ok()
}

/// The cells of a line that begins with the id of a case.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix("| ")?.strip_suffix('|')?;
    let cells: Vec<_> = row.split('|').map(str::trim).collect();
    let (group, number) = cells.first()?.split_once('-')?;
    let known = GROUPS.iter().any(|(name, _)| *name == group);
    (known && number.starts_with(|digit: char| digit.is_ascii_digit())).then_some(cells)
}

fn shown(cell: &str) -> Result<Shown, String> {
    if cell == "open" {
        return Ok(Shown::Open);
    }
    if let Some(why) = cell.strip_prefix("exception: ") {
        return (why.len() > 20)
            .then_some(Shown::Exception)
            .ok_or_else(|| format!("no reason: {cell}"));
    }
    let tests = cell.split(", ").map(|test| {
        let place = test
            .strip_prefix('`')
            .and_then(|test| test.strip_suffix('`'));
        let (file, name) = place
            .and_then(|place| place.split_once("::"))
            .ok_or_else(|| format!("not a test: {test}"))?;
        Ok((file.to_owned(), name.to_owned()))
    });
    tests.collect::<Result<_, String>>().map(Shown::By)
}

fn table(text: &str) -> Result<Vec<Case>, String> {
    let rows = text.lines().filter_map(cells);
    rows.map(|cells| {
        let [id, .., test, left] = cells.as_slice() else {
            return Err(format!("too few cells: {cells:?}"));
        };
        Ok(Case {
            id: id.trim_end_matches(" ★").to_owned(),
            starred: id.ends_with('★'),
            shown: shown(test).map_err(|why| format!("{id}: {why}"))?,
            left: (*left).to_owned(),
        })
    })
    .collect()
}

/// Whether a test of this name stands in the file.
fn stands(file: &str, name: &str, read: impl Fn(&str) -> Option<String>) -> bool {
    let word = if file.split('.').next_back() == Some("py") {
        "def"
    } else {
        "fn"
    };
    let head = format!("{word} {name}(");
    read(file).is_some_and(|text| {
        text.lines().any(|line| {
            let line = line.trim_start();
            line.strip_prefix("async ")
                .unwrap_or(line)
                .starts_with(&head)
        })
    })
}

/// All that is wrong with a table.
fn wrong(cases: &[Case], read: impl Fn(&str) -> Option<String> + Copy) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected = GROUPS
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}-{number:02}")));
    let ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
    if ids != expected.collect::<Vec<_>>() {
        wrong.push(format!("not every case once and in order: {ids:?}"));
    }
    for case in cases {
        let Shown::By(tests) = &case.shown else {
            continue;
        };
        for (file, name) in tests {
            if !stands(file, name, read) {
                wrong.push(format!("{}: there is no {name} in {file}", case.id));
            }
        }
    }
    wrong
}

#[test]
fn every_case_has_its_test_its_reason_or_is_open() {
    let cases = table(&read("docs/faults.md").expect("the table")).unwrap();
    assert_eq!(cases.len(), 146);
    let wrong = wrong(&cases, read);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let open = cases.iter().filter(|case| case.shown == Shown::Open);
    let excepted = cases.iter().filter(|case| case.shown == Shown::Exception);
    println!("{} open, {} excepted", open.count(), excepted.count());
}

#[test]
fn the_readme_lists_the_starred_as_they_stand_there() {
    let cases = table(&read("docs/faults.md").expect("the table")).unwrap();
    let starred: Vec<_> = cases.iter().filter(|case| case.starred).collect();
    assert_eq!(starred.len(), 15);
    let listed = table(&read("README.md").expect("the README")).unwrap();
    let told = |case: &Case| format!("{} {:?} {}", case.id, case.shown, case.left);
    assert_eq!(
        listed.iter().map(told).collect::<Vec<_>>(),
        starred.into_iter().map(told).collect::<Vec<_>>()
    );
}

#[test]
fn a_table_that_is_wrong_is_told() {
    let text = read("docs/faults.md").expect("the table");
    let faults = |text: &str| wrong(&table(text).unwrap(), read);
    let line = text
        .lines()
        .find(|line| line.starts_with("| IN-12 "))
        .unwrap();
    let gone = text.replace(&format!("{line}\n"), "");
    assert_eq!(faults(&gone).len(), 1, "a case is missing");
    let twice = text.replace(line, &format!("{line}\n{line}"));
    assert_eq!(faults(&twice).len(), 1, "a case stands twice");
    let renamed = text.replace("::a_body_over_the_limit", "::no_body_over_the_limit");
    assert_eq!(faults(&renamed).len(), 1, "a test is not there");
    let moved = line.replace("tests/ingress/heads.rs", "tests/ingress/nowhere.rs");
    assert_eq!(
        faults(&text.replace(line, &moved)).len(),
        1,
        "a file is not there"
    );
    for cell in ["", "later", "exception: no", "`heads.rs`"] {
        assert!(shown(cell).is_err(), "{cell}");
    }
    let commented = |_: &str| Some("// fn some()\nfn others() {}\nfn some_more() {}".to_owned());
    assert!(!stands("a.rs", "some", commented) && stands("a.rs", "others", commented));
}
