//! AWS's two shared files, as far as keys and roles stand in them.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>

use std::collections::HashMap;

/// What a profile says, by the names of its settings.
pub type Settings = HashMap<String, String>;

/// Profiles by name.
#[derive(Debug, Default)]
pub struct Profiles(HashMap<String, Settings>);

/// Which of the two files a text is: they name profiles differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `~/.aws/config`.
    Config,
    /// `~/.aws/credentials`.
    Credentials,
}

impl Profiles {
    /// Adds what a file says. What is said later of a profile wins, so that the credentials file comes last.
    pub fn add(&mut self, text: &str, kind: Kind) {
        let mut name: Option<String> = None;
        for line in text.lines() {
            let nested = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line.strip_prefix('[') {
                name = section
                    .split_once(']')
                    .and_then(|(section, _)| profile(section.trim(), kind));
                continue;
            }
            // A line that is set in belongs to the one above it: such settings tell of other services.
            let (Some(name), false, Some((key, value))) = (&name, nested, line.split_once('='))
            else {
                continue;
            };
            let settings = self.0.entry(name.clone()).or_default();
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }

    /// A profile by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Settings> {
        self.0.get(name)
    }
}

fn profile(section: &str, kind: Kind) -> Option<String> {
    if section == "default" || kind == Kind::Credentials {
        return Some(section.to_owned());
    }
    let (word, name) = section.split_once([' ', '\t'])?;
    let name = name.trim().trim_matches(['"', '\'']);
    (word == "profile" && !name.is_empty()).then(|| name.to_owned())
}

/// The words of a command, as a shell would part them: quotes keep blanks, a backslash keeps the next letter. Nothing
/// else of a shell is done.
#[must_use]
pub fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None | Some(_), _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# a comment
[default]
region = us-east-1
[profile work]
Role_Arn = arn:aws:iam::1:role/r = odd
s3 =
  max_concurrent_requests = 20
  role_arn = nested
; another
[profile \"two words\"]
credential_process = a b
[sso-session corp]
sso_region = x
[work]
role_arn = not-a-profile
";

    #[test]
    fn profiles_are_read_from_both_files() {
        let mut profiles = Profiles::default();
        profiles.add(CONFIG, Kind::Config);
        let credentials =
            "[work]\naws_access_key_id=A\n aws_secret_access_key=nested\n[default]\nregion=later\n";
        profiles.add(credentials, Kind::Credentials);
        let work = profiles.named("work").unwrap();
        assert_eq!(work["role_arn"], "arn:aws:iam::1:role/r = odd");
        assert_eq!(work["aws_access_key_id"], "A");
        assert!(!work.contains_key("aws_secret_access_key"));
        assert_eq!(profiles.named("default").unwrap()["region"], "later");
        assert!(profiles.named("two words").is_some());
        assert!(profiles.named("corp").is_none() && profiles.named("sso-session corp").is_none());
    }

    #[test]
    fn commands_are_parted_as_a_shell_does() {
        let rows: [(&str, &[&str]); 6] = [
            ("/bin/a --b c", &["/bin/a", "--b", "c"]),
            ("  '/a b/c'  \"d 'e' \\\" f\" ", &["/a b/c", "d 'e' \" f"]),
            ("a\\ b ''", &["a b", ""]),
            ("a$(b)|c", &["a$(b)|c"]),
            ("C:\\\\x", &["C:\\x"]),
            (" ", &[]),
        ];
        for (command, expected) in rows {
            assert_eq!(words(command), expected, "{command}");
        }
    }
}
