//! `${NAME}` in strings: the value of a variable, put in before anything else is read. `$${` stands for `${`.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Flaw;

/// What the environment says of a name.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Puts variables into every string of a table.
pub(super) fn table(table: &mut DeTable<'_>, env: Env<'_>) -> Result<(), Flaw> {
    table.iter_mut().try_for_each(|(_, item)| value(item, env))
}

fn value(item: &mut Spanned<DeValue<'_>>, env: Env<'_>) -> Result<(), Flaw> {
    let span = item.span();
    match item.get_mut() {
        DeValue::String(text) if text.contains("${") => {
            *text = Cow::Owned(string(text, &span, env)?);
            Ok(())
        }
        DeValue::Array(items) => items.iter_mut().try_for_each(|item| value(item, env)),
        DeValue::Table(inner) => table(inner, env),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => Ok(()),
    }
}

fn string(text: &str, span: &Range<usize>, env: Env<'_>) -> Result<String, Flaw> {
    let flaw = |message: String| Flaw::at(span.clone(), message);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let (name, after) = after.split_once('}').ok_or_else(|| {
            flaw("'${' has no '}'; write '$${' for the letters themselves".into())
        })?;
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(flaw(format!("'${{{name}}}' is not the name of a variable")));
        }
        let value = env(name).ok_or_else(|| flaw(format!("the variable {name} is not set")))?;
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in() {
        let env = |name: &str| (name == "KEY").then(|| "v${KEY}".to_owned());
        let at = |text: &str| string(text, &(0..1), &env);
        assert_eq!(
            at("a ${KEY} b"),
            Ok("a v${KEY} b".to_owned()),
            "values are not read again"
        );
        assert_eq!(at("$${KEY} $5 $"), Ok("${KEY} $5 $".to_owned()));
        assert_eq!(
            at("${OTHER}").unwrap_err().message,
            "the variable OTHER is not set"
        );
        assert!(at("${KEY").is_err() && at("${}").is_err() && at("${A B}").is_err());
    }
}
