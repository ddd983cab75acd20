//! `reasoning_effort`: the nearest level the model takes, in the provider's own words.

use crate::chat::Error;
use crate::chat::json::Members;

use super::super::caps::{Effort, Kind, ToolsWhile};
use super::draft::Draft;
use super::rules::only_elsewhere;

const NAME: &str = "reasoning_effort";

/// Applies the model's levels, the rule on tools, and the provider's words.
pub(super) fn effort(draft: &mut Draft<'_>) -> Result<(), Error> {
    let said = draft.member(NAME);
    let wanted = said.and_then(Effort::said);
    draft.effort = wanted;
    with_tools(draft, wanted)?;
    let Some(wanted) = wanted else {
        return without_level(draft, said);
    };
    let caps = &draft.target.caps.reasoning;
    if caps.kind == Kind::None {
        if wanted == Effort::None {
            draft.omit(NAME);
            return Ok(());
        }
        return draft.drop(NAME, "is not taken: this model does not reason.");
    }
    let level = fitted(draft, wanted);
    draft.effort = Some(level);
    if level != wanted {
        let mode = draft.mode();
        draft
            .report
            .clamp(mode, NAME, "has a level that this model does not take.")?;
    }
    let is_object = said.is_some_and(|raw| raw.starts_with('{'));
    if put_in_words(draft, level)? {
        return Ok(());
    }
    if level != wanted || is_object || said == Some("\"ultra\"") {
        draft.put(NAME, format!("\"{}\"", level.as_str()));
    }
    Ok(())
}

fn fitted(draft: &Draft<'_>, wanted: Effort) -> Effort {
    let caps = &draft.target.caps.reasoning;
    if is_worded(draft, wanted) {
        return wanted;
    }
    caps.fitted(wanted)
}

/// Whether the provider has words of its own for a level, and the model takes what they say: then the provider's
/// reading of the level holds, not the nearest by our reckoning.
fn is_worded(draft: &Draft<'_>, wanted: Effort) -> bool {
    let caps = &draft.target.caps.reasoning;
    let Some(fragment) = draft.target.quirks.effort.get(wanted.as_str()) else {
        return false;
    };
    let members = Members::parse(fragment).unwrap_or_default();
    let theirs = members.text(NAME).as_deref().and_then(Effort::parse);
    let level = theirs.unwrap_or(wanted);
    if level == Effort::None {
        return caps.can_disable != Some(false);
    }
    caps.levels.is_empty() || caps.levels.contains(&level)
}

/// An object without a level is left out; a word that is no level of OpenAI's (`default`) is the provider's own.
fn without_level(draft: &mut Draft<'_>, said: Option<&str>) -> Result<(), Error> {
    match said {
        Some(raw) if raw.starts_with('{') => draft.drop(NAME, "holds no level."),
        Some(raw) if !raw.starts_with('"') => {
            Err(Error::value(NAME, "'reasoning_effort' must be a string."))
        }
        Some(_) | None => Ok(()),
    }
}

/// Newer models take function tools on this API only while they do not reason. Where the provider has another API for
/// such requests, they were handed over to it and do not come here.
fn with_tools(draft: &mut Draft<'_>, wanted: Option<Effort>) -> Result<(), Error> {
    let rule = draft.target.caps.tools_while_reasoning;
    if !draft.has_tools || rule == ToolsWhile::Yes {
        return Ok(());
    }
    let elsewhere = "needs the Responses API, which is not known of this provider:";
    if rule == ToolsWhile::Never {
        let why = format!("{elsewhere} this model takes tools only there.");
        return Err(only_elsewhere("tools", &why));
    }
    match wanted {
        Some(Effort::None) => Ok(()),
        Some(_) => {
            let why = format!(
                "together with tools {elsewhere} on chat completions this model takes tools only with \
                 reasoning_effort \"none\"."
            );
            Err(only_elsewhere(NAME, &why))
        }
        None if draft.member(NAME).is_some() => Ok(()),
        None => {
            let caps = &draft.target.caps.reasoning;
            let is_off = !caps.happens(None)
                || (!caps.levels.is_empty() && !caps.levels.contains(&Effort::None));
            if rule == ToolsWhile::Unset && is_off {
                return Ok(());
            }
            draft.effort = Some(Effort::None);
            draft.report.fill(NAME);
            draft.put(NAME, "\"none\"".to_owned());
            Ok(())
        }
    }
}

/// Puts the provider's own words for a level in its place; whether it has any.
fn put_in_words(draft: &mut Draft<'_>, level: Effort) -> Result<bool, Error> {
    let Some(fragment) = draft.target.quirks.effort.get(level.as_str()) else {
        return Ok(false);
    };
    let members = Members::parse(fragment).unwrap_or_default();
    if members.0.is_empty() {
        draft.drop(NAME, "has a level that means nothing to this provider.")?;
        return Ok(true);
    }
    let theirs = members.text(NAME);
    if theirs
        .as_deref()
        .and_then(Effort::parse)
        .is_some_and(|theirs| theirs != level)
    {
        let mode = draft.mode();
        draft
            .report
            .clamp(mode, NAME, "has a level that this provider does not have.")?;
    }
    if theirs.is_none() {
        draft.omit(NAME);
    }
    for (name, value) in &members.0 {
        // What the client said itself in the provider's own words stands.
        if name == NAME || !draft.will_send(name) {
            draft.put(name.clone().into_owned(), value.get().to_owned());
        }
    }
    Ok(true)
}
