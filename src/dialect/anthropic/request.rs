//! A chat request as a Messages request.
//!
//! The members come in a fixed order with `messages` last, so that the body of a conversation's next turn begins with
//! the body of this one.

use crate::chat::json::{key, member, quoted};
use crate::chat::message::Message;
use crate::chat::request::unsupported;
use crate::chat::{Error, Request};

use super::super::codec::{Context, Encoded, Reply, Report, Shape, Target};
use super::super::{ids, params as table};
use super::content::{FILES_BETA, Parts};
use super::envelope::{Betas, Envelope, Host};
use super::format::{self, Format};
use super::marks::Marks;
use super::messages::{self, Writer};
use super::sampling;
use super::state::{self, Thought};
use super::thinking::{self, Active, Ask, Plan};
use super::tools::{self, Notes, Offer, Source};

/// The output limit for models of which none is known.
const DEFAULT_OUTPUT: u64 = 8_192;

/// Above this limit the provider wants a stream: a longer answer may take over ten minutes
/// (Anthropic's SDKs refuse it: 3600 s * `max_tokens` / 128,000 > 600 s).
const LONGEST_UNSTREAMED: u64 = 21_333;

/// The longest `user_id` that is sent as it is.
const LONGEST_USER: usize = 256;

/// Members of the provider's own that pass as they are. `thinking` and `top_k` are written by their own rules.
const NATIVE: [&str; 5] = [
    "cache_control",
    "mcp_servers",
    "context_management",
    "speed",
    "container",
];

/// Translates a request.
///
/// # Errors
/// What the target cannot honour, or what is malformed.
pub(crate) fn encode(
    request: &Request,
    target: &Target<'_>,
    (envelope, context): (&'static Envelope, &Context<'_>),
    out: &mut Vec<u8>,
) -> Result<Encoded, Error> {
    let mut report = Report::default();
    table::sweep(request, envelope.params, context.mode, &mut report)?;
    check(request)?;
    let mut job = Job::read(request, target, (envelope, context), &mut report)?;
    let plan = job.plan(&mut report)?;
    out.push(b'{');
    job.head(&plan, &mut report, out)?;
    job.offer.write(out);
    let files = job.conversation(&plan, &mut report, out)?;
    out.push(b'}');
    let shape = if job.streams {
        Shape::Stream
    } else {
        Shape::Whole
    };
    Ok(Encoded {
        path: (envelope.path)(target.model, shape),
        headers: job.headers(files),
        shape,
        report,
        reply: job.reply,
    })
}

/// What cannot be honoured in any mode.
pub(crate) fn check(request: &Request) -> Result<(), Error> {
    if request.n > 1 {
        return Err(unsupported(
            "n",
            "must be 1: this provider gives one choice for a prompt.",
        ));
    }
    if request
        .member("modalities")
        .is_some_and(|raw| raw.contains("\"audio\""))
    {
        return Err(unsupported(
            "modalities",
            "must be [\"text\"]: this provider makes no audio.",
        ));
    }
    Ok(())
}

/// Everything of a request that its translation looks at more than once.
struct Job<'a> {
    request: &'a Request,
    target: &'a Target<'a>,
    envelope: &'static Envelope,
    context: &'a Context<'a>,
    messages: Vec<Message<'a>>,
    thoughts: Vec<Vec<Thought>>,
    marks: Marks,
    offer: Offer,
    format: Format,
    reply: Reply,
    max_tokens: u64,
    streams: bool,
}

impl<'a> Job<'a> {
    fn read(
        request: &'a Request,
        target: &'a Target<'a>,
        (envelope, context): (&'static Envelope, &'a Context<'a>),
        report: &mut Report,
    ) -> Result<Self, Error> {
        let messages = request.messages()?;
        let list = request.tools()?;
        let choice = request.tool_choice()?;
        let mut reply = Reply {
            names: tools::fit_names(&list, &choice, &messages, tools::LONGEST_NAME),
            legacy_functions: request.member("functions").is_some()
                && request.member("tools").is_none(),
            answers: request.answers_call(),
            stream: request.stream,
            include_usage: request.include_usage,
            ..Reply::default()
        };
        let mode = context.mode;
        let automatic =
            request.member("cache_control").is_some() && envelope.takes("cache_control");
        let marks = Marks::count(automatic.into(), &list, &messages, mode, report)?;
        let source = Source {
            request,
            target,
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
        let max_tokens = max_tokens(request, target, context, report)?;
        Ok(Self {
            thoughts: messages::thoughts(
                &messages,
                context.recall,
                (target.model, state::Format::Claude),
            ),
            request,
            target,
            envelope,
            context,
            messages,
            marks,
            offer,
            format: Format::Free,
            reply,
            max_tokens,
            streams: request.stream || max_tokens > LONGEST_UNSTREAMED,
        })
    }

    /// Decides on thinking and on the answer's form, which bear on each other.
    fn plan(&mut self, report: &mut Report) -> Result<Plan, Error> {
        let ask = Ask::read(self.request)?;
        let setting = thinking::Setting {
            max_tokens: self.max_tokens,
            forced: self.offer.forced,
            lost: messages::is_lost(&self.messages, &self.thoughts),
            mode: self.context.mode,
        };
        let plan = thinking::plan(&ask, &self.target.caps.reasoning, setting, report)?;
        let setting = format::Setting {
            target: self.target,
            mode: self.context.mode,
            may_force: self.offer.is_empty() && plan.active == Active::No,
        };
        self.format = format::plan(self.request, setting, report)?;
        if let Some(schema) = self.format.note(&mut self.reply) {
            self.offer = Offer::stand_in(schema);
        }
        Ok(plan)
    }

    /// Writes everything but tools, system prompt and messages.
    fn head(&self, plan: &Plan, report: &mut Report, out: &mut Vec<u8>) -> Result<(), Error> {
        match self.envelope.host {
            Host::Vendor => member("model", &quoted(self.target.model), out),
            Host::Cloud(version) => member("anthropic_version", &quoted(version), out),
        }
        let mut betas = betas(self.request, self.envelope);
        // One model takes effort only as a beta where it is not the vendor's own (Bedrock's card of Claude Opus 4.5).
        if plan.effort.is_some() && self.target.model.contains("opus-4-5") {
            betas.push("effort-2025-11-24");
        }
        if self.envelope.betas == Betas::Body && !betas.is_empty() {
            let list: Vec<String> = betas.iter().map(|beta| quoted(beta)).collect();
            member("anthropic_beta", &format!("[{}]", list.join(",")), out);
        }
        member("max_tokens", &self.max_tokens.to_string(), out);
        if self.streams && self.envelope.says_stream {
            member("stream", "true", out);
        }
        if let Some(thinking) = &plan.thinking {
            member("thinking", thinking, out);
        }
        self.output_config(plan, out);
        let mode = self.context.mode;
        let rules = sampling::Rules {
            sampling: self.target.caps.sampling,
            one_of_two: true,
            thinks: plan.thinks(),
            mode,
        };
        let settings = sampling::plan(self.request, rules, report)?;
        for (name, raw) in [
            ("temperature", settings.temperature),
            ("top_p", settings.top_p),
            ("top_k", settings.top_k),
        ] {
            if let Some(raw) = raw {
                member(name, raw, out);
            }
        }
        if let Some(list) = sampling::stop(self.request, mode, report)? {
            member("stop_sequences", &list, out);
        }
        user(self.request, report, out)?;
        if self.envelope.host == Host::Vendor {
            tier(self.request, self.context, report, out)?;
        }
        for name in NATIVE {
            if let Some(raw) = self.request.member(name)
                && self.envelope.takes(name)
            {
                member(name, raw, out);
            }
        }
        for (name, json) in &self.target.quirks.add {
            member(name, json, out);
        }
        Ok(())
    }

    fn output_config(&self, plan: &Plan, out: &mut Vec<u8>) {
        let format = match &self.format {
            Format::Native(schema) => Some(schema),
            Format::Free | Format::Tool(_) | Format::Line(_) => None,
        };
        if plan.effort.is_none() && format.is_none() {
            return;
        }
        key("output_config", out);
        out.push(b'{');
        if let Some(effort) = plan.effort {
            member("effort", &quoted(effort), out);
        }
        if let Some(schema) = format {
            let format = format!("{{\"type\":\"json_schema\",\"schema\":{schema}}}");
            member("format", &format, out);
        }
        out.push(b'}');
    }

    /// Writes system prompt and messages; gives back whether an uploaded file is among them.
    fn conversation(
        &mut self,
        plan: &Plan,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let mode = self.context.mode;
        let mut writer = Writer {
            parts: Parts {
                target: self.target,
                mode,
                is_cloud: self.envelope.is_cloud(),
                files: false,
            },
            marks: std::mem::take(&mut self.marks),
            mode,
            reply: &self.reply,
            report,
            thinks: plan.active != Active::No,
        };
        let first = messages::leading(&self.messages);
        let (leading, rest) = self.messages.split_at(first.min(self.messages.len()));
        let mut system = Vec::new();
        writer.system(leading, self.format.line(), &mut system)?;
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
        Ok(writer.parts.files)
    }
}

impl Job<'_> {
    /// The protocol's version and the betas, where they are said by headers.
    fn headers(&self, files: bool) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if self.envelope.host == Host::Vendor {
            headers.push(("anthropic-version", "2023-06-01".to_owned()));
        }
        if self.envelope.betas == Betas::Header {
            let files = files.then_some(FILES_BETA);
            let betas = betas(self.request, self.envelope);
            let betas: Vec<&str> = files.into_iter().chain(betas).collect();
            if !betas.is_empty() {
                headers.push(("anthropic-beta", betas.join(",")));
            }
        }
        headers
    }
}

/// The output limit, which the provider demands.
fn max_tokens(
    request: &Request,
    target: &Target<'_>,
    context: &Context<'_>,
    report: &mut Report,
) -> Result<u64, Error> {
    let most = target.caps.max_output;
    let Some(wanted) = request.max_output else {
        report.fill("max_tokens");
        return Ok(most.unwrap_or(DEFAULT_OUTPUT));
    };
    match most {
        Some(most) if wanted > most => {
            let name = if request.member("max_completion_tokens").is_some() {
                "max_completion_tokens"
            } else {
                "max_tokens"
            };
            report.clamp(context.mode, name, "is more than this model can write.")?;
            Ok(most)
        }
        _ => Ok(wanted),
    }
}

/// Writes who the end user is: opaque, so what is long or tells a person is hashed.
fn user(request: &Request, report: &mut Report, out: &mut Vec<u8>) -> Result<(), Error> {
    let named = request.text("user")?.map(|user| ("user", user));
    let named = match named {
        None => request
            .text("safety_identifier")?
            .map(|user| ("safety_identifier", user)),
        named => named,
    };
    let Some((name, user)) = named.filter(|(_, user)| !user.is_empty()) else {
        return Ok(());
    };
    key("metadata", out);
    out.extend_from_slice(b"{\"user_id\":");
    if user.len() > LONGEST_USER || is_personal(&user) {
        report.fill(name);
        out.extend_from_slice(quoted(&ids::digest(&user, 64)).as_bytes());
    } else {
        out.extend_from_slice(quoted(&user).as_bytes());
    }
    out.push(b'}');
    Ok(())
}

/// Whether a name is an e-mail address or a phone number, which the provider refuses.
fn is_personal(user: &str) -> bool {
    let phone = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '.');
    let digits = user.bytes().filter(u8::is_ascii_digit).count();
    user.contains('@') || (user.chars().all(phone) && (7..=15).contains(&digits))
}

fn tier(
    request: &Request,
    context: &Context<'_>,
    report: &mut Report,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let Some(tier) = request.text("service_tier")? else {
        return Ok(());
    };
    match tier.as_ref() {
        "auto" => member("service_tier", "\"auto\"", out),
        "default" | "standard_only" => member("service_tier", "\"standard_only\"", out),
        _ => report.drop(context.mode, "service_tier", "has no such tier here.")?,
    }
    Ok(())
}

/// The betas that what is passed needs.
fn betas(request: &Request, envelope: &Envelope) -> Vec<&'static str> {
    let passes = |name: &str| request.member(name).is_some() && envelope.takes(name);
    let mut betas: Vec<&str> = Vec::new();
    if passes("mcp_servers") {
        let toolset = request
            .member("tools")
            .is_some_and(|raw| raw.contains("\"mcp_toolset\""));
        betas.push(if toolset {
            "mcp-client-2025-11-20"
        } else {
            "mcp-client-2025-04-04"
        });
    }
    if passes("context_management") {
        betas.push("context-management-2025-06-27");
    }
    if passes("speed") {
        betas.push("fast-mode-2026-02-01");
    }
    betas
}
