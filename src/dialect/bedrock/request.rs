//! A chat request as a Converse request.
//!
//! The members come in a fixed order with `messages` last, so that the body of a conversation's next turn begins with
//! the body of this one.

use crate::chat::json::{Members, key, member, quoted};
use crate::chat::message::Message;
use crate::chat::{Error, Request};

use super::super::anthropic::format::{self, Format};
use super::super::anthropic::marks::Marks;
use super::super::anthropic::messages::{is_lost, leading, thoughts};
use super::super::anthropic::request::check;
use super::super::anthropic::sampling::{self, Settings};
use super::super::anthropic::state::Thought;
use super::super::anthropic::thinking::{self, Active, Ask, Plan};
use super::super::anthropic::tools::fit_names;
use super::super::codec::{Context, Encoded, Reply, Report, Shape, Target};
use super::super::params::sweep;
use super::content::Parts;
use super::fields::{self, Fields};
use super::maker::Maker;
use super::messages::Writer;
use super::params::PARAMS;
use super::path;
use super::tools::{LONGEST_NAME, Notes, Offer, Source};

/// The room for an answer that thinking is planned in where nothing is known: the provider's own default is the most
/// that the model can write.
const ROOM: u64 = 32_768;

/// Members of Converse's own that pass as they are.
const NATIVE: [&str; 4] = [
    "guardrailConfig",
    "performanceConfig",
    "requestMetadata",
    "additionalModelResponseFieldPaths",
];

/// Translates a request.
///
/// # Errors
/// What the target cannot honour, or what is malformed.
pub(super) fn encode(
    request: &Request,
    target: &Target<'_>,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> Result<Encoded, Error> {
    let mut report = Report::default();
    sweep(request, &PARAMS, context.mode, &mut report)?;
    check(request)?;
    let mut job = Job::read(request, target, context, &mut report)?;
    let plan = job.plan(&mut report)?;
    out.push(b'{');
    job.head(&plan, &mut report, out)?;
    job.conversation(&plan, &mut report, out)?;
    out.push(b'}');
    let (operation, shape, headers) = if request.stream {
        ("converse-stream", Shape::Stream, vec![path::accept()])
    } else {
        ("converse", Shape::Whole, Vec::new())
    };
    Ok(Encoded {
        path: path::of(target.model, operation),
        headers,
        shape,
        report,
        reply: job.reply,
    })
}

/// Everything of a request that its translation looks at more than once.
struct Job<'a> {
    request: &'a Request,
    target: &'a Target<'a>,
    context: &'a Context<'a>,
    maker: Maker,
    messages: Vec<Message<'a>>,
    thoughts: Vec<Vec<Thought>>,
    marks: Marks,
    offer: Offer,
    format: Format,
    reply: Reply,
}

impl<'a> Job<'a> {
    fn read(
        request: &'a Request,
        target: &'a Target<'a>,
        context: &'a Context<'a>,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let messages = request.messages()?;
        let list = request.tools()?;
        let choice = request.tool_choice()?;
        let maker = Maker::of(target.model, target.caps);
        let mut reply = Reply {
            names: fit_names(&list, &choice, &messages, LONGEST_NAME),
            legacy_functions: request.member("functions").is_some()
                && request.member("tools").is_none(),
            answers: request.answers_call(),
            stream: request.stream,
            include_usage: request.include_usage,
            ..Reply::default()
        };
        let mode = context.mode;
        let marks = Marks::count(0, &list, &messages, mode, report)?;
        let source = Source {
            request,
            target,
            maker,
            mode,
            tools: &list,
            choice: &choice,
            messages: &messages,
        };
        let mut notes = Notes {
            marks,
            reply: &mut reply,
            report,
        };
        let offer = Offer::make(&source, &mut notes)?;
        let marks = notes.marks;
        Ok(Self {
            thoughts: thoughts(&messages, context.recall, (target.model, maker.format())),
            request,
            target,
            context,
            maker,
            messages,
            marks,
            offer,
            format: Format::Free,
            reply,
        })
    }

    /// Decides on thinking and on the answer's form, which bear on each other.
    fn plan(&mut self, report: &mut Report) -> Result<Plan, Error> {
        let ask = Ask::read(self.request)?;
        let most = self.request.max_output.or(self.target.caps.max_output);
        let setting = thinking::Setting {
            max_tokens: most.unwrap_or(ROOM),
            forced: self.offer.forced,
            lost: is_lost(&self.messages, &self.thoughts),
            mode: self.context.mode,
        };
        let plan = if self.maker == Maker::Anthropic {
            thinking::plan(&ask, &self.target.caps.reasoning, setting, report)?
        } else {
            Plan::default()
        };
        let setting = format::Setting {
            target: self.target,
            mode: self.context.mode,
            may_force: self.offer.is_empty() && !plan.thinks(),
        };
        self.format = format::plan(self.request, setting, report)?;
        if let Some(schema) = self.format.note(&mut self.reply) {
            self.offer = Offer::stand_in(schema);
        }
        Ok(plan)
    }

    /// Writes everything but system prompt and messages.
    fn head(&self, plan: &Plan, report: &mut Report, out: &mut Vec<u8>) -> Result<(), Error> {
        let mode = self.context.mode;
        let rules = sampling::Rules {
            sampling: self.target.caps.sampling,
            one_of_two: self.maker == Maker::Anthropic,
            thinks: plan.thinks(),
            mode,
        };
        let settings = sampling::plan(self.request, rules, report)?;
        self.inference(settings, report, out)?;
        self.offer.write(out);
        self.output_config(plan, out);
        let mut fields = Fields::of(self.request)?;
        if let Some(thinking) = &plan.thinking {
            fields.add("thinking", thinking);
        }
        if let Some(raw) = settings.top_k {
            fields.top_k(self.maker, raw);
        }
        if self.maker != Maker::Anthropic {
            let ask = Ask::read(self.request)?;
            let limits = [
                "max_tokens",
                "max_completion_tokens",
                "temperature",
                "top_p",
            ];
            let setting = fields::Setting {
                maker: self.maker,
                target: self.target,
                limited: limits
                    .iter()
                    .any(|name| self.request.member(name).is_some()),
                mode,
            };
            fields::effort(&ask, setting, report, &mut fields)?;
        }
        fields.write(out);
        self.tier(report, out)?;
        for name in NATIVE {
            if let Some(raw) = self.request.member(name) {
                member(name, raw, out);
            }
        }
        for (name, json) in &self.target.quirks.add {
            member(name, json, out);
        }
        Ok(())
    }

    fn inference(
        &self,
        settings: Settings<'_>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut config = Vec::new();
        if let Some(most) = self.max_tokens(report)? {
            member("maxTokens", &most.to_string(), &mut config);
        }
        for (name, raw) in [
            ("temperature", settings.temperature),
            ("topP", settings.top_p),
        ] {
            if let Some(raw) = raw {
                member(name, raw, &mut config);
            }
        }
        if let Some(list) = sampling::stop(self.request, self.context.mode, report)? {
            member("stopSequences", &list, &mut config);
        }
        object("inferenceConfig", &config, out);
        Ok(())
    }

    /// The output limit. Without one the provider takes the most that the model can write.
    fn max_tokens(&self, report: &mut Report) -> Result<Option<u64>, Error> {
        match (self.request.max_output, self.target.caps.max_output) {
            (Some(wanted), Some(most)) if wanted > most => {
                let name = if self.request.member("max_completion_tokens").is_some() {
                    "max_completion_tokens"
                } else {
                    "max_tokens"
                };
                report.clamp(
                    self.context.mode,
                    name,
                    "is more than this model can write.",
                )?;
                Ok(Some(most))
            }
            (wanted, _) => Ok(wanted),
        }
    }

    fn output_config(&self, plan: &Plan, out: &mut Vec<u8>) {
        let mut config = Vec::new();
        if let Some(effort) = plan.effort {
            member("effort", &quoted(effort), &mut config);
        }
        if let Format::Native(schema) = &self.format {
            // The schema is a string here.
            let mut inner = Vec::new();
            member("schema", &quoted(schema), &mut inner);
            let raw = self.request.member("response_format").unwrap_or_default();
            let format = Members::parse(raw).unwrap_or_default();
            let told = format
                .find("json_schema")
                .map(serde_json::value::RawValue::get);
            let told = Members::parse(told.unwrap_or_default()).unwrap_or_default();
            for name in ["name", "description"] {
                if let Some(raw) = told.find(name) {
                    member(name, raw.get(), &mut inner);
                }
            }
            key("textFormat", &mut config);
            config.extend_from_slice(b"{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{");
            config.extend_from_slice(&inner);
            config.extend_from_slice(b"}}}");
        }
        object("outputConfig", &config, out);
    }

    fn tier(&self, report: &mut Report, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(tier) = self.request.text("service_tier")? else {
            return Ok(());
        };
        match tier.as_ref() {
            "auto" => {}
            "default" | "flex" | "priority" | "reserved" => {
                member("serviceTier", &format!("{{\"type\":\"{tier}\"}}"), out);
            }
            _ => report.drop(self.context.mode, "service_tier", "has no such tier here.")?,
        }
        Ok(())
    }

    fn conversation(
        &mut self,
        plan: &Plan,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mode = self.context.mode;
        let mut writer = Writer {
            parts: Parts::new(self.target, mode),
            maker: self.maker,
            marks: std::mem::take(&mut self.marks),
            mode,
            reply: &self.reply,
            report,
            thinks: self.maker != Maker::Anthropic || plan.active != Active::No,
        };
        let first = leading(&self.messages);
        let (start, rest) = self.messages.split_at(first.min(self.messages.len()));
        let mut system = Vec::new();
        writer.system(start, self.format.line(), &mut system)?;
        if !system.is_empty() {
            key("system", out);
            out.push(b'[');
            out.extend_from_slice(&system);
            out.push(b']');
        }
        let thoughts = self.thoughts.get(first..).unwrap_or_default();
        key("messages", out);
        out.push(b'[');
        writer.turns(first, rest, thoughts, out)?;
        out.push(b']');
        Ok(())
    }
}

/// Writes an object unless it is empty.
fn object(name: &str, members: &[u8], out: &mut Vec<u8>) {
    if members.is_empty() {
        return;
    }
    key(name, out);
    out.push(b'{');
    out.extend_from_slice(members);
    out.push(b'}');
}
