//! `additionalModelRequestFields`: what a model's maker takes beside Converse's own members.

use crate::chat::json::{Members, member, quoted};
use crate::chat::{Error, Request};

use super::super::anthropic::thinking::Ask;
use super::super::caps::{Effort, Kind, Reasoning};
use super::super::codec::{Mode, Report, Target};
use super::maker::Maker;

/// Its members as they are gathered. What the client itself gave holds over what a translation would add.
#[derive(Debug, Default)]
pub(super) struct Fields {
    names: Vec<String>,
    json: Vec<u8>,
}

impl Fields {
    /// What the client itself gave.
    ///
    /// # Errors
    /// Where that is no object.
    pub(super) fn of(request: &Request) -> Result<Self, Error> {
        let mut fields = Self::default();
        if let Some(raw) = request.member("additionalModelRequestFields") {
            let name = "additionalModelRequestFields";
            let members =
                Members::parse(raw).map_err(|_| Error::value(name, "It must be an object."))?;
            for (name, value) in members.0 {
                fields.add(&name, value.get());
            }
        }
        Ok(fields)
    }

    /// Adds a member unless it is there.
    pub(super) fn add(&mut self, name: &str, json: &str) {
        if !self.names.iter().any(|known| known == name) {
            member(name, json, &mut self.json);
            self.names.push(name.to_owned());
        }
    }

    /// Adds `top_k` as its maker names it.
    pub(super) fn top_k(&mut self, maker: Maker, raw: &str) {
        match maker {
            Maker::Amazon => self.add("inferenceConfig", &format!("{{\"topK\":{raw}}}")),
            Maker::Anthropic | Maker::OpenAi | Maker::Other => self.add("top_k", raw),
        }
    }

    /// Writes the object unless it is empty.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.json.is_empty() {
            return;
        }
        crate::chat::json::key("additionalModelRequestFields", out);
        out.push(b'{');
        out.extend_from_slice(&self.json);
        out.push(b'}');
    }
}

/// What bears on a model's effort.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) maker: Maker,
    pub(super) target: &'a Target<'a>,
    /// Whether the client limits output or sampling, which Nova's highest effort forbids.
    pub(super) limited: bool,
    pub(super) mode: Mode,
}

/// Adds the effort of a model that is not Claude, as its maker takes it.
///
/// # Errors
/// Under strict mode where the model cannot do what was asked.
pub(super) fn effort(
    ask: &Ask<'_>,
    setting: Setting<'_>,
    report: &mut Report,
    fields: &mut Fields,
) -> Result<(), Error> {
    let Some(wanted) = ask.effort else {
        return Ok(());
    };
    let (target, mode) = (setting.target, setting.mode);
    if let Some(own) = target.quirks.effort.get(wanted.as_str()) {
        for (name, value) in Members::parse(own).unwrap_or_default().0 {
            fields.add(&name, value.get());
        }
        return Ok(());
    }
    let reasoning = &target.caps.reasoning;
    let takes = match reasoning.kind {
        Kind::None => false,
        Kind::Effort | Kind::Adaptive | Kind::Always | Kind::Budget => true,
        Kind::Toggle => setting.maker == Maker::Amazon,
        Kind::Unknown => match setting.maker {
            Maker::OpenAi => true,
            Maker::Amazon => target.model.contains("nova-2"),
            Maker::Other => target.model.contains("gpt-oss"),
            Maker::Anthropic => false,
        },
    };
    if !takes {
        if wanted == Effort::None {
            return Ok(());
        }
        return report.drop(mode, "reasoning_effort", "is not known to this model.");
    }
    let level = nearest(wanted, setting, reasoning);
    if level != wanted {
        report.clamp(mode, "reasoning_effort", "has no such level on this model.")?;
    }
    match setting.maker {
        Maker::Amazon if level == Effort::None => {}
        Maker::Amazon => {
            let config = format!(
                "{{\"type\":\"enabled\",\"maxReasoningEffort\":{}}}",
                quoted(level.as_str())
            );
            fields.add("reasoningConfig", &config);
        }
        Maker::OpenAi => {
            let object = format!("{{\"effort\":{}}}", quoted(level.as_str()));
            fields.add("reasoning", &object);
        }
        Maker::Anthropic | Maker::Other => {
            fields.add("reasoning_effort", &quoted(level.as_str()));
        }
    }
    Ok(())
}

/// The nearest level the model takes; where none are listed, what every model of its maker takes.
fn nearest(wanted: Effort, setting: Setting<'_>, reasoning: &Reasoning) -> Effort {
    let known = match setting.maker {
        // Amazon's Nova 2 guide: low, medium and high; the last takes no limits beside it.
        Maker::Amazon if setting.limited => &[Effort::None, Effort::Low, Effort::Medium][..],
        Maker::Amazon => &[Effort::None, Effort::Low, Effort::Medium, Effort::High],
        Maker::OpenAi => &[
            Effort::None,
            Effort::Low,
            Effort::Medium,
            Effort::High,
            Effort::Xhigh,
            Effort::Max,
        ],
        Maker::Anthropic | Maker::Other => &[Effort::Low, Effort::Medium, Effort::High],
    };
    let within = Reasoning {
        levels: known.to_vec(),
        ..Reasoning::default()
    };
    within.nearest(reasoning.nearest(wanted))
}
