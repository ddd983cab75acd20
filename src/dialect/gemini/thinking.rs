//! `thinkingConfig`: how hard the model thinks, and whether its thoughts are shown.
//!
//! Generation 2.5 takes a budget of tokens, later ones a level; both at once is a 400
//! (<https://ai.google.dev/gemini-api/docs/thinking>).

use crate::chat::json::{self, Escaped};
use crate::chat::{Error, Members};
use crate::dialect::caps::{Effort, Kind, Reasoning};

use super::job::{Job, object};
use super::model::Size;

/// What a client asks of reasoning, in whichever of the known ways.
#[derive(Debug, Default)]
struct Wish {
    effort: Option<Effort>,
    budget: Option<u64>,
    show: Option<bool>,
    /// The member that asks, for reports.
    said_by: &'static str,
}

/// Writes `thinkingConfig` into the generation config where something was asked.
pub(super) fn write(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let wish = read(job)?;
    if let Some(raw) = job.member("thinkingConfig")? {
        if !wish.said_by.is_empty() {
            job.drop(wish.said_by, "is overruled by 'thinkingConfig'.")?;
        }
        json::member("thinkingConfig", raw, config);
        return Ok(());
    }
    let mut thinking = vec![b'{'];
    strength(job, &wish, &mut thinking)?;
    if wish.effort == Some(Effort::None) {
        json::member("includeThoughts", "false", &mut thinking);
    } else if wish.show == Some(true) && !does_not_think(job) {
        json::member("includeThoughts", "true", &mut thinking);
    }
    if thinking.len() > 1 {
        thinking.push(b'}');
        json::key("thinkingConfig", config);
        config.extend_from_slice(&thinking);
    }
    Ok(())
}

fn read(job: &mut Job<'_>) -> Result<Wish, Error> {
    let mut wish = Wish::default();
    if let Some(raw) = job.member("thinking")? {
        wish = anthropic_style(&object("thinking", raw)?);
    }
    if let Some(raw) = job.member("reasoning")? {
        wish = openrouter_style(&object("reasoning", raw)?)?;
    }
    if let Some(raw) = job.member("reasoning_effort")? {
        let word = match Escaped::quoted(raw) {
            Some(word) => Some(word.decode()),
            None => object("reasoning_effort", raw)?.text("effort"),
        };
        if let Some(word) = word {
            wish.effort = Some(effort("reasoning_effort", &word)?);
            wish.budget = None;
            wish.said_by = "reasoning_effort";
            wish.show = wish.show.or(Some(true));
        }
    }
    if job.member("include_reasoning")?.is_some() {
        wish.show = job.request.boolean("include_reasoning")?;
    }
    Ok(wish)
}

fn effort(name: &str, word: &str) -> Result<Effort, Error> {
    Effort::parse(word).ok_or_else(|| {
        let message = format!(
            "'{name}' must be none, minimal, low, medium, high, xhigh or max, not '{word}'."
        );
        Error::value(name, message)
    })
}

/// `{"type": "enabled", "budget_tokens": 2048}`.
fn anthropic_style(members: &Members<'_>) -> Wish {
    let off = members.text("type").as_deref() == Some("disabled");
    Wish {
        effort: off.then_some(Effort::None),
        budget: members.count("budget_tokens").filter(|_| !off),
        show: Some(!off),
        said_by: "thinking",
    }
}

/// `{"effort": "high", "max_tokens": 2048, "exclude": false, "enabled": true}`.
fn openrouter_style(members: &Members<'_>) -> Result<Wish, Error> {
    let off = flag(members, "enabled") == Some(false);
    let named = members
        .text("effort")
        .map(|word| effort("reasoning.effort", &word))
        .transpose()?;
    let wanted = if off { Some(Effort::None) } else { named };
    Ok(Wish {
        effort: wanted,
        budget: members.count("max_tokens").filter(|_| wanted.is_none()),
        show: Some(flag(members, "exclude") != Some(true)),
        said_by: "reasoning",
    })
}

/// How a model's thinking is steered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Steering {
    Budget,
    Level,
    Switch,
    Nothing,
}

fn steering(job: &Job<'_>) -> Steering {
    match job.target.caps.reasoning.kind {
        Kind::Budget => Steering::Budget,
        Kind::Toggle => Steering::Switch,
        Kind::None => Steering::Nothing,
        Kind::Unknown if job.model.thinks_by_budget() => Steering::Budget,
        Kind::Unknown if job.model.cannot_think() => Steering::Nothing,
        Kind::Unknown | Kind::Effort | Kind::Adaptive | Kind::Always => Steering::Level,
    }
}

fn does_not_think(job: &Job<'_>) -> bool {
    steering(job) == Steering::Nothing
}

fn strength(job: &mut Job<'_>, wish: &Wish, thinking: &mut Vec<u8>) -> Result<(), Error> {
    if wish.effort.is_none() && wish.budget.is_none() {
        return Ok(());
    }
    match steering(job) {
        Steering::Budget => {
            let budget = budget(job, wish)?;
            json::member("thinkingBudget", &budget.to_string(), thinking);
        }
        Steering::Level => {
            let level = level(job, wish)?;
            json::member(
                "thinkingLevel",
                &format!("\"{}\"", level.as_str()),
                thinking,
            );
        }
        // Off unless asked for; one level turns it on.
        Steering::Switch | Steering::Nothing if wish.effort == Some(Effort::None) => {}
        Steering::Switch => json::member("thinkingLevel", "\"high\"", thinking),
        Steering::Nothing => job.drop(
            wish.said_by,
            "means nothing to a model that does not think.",
        )?,
    }
    Ok(())
}

fn budget(job: &mut Job<'_>, wish: &Wish) -> Result<u64, Error> {
    let pro = job.model.size == Size::Pro;
    let lite = job.model.size == Size::Lite;
    let reasoning = &job.target.caps.reasoning;
    let most = reasoning
        .budget_max
        .unwrap_or(if pro { 32_768 } else { 24_576 });
    let least = match reasoning.budget_min {
        Some(least) => least,
        None if pro => 128,
        None if lite => 512,
        None => 0,
    };
    let can_stop = reasoning.can_disable.unwrap_or(!pro);
    let wanted = match wish.effort {
        Some(Effort::None) if can_stop => return Ok(0),
        Some(Effort::None) => {
            job.clamp(wish.said_by, "cannot be none for this model.")?;
            return Ok(least);
        }
        Some(Effort::Minimal) => return Ok(least.max(1)),
        Some(Effort::Low) => 1_024,
        Some(Effort::Medium) => 8_192,
        Some(Effort::High) => 24_576,
        Some(Effort::Xhigh | Effort::Max) => most,
        None => wish.budget.unwrap_or(most),
    };
    let fitted = wanted.clamp(least.min(most), most);
    if fitted != wanted && wish.budget.is_some() {
        job.clamp(wish.said_by, "is outside the model's budgets.")?;
    }
    Ok(fitted)
}

fn level(job: &mut Job<'_>, wish: &Wish) -> Result<Effort, Error> {
    let wanted = match (wish.effort, wish.budget) {
        (Some(effort), _) => effort,
        (None, budget) => {
            job.emulate(wish.said_by, "is a level, not a budget, for this model.")?;
            match budget.unwrap_or(u64::MAX) {
                0..=2_048 => Effort::Low,
                2_049..=12_288 => Effort::Medium,
                _ => Effort::High,
            }
        }
    };
    let known = Reasoning {
        levels: levels(job),
        ..Reasoning::default()
    };
    let level = match known.nearest(wanted) {
        Effort::None => Effort::Low,
        level => level,
    };
    if level != wanted && wish.effort.is_some() {
        job.clamp(wish.said_by, "has no such level for this model.")?;
    }
    Ok(level)
}

/// The levels a model takes. `minimal` is a 400 on the larger and on the newest models.
fn levels(job: &Job<'_>) -> Vec<Effort> {
    let listed = &job.target.caps.reasoning.levels;
    if !listed.is_empty() {
        return listed
            .iter()
            .copied()
            .filter(|level| *level != Effort::None)
            .collect();
    }
    let mut levels = vec![Effort::Low, Effort::Medium, Effort::High];
    if job.model.has_minimal_level() {
        levels.push(Effort::Minimal);
    }
    levels
}

/// A flag of an object; absent where it is no boolean.
fn flag(members: &Members<'_>, name: &str) -> Option<bool> {
    match members.find(name)?.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
