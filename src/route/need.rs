//! What a request needs, read once: capabilities, limits, how long it is and what it is likely to get.

use crate::chat::json::{Escaped, Members};
use crate::chat::message::{Content, Message, PartKind, Role};
use crate::chat::tool::{Choice, ToolKind};
use crate::chat::{Error, Request};
use crate::dialect::caps::Effort;

use super::ability::{Abilities, Ability};
use super::affinity::{self, Prefixes};
use super::number::{count, float};
use super::task::{self, Guess, Shape};

/// What a request needs.
#[derive(Clone, Debug, Default)]
pub struct Need {
    /// What a model must be able to do.
    pub abilities: Abilities,
    /// The reasoning effort, where the caller said one; it is never changed then.
    pub effort: Option<Effort>,
    /// The output limit, where the caller said one.
    pub output: Option<u64>,
    /// How many choices.
    pub choices: u64,
    /// The prompt's size.
    pub prompt: Prompt,
    /// Tokens of a typical answer, without thinking: the task's, or what was learned of the tenant's.
    pub answer: u64,
    /// What kind of work it seems to be.
    pub task: Guess,
    /// The beginnings of the prompt that a cache may know.
    pub prefixes: Prefixes,
    /// Whether the answer is streamed.
    pub stream: bool,
}

/// How long a prompt is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Tokens, estimated, before a model's own factor.
    pub estimate: u64,
    /// How far that usually is off at most.
    pub error: u64,
    /// Tokens at most, whatever the model.
    pub most: u64,
    /// Tokens at most for a model whose tokenizer it was counted with, where it is counted whole and is nothing but text.
    pub counted: Option<u64>,
    /// Of those, what may be audio.
    pub audio: u64,
}

/// Whether requests are classified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hinting {
    /// Yes.
    #[default]
    On,
    /// Every request is general.
    Off,
}

impl Need {
    /// Reads a request.
    ///
    /// # Errors
    /// Where a member does not have the shape the API describes.
    pub fn read(request: &Request, prompt: Prompt, hinting: Hinting) -> Result<Self, Error> {
        let messages = request.messages()?;
        let abilities = tools(request, of_content(&messages))?;
        let abilities = formats(request, parameters(request, abilities));
        let effort = effort(request);
        let said = effort.is_some_and(|effort| effort != Effort::None);
        let mut need = Self {
            abilities: abilities.with_if(said, Ability::Reasoning),
            effort,
            output: request.max_output,
            choices: request.n,
            prompt,
            stream: request.stream,
            prefixes: prefixes(request, &messages, prompt.estimate),
            ..Self::default()
        };
        if hinting == Hinting::On {
            need.task = task::guess(&shape(&need, &messages));
        }
        need.answer = need.typical();
        Ok(need)
    }

    /// What the task lets expect; with tools most turns are short calls.
    fn typical(&self) -> u64 {
        let answer = u64::from(self.task.task.meaning().answer);
        if self.abilities.has(Ability::Tools) {
            answer.min(250)
        } else {
            answer
        }
    }
}

fn of_content(messages: &[Message<'_>]) -> Abilities {
    let parts = messages
        .iter()
        .filter_map(|message| match &message.content {
            Content::Parts(parts) => Some(parts),
            Content::Absent | Content::Text(_) => None,
        });
    parts
        .flatten()
        .fold(Abilities::NONE, |set, part| match &part.kind {
            PartKind::Image { .. } => set.with(Ability::Vision),
            PartKind::Audio { .. } => set.with(Ability::AudioInput),
            PartKind::File { .. } => set.with(Ability::Pdf),
            PartKind::Text(_) | PartKind::Refusal(_) | PartKind::Other(_) => set,
        })
}

fn tools(request: &Request, set: Abilities) -> Result<Abilities, Error> {
    if request.member("tools").is_none() && request.member("functions").is_none() {
        return Ok(set);
    }
    let tools = request.tools()?;
    let custom = |kind: &ToolKind<'_>| matches!(kind, ToolKind::Custom { .. });
    let forced = match request.tool_choice()? {
        Choice::Required | Choice::Named(_) | Choice::Custom(_) => true,
        Choice::Allowed { required, .. } => required,
        Choice::Absent | Choice::None | Choice::Auto => false,
    };
    let parallel = request.boolean("parallel_tool_calls")? == Some(true);
    Ok(set
        .with_if(!tools.is_empty(), Ability::Tools)
        .with_if(
            tools.iter().any(|tool| custom(&tool.kind)),
            Ability::CustomTools,
        )
        .with_if(parallel, Ability::ParallelTools)
        .with_if(forced, Ability::ForcedToolChoice))
}

/// Parameters that say more than the default.
fn parameters(request: &Request, set: Abilities) -> Abilities {
    let other = |name: &str, usual: f64| {
        let value = request.member(name).and_then(|raw| raw.parse::<f64>().ok());
        value.is_some_and(|value| (value - usual).abs() > f64::EPSILON)
    };
    let said = |name: &str| request.member(name).is_some_and(|raw| raw != "false");
    let sampling = other("temperature", 1.0) || other("top_p", 1.0) || said("top_k");
    let penalties = other("presence_penalty", 0.0) || other("frequency_penalty", 0.0);
    set.with_if(sampling, Ability::Sampling)
        .with_if(penalties, Ability::Penalties)
        .with_if(request.n > 1, Ability::Choices)
        .with_if(said("logprobs") || said("top_logprobs"), Ability::Logprobs)
        .with_if(said("seed"), Ability::Seed)
        .with_if(said("stop"), Ability::Stop)
        .with_if(said("logit_bias"), Ability::LogitBias)
}

fn formats(request: &Request, set: Abilities) -> Abilities {
    let format = request.member("response_format").map(Members::parse);
    let format = format.and_then(Result::ok);
    let kind = format.as_ref().and_then(|format| format.text("type"));
    let kind = kind.as_deref().unwrap_or("text");
    let spoken = request
        .member("modalities")
        .is_some_and(|raw| raw.contains("\"audio\""));
    set.with_if(kind == "json_schema", Ability::JsonSchema)
        .with_if(kind == "json_object", Ability::JsonObject)
        .with_if(spoken, Ability::AudioOutput)
}

/// The effort the caller said, in any of the ways clients say it. One that is said in a way of some provider's own
/// counts as said, at a medium level.
fn effort(request: &Request) -> Option<Effort> {
    let word = |raw: &str| Escaped::quoted(raw).and_then(|word| Effort::parse(&word.decode()));
    if let Some(raw) = request.member("reasoning_effort") {
        return Some(word(raw).unwrap_or(Effort::Medium));
    }
    let reasoning = request
        .member("reasoning")
        .or_else(|| request.member("thinking"))?;
    let members = Members::parse(reasoning).ok()?;
    let said = members.find("effort").and_then(|raw| word(raw.get()));
    let off = matches!(members.text("type").as_deref(), Some("disabled"))
        || members
            .find("enabled")
            .is_some_and(|raw| raw.get() == "false");
    Some(said.unwrap_or(if off { Effort::None } else { Effort::Medium }))
}

/// Hashes each message with all before it; tools come first, as they do in prompts.
fn prefixes(request: &Request, messages: &[Message<'_>], tokens: u64) -> Prefixes {
    let mut prefixes = Prefixes::default();
    let tools = request
        .member("tools")
        .or_else(|| request.member("functions"));
    let mut hash = affinity::digest(tools.unwrap_or_default().as_bytes());
    let all = request.member("messages").map_or(0, str::len) + tools.map_or(0, str::len);
    let each = float(tokens) / float(all.max(1) as u64);
    let mut bytes = tools.map_or(0, str::len);
    for message in messages {
        let mut own = 0;
        for (name, value) in &message.members.0 {
            bytes += name.len() + value.get().len();
            own ^= super::number::mix(
                affinity::digest(name.as_bytes()),
                affinity::digest(value.get().as_bytes()),
            );
        }
        let upto = count(float(bytes as u64) * each).min(tokens);
        prefixes.extend(&mut hash, &own.to_le_bytes(), upto);
    }
    prefixes
}

fn shape<'a>(need: &Need, messages: &[Message<'a>]) -> Shape<'a> {
    let asked = messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User);
    let system = messages
        .first()
        .filter(|message| matches!(message.role, Role::System | Role::Developer));
    Shape {
        needs: need.abilities,
        prompt: need.prompt.estimate,
        asked: asked.map_or("", text),
        system: system.map_or("", text),
    }
}

/// The text of a message, or the last text of its parts.
fn text<'a>(message: &Message<'a>) -> &'a str {
    match &message.content {
        Content::Text(text) => text.as_str(),
        Content::Parts(parts) => {
            let texts = parts.iter().rev().filter_map(|part| match &part.kind {
                PartKind::Text(text) => Some(text.as_str()),
                PartKind::Refusal(_)
                | PartKind::Image { .. }
                | PartKind::Audio { .. }
                | PartKind::File { .. }
                | PartKind::Other(_) => None,
            });
            texts.into_iter().next().unwrap_or_default()
        }
        Content::Absent => "",
    }
}

#[cfg(test)]
mod tests {
    use crate::route::task::Task;

    use super::*;

    fn read(more: &str, content: &str) -> Need {
        let body = format!(
            r#"{{"model":"auto","messages":[{{"role":"user","content":{content}}}]{more}}}"#
        );
        let request = Request::parse(body.into_bytes()).unwrap();
        let prompt = Prompt {
            error: 0,
            counted: None,
            estimate: 5_000,
            most: 9_000,
            audio: 0,
        };
        Need::read(&request, prompt, Hinting::On).unwrap()
    }

    /// What is said beside the message, the message, and what that needs.
    const NEEDS: [(&str, &str, &[Ability]); 14] = [
        (
            r#","temperature":1,"top_p":1.0,"n":1,"seed":null,"logprobs":false"#,
            r#""hi""#,
            &[],
        ),
        (r#","temperature":0"#, r#""hi""#, &[Ability::Sampling]),
        (
            r#","presence_penalty":0.5,"seed":0"#,
            r#""hi""#,
            &[Ability::Seed, Ability::Penalties],
        ),
        (
            r#","n":2,"stop":"x","logit_bias":{"1":2},"logprobs":true"#,
            r#""hi""#,
            &[
                Ability::Choices,
                Ability::Logprobs,
                Ability::Stop,
                Ability::LogitBias,
            ],
        ),
        (r#","tools":[]"#, r#""hi""#, &[]),
        (
            r#","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","parallel_tool_calls":true"#,
            r#""hi""#,
            &[
                Ability::Tools,
                Ability::ParallelTools,
                Ability::ForcedToolChoice,
            ],
        ),
        (
            r#","tools":[{"type":"custom","custom":{"name":"f"}}],"tool_choice":"auto""#,
            r#""hi""#,
            &[Ability::Tools, Ability::CustomTools],
        ),
        (
            r#","functions":[{"name":"f"}],"function_call":{"name":"f"}"#,
            r#""hi""#,
            &[Ability::Tools, Ability::ForcedToolChoice],
        ),
        (
            r#","response_format":{"type":"json_object"}"#,
            r#""hi""#,
            &[Ability::JsonObject],
        ),
        (
            r#","response_format":{"type":"json_schema","json_schema":{}}"#,
            r#""hi""#,
            &[Ability::JsonSchema],
        ),
        (
            "",
            r#"[{"type":"image_url","image_url":{"url":"data:,"}},{"type":"text","text":"hi"}]"#,
            &[Ability::Vision],
        ),
        (
            "",
            r#"[{"type":"file","file":{"file_id":"f"}},{"type":"input_audio","input_audio":{"data":"","format":"wav"}}]"#,
            &[Ability::Pdf, Ability::AudioInput],
        ),
        (
            r#","modalities":["text","audio"]"#,
            r#""hi""#,
            &[Ability::AudioOutput],
        ),
        (
            r#","reasoning_effort":"high""#,
            r#""hi""#,
            &[Ability::Reasoning],
        ),
    ];

    #[test]
    fn what_is_needed_is_read_and_defaults_need_nothing() {
        for (more, content, wanted) in NEEDS {
            let need = read(more, content);
            assert!(
                need.abilities.each().eq(wanted.iter().copied()),
                "{more} {content}: {:?}",
                need.abilities
            );
        }
    }

    #[test]
    fn effort_is_what_the_caller_said_in_any_way() {
        let table = [
            ("", None),
            (r#","reasoning_effort":"low""#, Some(Effort::Low)),
            (r#","reasoning":{"effort":"none"}"#, Some(Effort::None)),
            (r#","reasoning":{"enabled":false}"#, Some(Effort::None)),
            (
                r#","thinking":{"type":"enabled","budget_tokens":2000}"#,
                Some(Effort::Medium),
            ),
            (r#","thinking":{"type":"disabled"}"#, Some(Effort::None)),
        ];
        for (more, effort) in table {
            assert_eq!(read(more, r#""hi""#).effort, effort, "{more}");
        }
        assert!(
            !read(r#","reasoning":{"effort":"none"}"#, r#""hi""#)
                .abilities
                .has(Ability::Reasoning)
        );
    }

    #[test]
    fn tasks_and_lengths_follow_the_text() {
        let poem = read("", r#""Write a poem about Ulm""#);
        assert_eq!((poem.task.task, poem.answer), (Task::Creative, 800));
        let tools = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;
        assert_eq!(read(tools, r#""Write a poem about Ulm""#).answer, 250);
        let parts = r#"[{"type":"text","text":"Summarise"},{"type":"image_url","image_url":{"url":"data:,"}}]"#;
        assert_eq!(read("", parts).task.task, Task::Summary);
        assert!(!read("", r#""hi""#).prefixes.is_empty());
    }
}
