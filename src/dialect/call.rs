//! One tool call of an answer: its arguments piece by piece, and the undoing of what the encoder did to its tool.

use crate::chat::json::{Members, escape};
use crate::chat::{Escaped, Event, Sink};

/// What has to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing: pieces pass on as they come.
    Plain,
    /// `{"value": …}` round arguments whose schema is no object.
    Wrapped,
    /// `{"input": "…"}` round a custom tool's free text.
    Custom,
    /// The deprecated `function_call`, which is told as a whole.
    Legacy,
}

/// A call that is being read.
#[derive(Debug)]
pub(crate) struct Call {
    index: u32,
    form: Form,
    /// The arguments so far, unless they pass on at once.
    text: String,
    /// Arguments that came with the start: they count only if no piece follows, as real starts say `{}` (E-09).
    start: Option<String>,
    any: bool,
}

impl Call {
    /// A call at its start; `input` is what the start already says, as raw JSON.
    pub(crate) fn new(index: u32, form: Form, input: Option<&str>) -> Self {
        let start = input.filter(|input| !is_empty_object(input));
        Self {
            index,
            form,
            text: String::new(),
            start: start.map(str::to_owned),
            any: false,
        }
    }

    /// Takes a piece of the arguments.
    pub(crate) fn push(&mut self, json: Escaped<'_>, sink: &mut dyn Sink) {
        if json.is_empty() {
            return;
        }
        self.any = true;
        match self.form {
            Form::Plain => self.give(json, sink),
            Form::Wrapped | Form::Custom | Form::Legacy => self.text.push_str(json.as_str()),
        }
    }

    /// Takes the end of the call. Gives back the arguments, escaped, where the call is told as a whole.
    pub(crate) fn finish(mut self, sink: &mut dyn Sink) -> Option<String> {
        if !self.any {
            // A call without arguments still has an object for them (E-11).
            let input = self.start.take().unwrap_or_else(|| "{}".to_owned());
            self.push(Escaped::trusted(&escaped(&input)), sink);
        }
        match self.form {
            Form::Plain => None,
            Form::Wrapped => {
                let value = unwrapped(&self.text).unwrap_or_else(|| self.text.clone());
                self.give(Escaped::trusted(&value), sink);
                None
            }
            Form::Custom => {
                self.input(sink);
                None
            }
            Form::Legacy => Some(self.text),
        }
    }

    fn give(&self, json: Escaped<'_>, sink: &mut dyn Sink) {
        let (choice, index) = (0, self.index);
        sink.event(Event::ToolArgs {
            choice,
            index,
            json,
        });
    }

    fn input(&self, sink: &mut dyn Sink) {
        let decoded = Escaped::trusted(&self.text).decode();
        let members = Members::parse(&decoded).ok();
        let inside = members
            .as_ref()
            .and_then(|members| members.find("input"))
            .and_then(Escaped::token);
        sink.event(Event::ToolInput {
            choice: 0,
            index: self.index,
            // What was cut off within the object is passed on as it is: nothing is lost.
            text: inside.unwrap_or_else(|| Escaped::trusted(&self.text)),
        });
    }
}

fn is_empty_object(json: &str) -> bool {
    json.trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|inside| inside.trim().is_empty())
}

/// JSON text as the inside of a JSON string, without the white space between its tokens.
pub(crate) fn escaped(json: &str) -> String {
    let mut compact = Vec::with_capacity(json.len());
    crate::chat::json::compact(json, &mut compact);
    let mut out = Vec::with_capacity(compact.len().saturating_add(16));
    escape(&String::from_utf8(compact).unwrap_or_default(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// What stands in `{"value": …}`, escaped again.
fn unwrapped(text: &str) -> Option<String> {
    let decoded = Escaped::trusted(text).decode();
    let members = Members::parse(&decoded).ok()?;
    // `find` takes null for absent; here it is a value.
    let (_, value) = members.0.iter().find(|(name, _)| name == "value")?;
    Some(escaped(value.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(form: Form, input: Option<&str>, pieces: &[&str]) -> Vec<String> {
        let mut events = Vec::new();
        let mut call = Call::new(3, form, input);
        for piece in pieces {
            call.push(Escaped::trusted(piece), &mut events);
        }
        events.extend(call.finish(&mut Vec::<String>::new()));
        events
    }

    fn ended(form: Form, input: Option<&str>, pieces: &[&str]) -> String {
        let mut events: Vec<String> = Vec::new();
        let mut call = Call::new(3, form, input);
        for piece in pieces {
            call.push(Escaped::trusted(piece), &mut events);
        }
        call.finish(&mut events);
        events.join("|")
    }

    #[test]
    fn the_start_counts_only_without_pieces() {
        // E-09 and E-11.
        assert!(
            ended(Form::Plain, Some("{}"), &[r#"{\"a\":"#, "1}"]).ends_with(r#"Escaped("1}") }"#)
        );
        assert!(ended(Form::Plain, Some("{ }"), &[""]).contains(r#"Escaped("{}")"#));
        assert!(ended(Form::Plain, Some(r#"{"a": 1}"#), &[]).contains(r#"{\\\"a\\\":1}"#));
    }

    #[test]
    fn wraps_are_undone() {
        assert!(
            ended(Form::Wrapped, None, &[r#"{\"value\":"#, "[1, 2]}"])
                .contains(r#"Escaped("[1,2]")"#)
        );
        assert!(
            ended(Form::Wrapped, None, &[r#"{\"value\":null}"#]).contains(r#"Escaped("null")"#)
        );
        assert!(ended(Form::Wrapped, None, &[r#"{\"val"#]).contains("val"));
        let custom = ended(Form::Custom, None, &[r#"{\"input\":\"a\\nb\"}"#]);
        assert!(
            custom.starts_with("ToolInput") && custom.contains(r#"Escaped("a\\nb")"#),
            "{custom}"
        );
        assert_eq!(
            through(Form::Legacy, None, &[r#"{\"a\":1}"#]),
            [r#"{\"a\":1}"#]
        );
    }
}
