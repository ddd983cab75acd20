//! Who imports whom: floors and circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::House;
use crate::source::Source;

/// Each room with the rooms it may import. Imports go down only; what is not listed is upward.
const ROOMS: &[(&str, &[&str])] = &[
    ("chat", &[]),
    ("net", &[]),
    ("dialect", &["chat"]),
    ("account", &["chat"]),
    ("fixture", &["net"]),
    ("store", &["account"]),
    ("catalog", &["account", "chat", "dialect"]),
    ("route", &["account", "catalog", "chat", "dialect"]),
    (
        "config",
        &["account", "catalog", "chat", "dialect", "route"],
    ),
    (
        "gateway",
        &[
            "account", "catalog", "chat", "dialect", "net", "route", "store",
        ],
    ),
    ("control", &["account", "gateway", "net", "store"]),
    (
        "app",
        &[
            "account", "catalog", "chat", "config", "control", "dialect", "fixture", "gateway",
            "net", "route", "store",
        ],
    ),
    (
        "cli",
        &[
            "account", "app", "catalog", "chat", "config", "control", "dialect", "fixture",
            "gateway", "net", "route", "store",
        ],
    ),
    ("main", &["app", "cli"]),
];

pub(crate) fn modules(house: &House) -> impl Iterator<Item = (Vec<String>, &Source)> {
    house
        .values()
        .filter_map(|file| Some((file.module()?, file)))
}

/// The path from the crate's root that a path written in `here` means; `None` for other crates.
fn absolute(house: &House, here: &[String], path: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" | "waypost" => Some(rest.to_vec()),
        "self" => Some([here, rest].concat()),
        "super" => {
            let (_, above) = here.split_last()?;
            let again = [&["self".to_owned()], rest].concat();
            let climbs = rest.first().is_some_and(|next| next == "super");
            absolute(house, above, if climbs { rest } else { &again })
        }
        _ => {
            let child = [here, path].concat();
            let known =
                |end: &str| house.contains_key(&format!("src/{}/{first}{end}", here.join("/")));
            (known(".rs") || known("/mod.rs")).then_some(child)
        }
    }
}

fn named(house: &House, here: &[String], file: &Source) -> Vec<Vec<String>> {
    let paths = file.paths();
    paths
        .iter()
        .filter_map(|path| absolute(house, here, path))
        .collect()
}

pub(crate) fn upward(house: &House) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (here, file) in modules(house) {
        let Some(room) = here.first() else { continue };
        let Some((_, below)) = ROOMS.iter().find(|(name, _)| name == room) else {
            found.insert(format!(
                "src/{room}: the room has no floor in tests/house.rs"
            ));
            continue;
        };
        for path in named(house, &here, file) {
            let to = path.first().map_or("", String::as_str);
            if to != room && !below.contains(&to) {
                found.insert(format!("{}: imports crate::{}", file.path, path.join("::")));
            }
        }
    }
    found.into_iter().collect()
}

pub(crate) fn circles(house: &House) -> Vec<String> {
    let files: BTreeMap<Vec<String>, &str> = modules(house)
        .map(|(module, file)| (module, file.path.as_str()))
        .collect();
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (here, file) in modules(house) {
        for path in named(house, &here, file) {
            let longest = (1..=path.len())
                .rev()
                .find_map(|end| files.get(path.get(..end)?));
            let to = longest.filter(|to| **to != file.path);
            arrows.entry(&file.path).or_default().extend(to);
        }
    }
    let mut found = Vec::new();
    while let Some(circle) = circle(&mut arrows) {
        found.push(format!("a circle of files: {}", circle.join(" -> ")));
        if let [from, to, ..] = circle.as_slice() {
            arrows.entry(from).or_default().remove(to);
        }
    }
    found
}

/// Takes away what is in no circle; walks one of what is left.
fn circle<'a>(arrows: &mut BTreeMap<&'a str, BTreeSet<&'a str>>) -> Option<Vec<&'a str>> {
    loop {
        let left: BTreeSet<&str> = arrows.keys().copied().collect();
        for targets in arrows.values_mut() {
            targets.retain(|to| left.contains(to));
        }
        arrows.retain(|_, targets| !targets.is_empty());
        if arrows.len() == left.len() {
            break;
        }
    }
    let mut walk: Vec<&str> = vec![arrows.keys().next()?];
    loop {
        let next = arrows.get(walk.last()?)?.first()?;
        if let Some(from) = walk.iter().position(|seen| seen == next) {
            return Some([walk.get(from..)?, &[next]].concat());
        }
        walk.push(next);
    }
}
