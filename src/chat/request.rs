//! A chat request: the client's own bytes, an index of their members, and the few facts routing needs.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::embed;
use super::error::{Code, Error};
use super::gate::{self, Place};
use super::json::{Escaped, Members, quoted, whole_number};
use super::message::{self, Message};
use super::tool::{self, Choice, Tool};

/// Members that are ours or other gateways' and reach no provider.
pub const OWN_MEMBERS: [&str; 3] = ["waypost", "models", "fallbacks"];

/// What a request asks for, which is told by its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A chat completion.
    #[default]
    Chat,
    /// Embeddings of texts.
    Embeddings,
    /// A completion of a text, the older form.
    Completion,
}

/// One request as the client sent it.
#[derive(Clone, Debug)]
pub struct Request {
    body: String,
    places: Vec<Place>,
    /// What it asks for.
    pub ask: Ask,
    /// The `model` member.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Whether the stream shall end with a usage chunk.
    pub include_usage: bool,
    /// The output limit: `max_completion_tokens`, else `max_tokens`.
    pub max_output: Option<u64>,
    /// How many choices were asked for.
    pub n: u64,
}

impl Request {
    /// Reads the body of a chat request: the JSON gate, then the members that everybody needs.
    ///
    /// # Errors
    /// What the client must mend, with the field named.
    pub fn parse(body: Vec<u8>) -> Result<Self, Error> {
        Self::read(Ask::Chat, body)
    }

    /// Reads a body that asks for something.
    ///
    /// # Errors
    /// What the client must mend, with the field named.
    pub fn read(ask: Ask, body: Vec<u8>) -> Result<Self, Error> {
        let body = gate::text(body)?;
        let places = gate::check(&body)?;
        let mut request = Self {
            body,
            places,
            ask,
            model: String::new(),
            stream: false,
            include_usage: false,
            max_output: None,
            n: 1,
        };
        request.model = request.required_model()?;
        match ask {
            Ask::Chat => request.read_chat()?,
            Ask::Embeddings => {
                embed::input(request.member("input"))?;
            }
            // Its members are the provider's to judge, the usage chunk's among them.
            Ask::Completion => request.stream = request.boolean("stream")?.unwrap_or(false),
        }
        Ok(request)
    }

    /// Reads a body that may leave its model to the path it was sent to.
    ///
    /// # Errors
    /// What the client must mend, with the field named.
    pub fn read_for(ask: Ask, body: Vec<u8>, model: &str) -> Result<Self, Error> {
        let inside = std::str::from_utf8(&body).ok().map(str::trim_start);
        let members = inside.and_then(|text| Members::parse(text).ok());
        match (inside.and_then(|text| text.strip_prefix('{')), members) {
            (Some(rest), Some(members)) if members.find("model").is_none() => {
                let comma = if members.0.is_empty() { "" } else { "," };
                let named = format!("{{\"model\":{}{comma}{rest}", quoted(model));
                Self::read(ask, named.into_bytes())
            }
            _ => Self::read(ask, body),
        }
    }

    fn read_chat(&mut self) -> Result<(), Error> {
        self.require_messages()?;
        self.stream = self.boolean("stream")?.unwrap_or(false);
        self.include_usage = self.wants_usage()?;
        let limit = self.positive("max_tokens")?;
        self.max_output = self.positive("max_completion_tokens")?.or(limit);
        self.n = self.positive("n")?.unwrap_or(1);
        Ok(())
    }

    /// The client's text.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// A member's raw value; JSON `null` counts as absent.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        let place = self.places.iter().find(|place| {
            place.key.len() == name.len()
                && self.body.as_bytes().get(place.key.clone()) == Some(name.as_bytes())
        })?;
        Some(self.slice(&place.value)).filter(|value| *value != "null")
    }

    /// Every top-level member with its raw value, in the client's order, nulls left out.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.places
            .iter()
            .map(|place| (self.slice(&place.key), self.slice(&place.value)))
            .filter(|(_, v)| *v != "null")
    }

    /// A string member, decoded.
    ///
    /// # Errors
    /// Where the member is there and is no string.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, Error> {
        let Some(raw) = self.member(name) else {
            return Ok(None);
        };
        let inside = Escaped::quoted(raw)
            .ok_or_else(|| Error::value(name, format!("'{name}' must be a string.")))?;
        Ok(Some(inside.decode()))
    }

    /// A boolean member.
    ///
    /// # Errors
    /// Where the member is there and is no boolean.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.member(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::value(
                name,
                format!("'{name}' must be true or false."),
            )),
        }
    }

    /// An integer member of at least 1. `10.0` is 10.
    ///
    /// # Errors
    /// Where the member is there and is no such number.
    pub fn positive(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(raw) = self.member(name) else {
            return Ok(None);
        };
        let number = whole_number(raw).filter(|number| *number >= 1);
        number.map(Some).ok_or_else(|| {
            Error::value(name, format!("'{name}' must be an integer of at least 1."))
        })
    }

    /// A number member between two bounds, as its raw text and its value.
    ///
    /// # Errors
    /// Where the member is there and is no number within the bounds.
    pub fn number(&self, name: &str, low: f64, high: f64) -> Result<Option<(&str, f64)>, Error> {
        let Some(raw) = self.member(name) else {
            return Ok(None);
        };
        let bytes = raw.as_bytes();
        let is_number = matches!(bytes.first(), Some(b'-' | b'0'..=b'9'));
        let value = raw
            .parse::<f64>()
            .ok()
            .filter(|value| is_number && (low..=high).contains(value));
        let message = || {
            Error::value(
                name,
                format!("'{name}' must be a number from {low} to {high}."),
            )
        };
        value.map(|value| Some((raw, value))).ok_or_else(message)
    }

    /// The messages, read lazily and borrowed from the body.
    ///
    /// # Errors
    /// Where a message does not have the shape the API describes.
    pub fn messages(&self) -> Result<Vec<Message<'_>>, Error> {
        message::read(self.member("messages").unwrap_or("[]"))
    }

    /// The tools, `functions` included.
    ///
    /// # Errors
    /// Where a tool does not have the shape the API describes.
    pub fn tools(&self) -> Result<Vec<Tool<'_>>, Error> {
        tool::read(self.member("tools"), self.member("functions"))
    }

    /// What `tool_choice` (or `function_call`) asks for.
    ///
    /// # Errors
    /// Where the choice has no known shape.
    pub fn tool_choice(&self) -> Result<Choice<'_>, Error> {
        tool::choice(self.member("tool_choice"), self.member("function_call"))
    }

    /// What is to be embedded.
    ///
    /// # Errors
    /// Where `input` does not have the shape the API describes.
    pub fn input(&self) -> Result<embed::Input<'_>, Error> {
        embed::input(self.member("input"))
    }

    /// The id of the last tool result, where the last message is one: it names the turn that follows.
    #[must_use]
    pub fn answers_call(&self) -> Option<String> {
        let messages = self.member("messages")?;
        // Most conversations have no tool results, and are not parsed to learn that.
        memchr::memmem::find(messages.as_bytes(), b"tool_call_id")?;
        let messages: Vec<&RawValue> = serde_json::from_str(messages).ok()?;
        let last = Members::parse(messages.last()?.get()).ok()?;
        last.text("tool_call_id").map(Cow::into_owned)
    }

    /// The same request with some members set: the JSON of each, by name. What is not named keeps its bytes.
    ///
    /// # Errors
    /// Where a limit that is set is none.
    pub fn with(&self, set: &[(&str, &str)]) -> Result<Self, Error> {
        let mut request = Self {
            body: String::with_capacity(self.body.len().saturating_add(64)),
            places: Vec::with_capacity(self.places.len().saturating_add(set.len())),
            ..self.clone_facts()
        };
        let open = self.body.find('{').map_or(0, |at| at.saturating_add(1));
        request.body.push_str(self.slice(&(0..open)));
        for (name, raw) in set {
            if !self
                .places
                .iter()
                .any(|place| self.slice(&place.key) == *name)
            {
                request.push_member(name, raw);
            }
        }
        let mut from = open;
        for place in &self.places {
            let key = self.slice(&place.key);
            let new = set.iter().find(|(name, _)| *name == key);
            request.body.push_str(self.slice(&(from..place.key.start)));
            let start = request.body.len();
            request.body.push_str(key);
            let end = request.body.len();
            request
                .body
                .push_str(self.slice(&(place.key.end..place.value.start)));
            let value = request.body.len();
            request
                .body
                .push_str(new.map_or_else(|| self.slice(&place.value), |(_, raw)| raw));
            request.places.push(Place {
                key: start..end,
                value: value..request.body.len(),
            });
            from = place.value.end;
        }
        request.body.push_str(self.slice(&(from..self.body.len())));
        let limit = request.positive("max_tokens")?;
        request.max_output = request.positive("max_completion_tokens")?.or(limit);
        Ok(request)
    }

    fn clone_facts(&self) -> Self {
        Self {
            body: String::new(),
            places: Vec::new(),
            ask: self.ask,
            model: self.model.clone(),
            stream: self.stream,
            include_usage: self.include_usage,
            max_output: self.max_output,
            n: self.n,
        }
    }

    /// Writes a member before all others; one follows always, as a request has a model and messages.
    fn push_member(&mut self, name: &str, raw: &str) {
        self.body.push('"');
        let key = self.body.len()..self.body.len().saturating_add(name.len());
        self.body.push_str(name);
        self.body.push_str("\":");
        let value = self.body.len()..self.body.len().saturating_add(raw.len());
        self.body.push_str(raw);
        self.body.push(',');
        self.places.push(Place { key, value });
    }

    fn slice(&self, range: &std::ops::Range<usize>) -> &str {
        self.body.get(range.clone()).unwrap_or_default()
    }

    fn required_model(&self) -> Result<String, Error> {
        let model = self.text("model")?.unwrap_or_default();
        if model.trim().is_empty() {
            let message = "'model' is missing. GET /v1/models lists what can be asked.";
            return Err(Error::value("model", message));
        }
        Ok(model.into_owned())
    }

    fn require_messages(&self) -> Result<(), Error> {
        let inside = self
            .member("messages")
            .and_then(|raw| raw.strip_prefix('['))
            .map(str::trim_start);
        match inside {
            Some(inside) if !inside.starts_with(']') => Ok(()),
            _ => Err(Error::value(
                "messages",
                "'messages' must be an array of at least one message.",
            )),
        }
    }

    fn wants_usage(&self) -> Result<bool, Error> {
        let Some(raw) = self.member("stream_options") else {
            return Ok(false);
        };
        let shape = |_| Error::value("stream_options", "'stream_options' must be an object.");
        let options = Members::parse(raw).map_err(shape)?;
        match options.find("include_usage").map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => {
                let message = "'stream_options.include_usage' must be true or false.";
                Err(Error::value("stream_options.include_usage", message))
            }
        }
    }
}

/// An error for a parameter that the target cannot honour.
#[must_use]
pub fn unsupported(param: &str, why: &str) -> Error {
    Error::new(Code::UnsupportedParameter, format!("'{param}' {why}")).at(param)
}

#[cfg(test)]
mod tests;
