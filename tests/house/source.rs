//! A source file as the rules see it: without comments, without tests, its paths and functions named.
//!
//! This reads just enough Rust to tell code from text. It is no parser: macros are read as they stand.

/// A file of the project.
pub(crate) struct Source {
    /// Where it lies, from the project's root, with slashes.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Comments and test items are blank; lines and columns stay.
    pub(crate) code: String,
    /// As `code`, and what stands between quotes is blank too.
    pub(crate) bare: String,
    /// Other files that it names as tests of its own: `#[cfg(test)] mod tests;`.
    pub(crate) tests: Vec<String>,
}

/// A function of a file.
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// From `fn` to before its body.
    pub(crate) head: String,
    /// Whether it is `pub` without a restriction.
    pub(crate) public: bool,
    /// Lines from `fn` to the closing brace.
    pub(crate) lines: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Comment,
    Text,
    Code,
}

impl Source {
    /// Reads a file. Only Rust is taken apart.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let (mut code, mut bare) = if is(path, "rs") {
            strip(text)
        } else {
            (String::new(), String::new())
        };
        let mut tests = Vec::new();
        while let Some((from, to)) = test_item(&bare) {
            let item = code.get(from..to).unwrap_or_default();
            tests.extend(test_file(path, item));
            blank(&mut code, from, to);
            blank(&mut bare, from, to);
        }
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            bare,
            tests,
        }
    }

    /// Leaves nothing but the text: the file is compiled for tests only.
    pub(crate) fn silence(&mut self) {
        self.code.clear();
        self.bare.clear();
    }

    /// Its module path from the crate's root; empty for the root itself. `None` outside `src/`.
    pub(crate) fn module(&self) -> Option<Vec<String>> {
        let inner = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if inner == "lib" || parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        Some(parts)
    }

    /// Every path of two or more segments that its code names, braces of `use` spread out.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let words = words(&self.bare);
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let starts = word(&words, at).starts_with(is_name)
                && word(&words, at + 1) == "::"
                && (at == 0 || word(&words, at - 1) != "::");
            at = if starts {
                spread(&words, at, &[], &mut found)
            } else {
                at + 1
            };
        }
        found
    }

    /// Its functions, those of tests excepted.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let starts = self.bare.match_indices("fn ").map(|(at, _)| at);
        starts.filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let (before, rest) = self.bare.split_at_checked(at)?;
        let name: String = rest.chars().skip(3).take_while(|c| is_name(*c)).collect();
        if name.is_empty() || before.ends_with(is_name) {
            return None;
        }
        let end = item_end(rest)?;
        let head: String = rest.chars().take_while(|c| *c != '{').collect();
        let line = before.rsplit(['\n', ';', '}']).next().unwrap_or_default();
        Some(Function {
            name,
            head,
            public: line.split_whitespace().any(|word| word == "pub"),
            lines: rest.get(..end)?.lines().count(),
        })
    }
}

/// Whether a path ends so.
pub(crate) fn is(path: &str, ending: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, last)| last == ending)
}

/// Whether a character can stand in a name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn strip(text: &str) -> (String, String) {
    let (mut code, mut bare) = (String::new(), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = token(rest);
        let (piece, left) = rest.split_at(length.min(rest.len()));
        rest = left;
        let hidden: String = piece.chars().flat_map(hide).collect();
        code.push_str(if kind == Kind::Comment {
            &hidden
        } else {
            piece
        });
        match kind {
            Kind::Comment => bare.push_str(&hidden),
            Kind::Code => bare.push_str(piece),
            Kind::Text => bare.extend(piece.char_indices().flat_map(|(at, c)| {
                let edge = at == 0 || at + 1 == piece.len();
                let shown = if edge && c == '"' { '"' } else { ' ' };
                hide(c).map(move |blank| if blank == ' ' { shown } else { blank })
            })),
        }
    }
    (code, bare)
}

/// As many blanks as the character has bytes, so that offsets agree.
fn hide(c: char) -> impl Iterator<Item = char> {
    let blank = if c == '\n' { '\n' } else { ' ' };
    std::iter::repeat_n(blank, c.len_utf8())
}

fn token(rest: &str) -> (Kind, usize) {
    let name: usize = rest
        .chars()
        .take_while(|c| is_name(*c))
        .map(char::len_utf8)
        .sum();
    let after = rest.get(name..).unwrap_or_default();
    let hashes = after.len() - after.trim_start_matches('#').len();
    let prefix = rest.get(..name).unwrap_or_default();
    if rest.starts_with("//") {
        (Kind::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Kind::Comment, block_comment(rest))
    } else if matches!(prefix, "r" | "br" | "cr") && after.trim_start_matches('#').starts_with('"')
    {
        let close = format!("\"{}", "#".repeat(hashes));
        let from = name + hashes + 1;
        let end = rest.get(from..).and_then(|body| body.find(&close));
        (
            Kind::Text,
            end.map_or(rest.len(), |end| from + end + close.len()),
        )
    } else if name > 0 {
        (Kind::Code, name)
    } else if rest.starts_with('"') {
        (Kind::Text, quoted(rest, '"'))
    } else if is_char_literal(rest) {
        (Kind::Text, quoted(rest, '\''))
    } else {
        (Kind::Code, rest.chars().next().map_or(1, char::len_utf8))
    }
}

fn is_char_literal(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\''))
}

fn quoted(rest: &str, close: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == close && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        if left.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if left.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += left.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn test_item(bare: &str) -> Option<(usize, usize)> {
    let from = bare.find("#[cfg(test)]")?;
    let end = bare.get(from..).and_then(item_end);
    Some((from, end.map_or(bare.len(), |end| from + end)))
}

/// The file that a `mod` item of tests stands in, if it stands elsewhere.
fn test_file(path: &str, item: &str) -> Option<String> {
    let named = item.strip_suffix(';')?;
    let (folder, file) = path.rsplit_once('/')?;
    if let Some((_, said)) = named.split_once("path = \"") {
        return Some(format!("{folder}/{}", said.split('"').next()?));
    }
    let (_, name) = named.rsplit_once("mod ")?;
    let stem = file.strip_suffix(".rs")?;
    let inner = if matches!(stem, "mod" | "lib" | "main") {
        String::new()
    } else {
        format!("{stem}/")
    };
    Some(format!("{folder}/{inner}{name}.rs"))
}

/// Where an item ends: behind its first block, or its semicolon.
fn item_end(rest: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0_i32, 0_i32);
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            _ => {}
        }
        if (c == '}' && braces == 0) || (c == ';' && braces == 0 && brackets == 0) {
            return Some(at + 1);
        }
    }
    None
}

fn blank(text: &mut String, from: usize, to: usize) {
    if let Some(old) = text.get(from..to) {
        let new: String = old.chars().flat_map(hide).collect();
        text.replace_range(from..to, &new);
    }
}

fn word<'a>(words: &[&'a str], at: usize) -> &'a str {
    words.get(at).copied().unwrap_or_default()
}

fn words(bare: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = bare.trim_start();
    while !rest.is_empty() {
        let name: usize = rest
            .chars()
            .take_while(|c| is_name(*c))
            .map(char::len_utf8)
            .sum();
        let length = match name {
            0 if rest.starts_with("::") => 2,
            0 => rest.chars().next().map_or(1, char::len_utf8),
            _ => name,
        };
        let (piece, left) = rest.split_at(length);
        words.push(piece);
        rest = left.trim_start();
    }
    words
}

/// Follows one path from its first name, spreads the braces of a `use`, and says where it ends.
fn spread(words: &[&str], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match word(words, at) {
            "{" if !path.is_empty() => {
                at += 1;
                while !matches!(word(words, at), "}" | "") {
                    let next = spread(words, at, &path, found);
                    let renamed = if word(words, next) == "as" { 2 } else { 0 };
                    at = next.max(at + 1) + renamed;
                }
                return at + 1;
            }
            name if name.starts_with(is_name) || name == "*" => path.push(name.to_owned()),
            _ => return at,
        }
        at += 1;
        if word(words, at) != "::" {
            found.push(path);
            return at;
        }
        at += 1;
        if !word(words, at).starts_with(is_name) && !matches!(word(words, at), "*" | "{") {
            found.push(path);
            return at;
        }
    }
}
