//! One call of an answer, function's or custom tool's.

use crate::chat::json::{member, quoted};
use crate::chat::{Escaped, Event, Sink};

/// A call that was announced.
#[derive(Debug)]
pub(super) struct Call {
    index: u32,
    form: Form,
    /// Whether any of its arguments or its input was told.
    said: bool,
}

/// How the client speaks of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A function.
    Plain,
    /// A tool of free text.
    Custom,
    /// A function by the deprecated `functions`.
    Legacy,
}

impl Call {
    /// A call that nothing is told of yet. `index` counts the answer's calls.
    pub(super) const fn new(index: u32, form: Form) -> Self {
        Self {
            index,
            form,
            said: false,
        }
    }

    /// Takes a piece of what is passed to the tool.
    pub(super) fn push(
        &mut self,
        words: Escaped<'_>,
        legacy: &mut Option<Legacy>,
        sink: &mut dyn Sink,
    ) {
        if words.is_empty() {
            return;
        }
        self.said = true;
        let (choice, index) = (0, self.index);
        match self.form {
            Form::Plain => sink.event(Event::ToolArgs {
                choice,
                index,
                json: words,
            }),
            Form::Custom => sink.event(Event::ToolInput {
                choice,
                index,
                text: words,
            }),
            Form::Legacy => {
                if let Some(legacy) = legacy.as_mut().filter(|_| index == 0) {
                    legacy.arguments.push_str(words.as_str());
                }
            }
        }
    }

    /// Takes the whole of what is passed, which counts where no piece of it came.
    pub(super) fn whole(
        &mut self,
        words: Escaped<'_>,
        legacy: &mut Option<Legacy>,
        sink: &mut dyn Sink,
    ) {
        if self.said {
            return;
        }
        // Clients parse the arguments of a function (E-11).
        let nothing = words.is_empty() && self.form != Form::Custom;
        let words = if nothing {
            Escaped::trusted("{}")
        } else {
            words
        };
        self.push(words, legacy, sink);
    }
}

/// The one call that the deprecated form can say, both escaped.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    /// The function's name.
    pub(super) name: String,
    /// Its arguments.
    pub(super) arguments: String,
}

impl Legacy {
    /// The `function_call` member.
    pub(super) fn json(&self) -> String {
        let name = quoted(&Escaped::trusted(&self.name).decode());
        let mut out = vec![b'{'];
        member("name", &name, &mut out);
        member("arguments", &format!("\"{}\"", self.arguments), &mut out);
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }
}
