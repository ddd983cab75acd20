//! Reasoning effort as Anthropic's `thinking` and `output_config.effort`, by what the model takes.

use serde_json::value::RawValue;

use crate::chat::json::Members;
use crate::chat::{Error, Escaped, Request};

use super::super::caps::{Effort, Kind, Reasoning};
use super::super::codec::{Mode, Report};

/// The smallest budget the provider takes.
const SMALLEST_BUDGET: u64 = 1024;

/// What a client asks about reasoning, in all the ways there are.
#[derive(Debug, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) effort: Option<Effort>,
    budget: Option<u64>,
    /// Whether reasoning text shall be shown.
    show: bool,
    /// Anthropic's own `thinking`.
    native: Option<&'a str>,
}

impl<'a> Ask<'a> {
    /// Reads `reasoning_effort`, `reasoning`, `include_reasoning` and `thinking`.
    ///
    /// # Errors
    /// Where an effort is no level that OpenAI knows.
    pub(crate) fn read(request: &'a Request) -> Result<Self, Error> {
        let mut ask = Self {
            native: request.member("thinking"),
            ..Self::default()
        };
        if let Some(raw) = request.member("reasoning_effort") {
            // Some agents send an object of effort and summary here.
            let word = match Members::parse(raw) {
                Ok(object) => object.text("effort").map(std::borrow::Cow::into_owned),
                Err(_) => Escaped::quoted(raw).map(|word| word.decode().into_owned()),
            };
            ask.effort = Some(level("reasoning_effort", word.as_deref())?);
        }
        if let Some(raw) = request.member("reasoning") {
            ask.object(raw)?;
        } else {
            ask.show = ask.effort.is_some_and(|effort| effort != Effort::None);
        }
        ask.show |= request.boolean("include_reasoning")? == Some(true);
        Ok(ask)
    }

    /// `OpenRouter`'s `reasoning` object.
    fn object(&mut self, raw: &str) -> Result<(), Error> {
        let shape = |_| Error::value("reasoning", "'reasoning' must be an object.");
        let object = Members::parse(raw).map_err(shape)?;
        let is = |name: &str, value: &str| object.find(name).map(RawValue::get) == Some(value);
        if let Some(word) = object.text("effort") {
            self.effort = Some(level("reasoning.effort", Some(&word))?);
        } else if is("enabled", "false") {
            self.effort = Some(Effort::None);
        }
        self.budget = object.count("max_tokens");
        self.show = !is("exclude", "true") && self.effort != Some(Effort::None);
        Ok(())
    }

    /// Whether anything at all was asked.
    const fn is_silent(&self) -> bool {
        self.effort.is_none() && self.budget.is_none() && !self.show
    }
}

fn level(param: &str, word: Option<&str>) -> Result<Effort, Error> {
    word.and_then(Effort::parse).ok_or_else(|| {
        let message = format!("'{param}' must be none, minimal, low, medium, high, xhigh or max.");
        Error::value(param, message)
    })
}

/// Whether the model thinks in this request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Active {
    /// Nothing is known.
    #[default]
    Unknown,
    /// No.
    No,
    /// By its own measure.
    Adaptive,
    /// By a budget, which brings the old rules: no forced tool, thoughts in every tool turn.
    Manual,
}

/// What is sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The `thinking` object.
    pub(crate) thinking: Option<String>,
    /// `output_config.effort`.
    pub(crate) effort: Option<&'static str>,
    /// Whether the model thinks.
    pub(crate) active: Active,
}

impl Plan {
    /// Whether the model is known to think.
    pub(crate) const fn thinks(&self) -> bool {
        matches!(self.active, Active::Manual | Active::Adaptive)
    }
}

/// What of the request bears on thinking.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The output limit that is sent.
    pub(crate) max_tokens: u64,
    /// Whether a tool is forced.
    pub(crate) forced: bool,
    /// Whether a tool loop is open whose thoughts are lost, in a history that has none (E-78).
    pub(crate) lost: bool,
    /// What to do about what cannot be honoured.
    pub(crate) mode: Mode,
}

/// Decides what to send (the table of A.9.1 is in the arms).
///
/// # Errors
/// Under strict mode where the model cannot do what was asked.
pub(crate) fn plan(
    ask: &Ask<'_>,
    reasoning: &Reasoning,
    setting: Setting,
    report: &mut Report,
) -> Result<Plan, Error> {
    if let Some(native) = ask.native {
        return native_plan(native, ask, reasoning, setting.mode, report);
    }
    match reasoning.kind {
        Kind::None => {
            if ask.effort.is_some_and(|effort| effort != Effort::None) {
                report.drop(
                    setting.mode,
                    "reasoning_effort",
                    "is not known to this model.",
                )?;
            }
            Ok(off())
        }
        Kind::Budget | Kind::Toggle => budget_plan(ask, reasoning, setting, report),
        Kind::Adaptive | Kind::Effort => adaptive_plan(ask, reasoning, setting.mode, report),
        // What is not known is treated as the newest family: always thinking, steered by effort.
        Kind::Always | Kind::Unknown => always_plan(ask, reasoning, setting.mode, report),
    }
}

const fn off() -> Plan {
    Plan {
        thinking: None,
        effort: None,
        active: Active::No,
    }
}

fn native_plan(
    native: &str,
    ask: &Ask<'_>,
    reasoning: &Reasoning,
    mode: Mode,
    report: &mut Report,
) -> Result<Plan, Error> {
    let kind = Members::parse(native)
        .map_err(|_| Error::value("thinking", "'thinking' must be an object with a 'type'."))?;
    let active = match kind.text("type").as_deref() {
        Some("disabled") => Active::No,
        Some("enabled") => Active::Manual,
        _ => Active::Adaptive,
    };
    let effort = match ask.effort {
        Some(effort) if effort != Effort::None && active == Active::Adaptive => {
            Some(nearest(effort, reasoning, mode, report)?)
        }
        _ => None,
    };
    Ok(Plan {
        thinking: Some(native.to_owned()),
        effort,
        active,
    })
}

fn budget_plan(
    ask: &Ask<'_>,
    reasoning: &Reasoning,
    setting: Setting,
    report: &mut Report,
) -> Result<Plan, Error> {
    if ask.is_silent() || ask.effort == Some(Effort::None) {
        return Ok(off());
    }
    let obstacle = if setting.forced {
        Some("cannot be combined with a forced tool here.")
    } else if setting.lost {
        Some("needs the reasoning of the turn that called the tools, which the history lacks.")
    } else if setting.max_tokens <= SMALLEST_BUDGET {
        Some("needs an output limit above 1024 here.")
    } else {
        None
    };
    if let Some(why) = obstacle {
        report.drop(setting.mode, "reasoning_effort", why)?;
        return Ok(off());
    }
    let wanted = ask.budget.unwrap_or_else(|| budget(ask.effort));
    let least = reasoning
        .budget_min
        .unwrap_or(SMALLEST_BUDGET)
        .max(SMALLEST_BUDGET);
    let most = reasoning.budget_max.unwrap_or(u64::MAX);
    let mut tokens = wanted.min(most).max(least);
    if tokens >= setting.max_tokens {
        // Half for thinking, half for the answer.
        tokens = setting.max_tokens.div_euclid(2).max(SMALLEST_BUDGET);
    }
    if tokens != wanted {
        report.clamp(
            setting.mode,
            "reasoning_effort",
            "needs more tokens than the limits leave.",
        )?;
    }
    Ok(Plan {
        thinking: Some(format!(
            "{{\"type\":\"enabled\",\"budget_tokens\":{tokens}}}"
        )),
        effort: None,
        active: Active::Manual,
    })
}

/// The budget of a level; medium where only reasoning as such was asked for.
const fn budget(effort: Option<Effort>) -> u64 {
    match effort {
        Some(Effort::None | Effort::Minimal) => 1024,
        Some(Effort::Low) => 2048,
        Some(Effort::Medium) | None => 8192,
        Some(Effort::High) => 16_384,
        Some(Effort::Xhigh) => 24_576,
        Some(Effort::Max) => 32_768,
    }
}

fn adaptive_plan(
    ask: &Ask<'_>,
    reasoning: &Reasoning,
    mode: Mode,
    report: &mut Report,
) -> Result<Plan, Error> {
    if ask.effort == Some(Effort::None) {
        if reasoning.can_disable == Some(false) {
            return always_plan(ask, reasoning, mode, report);
        }
        let said = reasoning.on_by_default != Some(false);
        return Ok(Plan {
            thinking: said.then(|| "{\"type\":\"disabled\"}".to_owned()),
            ..off()
        });
    }
    if ask.is_silent() {
        let active = match reasoning.on_by_default {
            Some(true) => Active::Adaptive,
            Some(false) => Active::No,
            None => Active::Unknown,
        };
        return Ok(Plan { active, ..off() });
    }
    thinking_plan(ask, reasoning, mode, report)
}

fn always_plan(
    ask: &Ask<'_>,
    reasoning: &Reasoning,
    mode: Mode,
    report: &mut Report,
) -> Result<Plan, Error> {
    if ask.effort == Some(Effort::None) {
        report.emulate(
            mode,
            "reasoning_effort",
            "cannot be none: this model always reasons.",
        )?;
        return Ok(Plan {
            thinking: None,
            effort: Some(Effort::Low.as_str()),
            active: Active::Adaptive,
        });
    }
    if ask.is_silent() {
        let active = match reasoning.kind {
            Kind::Unknown => Active::Unknown,
            Kind::None
            | Kind::Effort
            | Kind::Budget
            | Kind::Adaptive
            | Kind::Always
            | Kind::Toggle => Active::Adaptive,
        };
        return Ok(Plan { active, ..off() });
    }
    thinking_plan(ask, reasoning, mode, report)
}

fn thinking_plan(
    ask: &Ask<'_>,
    reasoning: &Reasoning,
    mode: Mode,
    report: &mut Report,
) -> Result<Plan, Error> {
    let effort = match (ask.effort, ask.budget) {
        (Some(effort), _) => Some(nearest(effort, reasoning, mode, report)?),
        (None, Some(tokens)) => {
            report.emulate(
                mode,
                "reasoning",
                "has no budget on this model; effort stands in.",
            )?;
            Some(nearest(level_of(tokens), reasoning, Mode::Emulate, report)?)
        }
        (None, None) => None,
    };
    // From Claude 4.7 on thinking text is left out unless asked for.
    let thinking = if ask.show {
        "{\"type\":\"adaptive\",\"display\":\"summarized\"}"
    } else {
        "{\"type\":\"adaptive\"}"
    };
    Ok(Plan {
        thinking: Some(thinking.to_owned()),
        effort,
        active: Active::Adaptive,
    })
}

/// The level whose budget is the nearest at or above.
fn level_of(tokens: u64) -> Effort {
    let levels = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh];
    let fits = levels
        .into_iter()
        .find(|level| budget(Some(*level)) >= tokens);
    fits.unwrap_or(Effort::Max)
}

/// The nearest level the model takes. Anthropic has no `minimal`.
fn nearest(
    wanted: Effort,
    reasoning: &Reasoning,
    mode: Mode,
    report: &mut Report,
) -> Result<&'static str, Error> {
    let level = match reasoning.nearest(wanted) {
        Effort::None | Effort::Minimal => Effort::Low,
        level => level,
    };
    if level != wanted {
        report.clamp(mode, "reasoning_effort", "has no such level on this model.")?;
    }
    Ok(level.as_str())
}
