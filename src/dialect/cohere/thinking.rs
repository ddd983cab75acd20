//! Reasoning effort as Cohere's `thinking`: off, within a budget of tokens, or without one.
//!
//! Its reasoning models think by themselves and without a budget, which is what high means in the provider's own
//! compatibility API (docs.cohere.com/docs/compatibility-api, docs.cohere.com/docs/reasoning).

use serde_json::value::RawValue;

use crate::chat::json::{Members, member};
use crate::chat::{Error, Escaped, Request};

use super::super::caps::{Effort, Kind, Reasoning};
use super::super::codec::{Mode, Report};

const OFF: &str = "{\"type\":\"disabled\"}";
const ON: &str = "{\"type\":\"enabled\"}";

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// Nothing.
    Silent,
    /// No reasoning.
    Off,
    /// Reasoning, by its measure.
    On,
    /// Reasoning within so many tokens.
    Within(u64),
}

/// The `thinking` object to send, if any. `limit` is the output limit that is sent.
///
/// # Errors
/// Where an effort is no level that OpenAI knows, or the model cannot do what was asked under strict mode.
pub(super) fn plan(
    request: &Request,
    reasoning: &Reasoning,
    limit: Option<u64>,
    mode: Mode,
    report: &mut Report,
) -> Result<Option<String>, Error> {
    if let Some(raw) = request.member("thinking") {
        return native(raw).map(Some);
    }
    let (name, ask) = read(request)?;
    if reasoning.kind == Kind::None {
        if matches!(ask, Ask::On | Ask::Within(_)) {
            report.drop(mode, name, "is not known to this model.")?;
        }
        return Ok(None);
    }
    let plan = match ask {
        Ask::Silent => return Ok(None),
        Ask::Off if reasoning.can_disable == Some(false) => {
            report.emulate(mode, name, "cannot be none: this model always reasons.")?;
            return Ok(Some(budget(1)));
        }
        Ask::Off => OFF.to_owned(),
        Ask::On => ON.to_owned(),
        Ask::Within(wanted) => {
            let least = reasoning.budget_min.unwrap_or(1).max(1);
            // Half for thinking, half for the answer, where the limit leaves no more.
            let most = limit
                .map(|limit| limit.div_euclid(2).max(1))
                .filter(|_| limit <= Some(wanted))
                .or(reasoning.budget_max);
            let tokens = wanted.min(most.unwrap_or(u64::MAX)).max(least);
            if tokens != wanted {
                report.clamp(mode, name, "needs more tokens than the limits leave.")?;
            }
            budget(tokens)
        }
    };
    Ok(Some(plan))
}

fn budget(tokens: u64) -> String {
    format!("{{\"type\":\"enabled\",\"token_budget\":{tokens}}}")
}

/// Reads `reasoning_effort`, else `OpenRouter`'s `reasoning`; with the name of what was said.
fn read(request: &Request) -> Result<(&'static str, Ask), Error> {
    if let Some(raw) = request.member("reasoning_effort") {
        // Some agents send an object of effort and summary here.
        let word = match Members::parse(raw) {
            Ok(object) => object.text("effort").map(std::borrow::Cow::into_owned),
            Err(_) => Escaped::quoted(raw).map(|word| word.decode().into_owned()),
        };
        let name = "reasoning_effort";
        return Ok((name, level(name, word.as_deref())?));
    }
    let Some(raw) = request.member("reasoning") else {
        return Ok(("reasoning_effort", Ask::Silent));
    };
    let shape = |_| Error::value("reasoning", "'reasoning' must be an object.");
    let object = Members::parse(raw).map_err(shape)?;
    let enabled = object.find("enabled").map(RawValue::get);
    let ask = match (object.text("effort"), object.count("max_tokens"), enabled) {
        (Some(word), ..) => level("reasoning.effort", Some(&word))?,
        (None, Some(tokens), _) => Ask::Within(tokens),
        (None, None, Some("false")) => Ask::Off,
        (None, None, Some("true")) => Ask::On,
        (None, None, _) => Ask::Silent,
    };
    Ok(("reasoning", ask))
}

fn level(param: &str, word: Option<&str>) -> Result<Ask, Error> {
    let effort = word.and_then(Effort::parse).ok_or_else(|| {
        let message = format!("'{param}' must be none, minimal, low, medium, high, xhigh or max.");
        Error::value(param, message)
    })?;
    Ok(match effort {
        Effort::None => Ask::Off,
        Effort::Minimal => Ask::Within(512),
        Effort::Low => Ask::Within(2048),
        Effort::Medium => Ask::Within(8192),
        Effort::High | Effort::Xhigh | Effort::Max => Ask::On,
    })
}

/// The provider's own object, and Anthropic's of the same name, whose budget has another.
fn native(raw: &str) -> Result<String, Error> {
    let shape = || Error::value("thinking", "'thinking' must be an object with a 'type'.");
    let members = Members::parse(raw).map_err(|_| shape())?;
    let disabled = match members.text("type").as_deref() {
        Some("disabled") => true,
        Some("enabled" | "adaptive") => false,
        _ => return Err(shape()),
    };
    if disabled {
        return Ok(OFF.to_owned());
    }
    let tokens = members
        .find("token_budget")
        .or_else(|| members.find("budget_tokens"));
    let mut out = b"{\"type\":\"enabled\"".to_vec();
    if let Some(tokens) = tokens {
        member("token_budget", tokens.get(), &mut out);
    }
    out.push(b'}');
    Ok(String::from_utf8(out).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(members: &str, kind: Kind, limit: Option<u64>) -> (Option<String>, Report) {
        let body = format!(r#"{{"model":"m","messages":[{{}}],{members}}}"#);
        let request = Request::parse(body.into_bytes()).unwrap();
        let reasoning = Reasoning {
            kind,
            ..Reasoning::default()
        };
        let mut report = Report::default();
        let plan = plan(&request, &reasoning, limit, Mode::Emulate, &mut report).unwrap();
        (plan, report)
    }

    #[test]
    fn efforts_are_budgets_up_to_high_which_is_without() {
        let table = [
            (r#""reasoning_effort":"none""#, Some(OFF.to_owned())),
            (r#""reasoning_effort":"low""#, Some(budget(2048))),
            (r#""reasoning_effort":"medium""#, Some(budget(8192))),
            (r#""reasoning_effort":"high""#, Some(ON.to_owned())),
            (r#""reasoning_effort":"max""#, Some(ON.to_owned())),
            (
                r#""reasoning_effort":{"effort":"minimal"}"#,
                Some(budget(512)),
            ),
            (r#""reasoning":{"max_tokens":100}"#, Some(budget(100))),
            (r#""reasoning":{"enabled":false}"#, Some(OFF.to_owned())),
            (r#""reasoning":{"enabled":true}"#, Some(ON.to_owned())),
            (
                r#""thinking":{"type":"enabled","budget_tokens":7}"#,
                Some(budget(7)),
            ),
            (r#""seed":1"#, None),
        ];
        for (members, expected) in table {
            let (plan, report) = planned(members, Kind::Budget, None);
            assert_eq!((plan, report), (expected, Report::default()), "{members}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let (plan, report) = planned(r#""reasoning_effort":"medium""#, Kind::Budget, Some(1000));
        assert_eq!(plan, Some(budget(500)));
        assert_eq!(report.clamped, ["reasoning_effort"]);
        let (plan, report) = planned(r#""reasoning_effort":"high""#, Kind::None, None);
        assert_eq!(
            (plan, &report.dropped[0]),
            (None, &"reasoning_effort".into())
        );
        let (plan, report) = planned(r#""reasoning_effort":"none""#, Kind::None, None);
        assert_eq!((plan, report), (None, Report::default()));
    }
}
