//! The rules of the house, read off its source: floors, circles, pure rooms, names, lengths.
//!
//! Every rule stands in `RULES` with a snippet that breaks it and one that keeps it, so that no rule can be blind.
//! A new room gets its floor in `house/imports.rs`.

#[path = "house/imports.rs"]
mod imports;
#[path = "house/rules.rs"]
mod rules;
#[path = "house/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use source::Source;

type House = BTreeMap<String, Source>;
type Snippet = &'static [(&'static str, &'static str)];

/// A rule, what breaks it and what keeps it.
struct Rule {
    name: &'static str,
    complaints: fn(&House) -> Vec<String>,
    broken: Snippet,
    kept: Snippet,
}

const RULES: &[Rule] = &[
    Rule {
        name: "no room imports upward",
        complaints: imports::upward,
        broken: &[(
            "src/route/plan.rs",
            "use crate::{\n    chat::Request,\n    gateway::call,\n};",
        )],
        kept: &[(
            "src/route/plan.rs",
            "use crate::chat::{Request, event};\n// not crate::gateway::call",
        )],
    },
    Rule {
        name: "every room has a floor",
        complaints: imports::upward,
        broken: &[("src/attic/mod.rs", "use crate::chat::Request;")],
        kept: &[
            ("src/net/body.rs", "use super::tls;"),
            ("src/net/tls.rs", ""),
        ],
    },
    Rule {
        name: "no circle of files",
        complaints: imports::circles,
        broken: &[
            (
                "src/net/mod.rs",
                "pub mod body;\npub use body::Body;\npub struct Size;",
            ),
            ("src/net/body.rs", "use crate::net::Size;"),
        ],
        kept: &[
            (
                "src/net/mod.rs",
                "pub mod body;\npub mod size;\npub use body::Body;\npub use tls::Tls;",
            ),
            (
                "src/net/body.rs",
                "use super::size::Size;\n#[cfg(test)]\nmod tests { use super::super::Body; }",
            ),
            (
                "src/net/size.rs",
                "/// See [`super::body`].\npub struct Size;",
            ),
            ("src/net/tls.rs", "use super::{size as large};"),
        ],
    },
    Rule {
        name: "thinking names no I/O, clock or chance",
        complaints: rules::impure,
        broken: &[("src/route/plan.rs", "use std::{fmt, net::IpAddr};")],
        kept: &[
            ("src/net/client.rs", "fn f() { Instant::now(); }"),
            ("src/chat/gate.rs", "/// No `std::fs::read`.\nuse std::fmt;"),
        ],
    },
    Rule {
        name: "a clock is I/O",
        complaints: rules::impure,
        broken: &[(
            "src/account/limit.rs",
            "fn f() { std::time::Instant::now(); }",
        )],
        kept: &[(
            "src/account/limit.rs",
            "use std::time::Instant;\nfn f(now: Instant) {}",
        )],
    },
    Rule {
        name: "only dialect and catalog know providers",
        complaints: rules::provider_names,
        broken: &[(
            "src/gateway/call.rs",
            "fn f(n: &str) -> bool { n == \"anthropic\" }",
        )],
        kept: &[
            (
                "src/gateway/call.rs",
                "// anthropic\nfn f() -> &'static str { \"an OpenAI request, coherent\" }",
            ),
            ("src/cli/demo/data.rs", "const MODEL: &str = \"gemini-3\";"),
            ("src/dialect/gemini.rs", "struct Gemini;"),
        ],
    },
    Rule {
        name: "the public format is no provider",
        complaints: rules::provider_names,
        broken: &[("src/config.rs", "const FIRST: &str = \"openai/gpt-5\";")],
        kept: &[("src/config.rs", "const ABOUT: &str = \"any OpenAI SDK\";")],
    },
    Rule {
        name: "files have one purpose: 400 lines, a dialect's 600",
        complaints: rules::long_files,
        broken: &[("src/route/plan.rs", LINES_401)],
        kept: &[("src/dialect/gemini.rs", LINES_401)],
    },
    Rule {
        name: "functions end within 60 lines",
        complaints: rules::long_functions,
        broken: &[(
            "src/route/plan.rs",
            concat!(
                "fn plan() {",
                "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
                "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
                "}"
            ),
        )],
        kept: &[(
            "src/route/plan.rs",
            "fn plan() { f('{'); g(\"{\") }\nfn next() -> [u8; 2] { [0; 2] }",
        )],
    },
    Rule {
        name: "no bool in a public function's arguments",
        complaints: rules::bool_arguments,
        broken: &[(
            "src/net/body.rs",
            "pub fn send(bytes: &[u8], stream: bool) {}",
        )],
        kept: &[(
            "src/net/body.rs",
            "pub fn done(&self) -> bool { true }\nfn own(x: bool) {}",
        )],
    },
    Rule {
        name: "every file says what it is",
        complaints: rules::headless,
        broken: &[("src/net/body.rs", "use std::fmt;")],
        kept: &[("src/net/body.rs", "//! A body.\nuse std::fmt;")],
    },
    Rule {
        name: "every provider file is listed",
        complaints: rules::unlisted,
        broken: &[
            ("src/catalog/load.rs", "// \"acme\","),
            ("src/catalog/providers/acme.toml", ""),
        ],
        kept: &[
            (
                "src/catalog/load.rs",
                "const FILES: &[&str] = &[\"acme\", \"other\"];",
            ),
            ("src/catalog/providers/acme.toml", ""),
        ],
    },
    Rule {
        name: "errors are answered, not thrown",
        complaints: rules::panics,
        broken: &[("src/net/body.rs", "fn f() { g().unwrap() }")],
        kept: &[
            (
                "src/net/body.rs",
                "#[expect(clippy::x, reason = \"y\")]\nfn f() { self.expect(b'{'); }\n#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }",
            ),
            ("src/net/tls.rs", "#[cfg(test)]\nmod tests;"),
            ("src/net/tls/tests.rs", "fn f() { g().unwrap() }"),
        ],
    },
    Rule {
        name: "names say something",
        complaints: rules::empty_names,
        broken: &[("src/net/utils.rs", "fn f() {}")],
        kept: &[("src/net/body.rs", "fn target() {}")],
    },
    Rule {
        name: "no getters, globs or loose ends",
        complaints: rules::empty_names,
        broken: &[("src/net/body.rs", "use std::io::*;")],
        kept: &[(
            "src/net/body.rs",
            "use std::io;\n#[cfg(test)]\nmod tests { use super::*; }",
        )],
    },
    Rule {
        name: "no place of a workplace",
        complaints: rules::workplaces,
        broken: &[("README.md", concat!("see /wo", "rk/x"))],
        kept: &[
            ("README.md", "https://example.com/framework/work/x"),
            (".ci/run", concat!("wire=../sh", "ared/wire")),
        ],
    },
];

#[test]
fn the_house_is_in_order() {
    let house = read_project().unwrap();
    let complaints: BTreeSet<String> = RULES
        .iter()
        .flat_map(|rule| (rule.complaints)(&house).into_iter())
        .collect();
    let list: Vec<String> = complaints.into_iter().collect();
    assert!(house.len() > 20, "the source was not found");
    assert!(
        list.is_empty(),
        "{} complaints:\n{}",
        list.len(),
        list.join("\n")
    );
}

#[test]
fn every_rule_can_fail() {
    for rule in RULES {
        let broken = (rule.complaints)(&made_up(rule.broken));
        assert_eq!(broken.len(), 1, "{} is blind: {broken:?}", rule.name);
        let kept = (rule.complaints)(&made_up(rule.kept));
        assert!(kept.is_empty(), "{} sees ghosts: {kept:?}", rule.name);
    }
}

fn made_up(files: Snippet) -> House {
    let read = |(path, text): &(&str, &str)| ((*path).to_owned(), Source::read(path, text));
    silence_tests(files.iter().map(read).collect())
}

fn silence_tests(mut house: House) -> House {
    let tests: Vec<String> = house.values().flat_map(|file| file.tests.clone()).collect();
    for path in tests {
        if let Some(file) = house.get_mut(&path) {
            file.silence();
        }
    }
    house
}

fn read_project() -> io::Result<House> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut house = House::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            let skipped = name == ".git" || name == "target" || name.ends_with("node_modules");
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if path.is_file() && !skipped {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                house.insert(name.clone(), Source::read(&name, &text));
            }
        }
    }
    Ok(silence_tests(house))
}

const LINES: [u8; 401] = [b'\n'; 401];

/// 401 empty lines.
const LINES_401: &str = match std::str::from_utf8(&LINES) {
    Ok(text) => text,
    Err(_) => "",
};
