//! A plan for people: made of the JSON of a dry run, so that both say the same.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::route::replay::Verdict;

/// How many endpoints of a reason are named before the rest is counted.
const NAMED: usize = 6;

/// Prints a plan.
///
/// # Errors
/// Where `out` cannot be written.
pub(super) fn print(plan: &Value, out: &mut dyn Write) -> io::Result<()> {
    head(plan, out)?;
    match plan.get("plan") {
        Some(ranked) => {
            candidates(ranked, out)?;
            rejected(ranked, out)?;
        }
        None => attempts(plan, out)?,
    }
    let statistics = match text(plan, "statistics").as_str() {
        "snapshot" => "statistics of earlier calls, from the state folder",
        _ => "the catalogue's priors, as no call was measured yet",
    };
    writeln!(
        out,
        "\nTimes and success are expected by {statistics}. Nothing was sent."
    )
}

fn head(plan: &Value, out: &mut dyn Write) -> io::Result<()> {
    let cost = &plan["cost"];
    let chosen = format!("{}/{}", text(plan, "provider"), text(plan, "model"));
    write!(out, "{chosen}, route {}", text(plan, "route"))?;
    if let Some(strategy) = plan.get("strategy").and_then(Value::as_str) {
        write!(out, " {strategy}")?;
    }
    let draw = &plan["plan"]["draw"];
    if draw.is_object() {
        write!(out, ", {} with seed {}", text(draw, "how"), draw["seed"])?;
    }
    let task = &plan["plan"]["task"];
    if task.is_object() {
        write!(out, ", task {} ({})", text(task, "kind"), text(task, "why"))?;
    }
    writeln!(out)?;
    write!(
        out,
        "expected ${}, at most ${}",
        text(cost, "estimated_usd"),
        text(cost, "max_usd")
    )?;
    if cost.get("cap_usd").is_some() {
        write!(
            out,
            "; cap ${} ({})",
            text(cost, "cap_usd"),
            text(cost, "cap_mode")
        )?;
    }
    writeln!(out, "\n")
}

const HEAD: [&str; 14] = [
    "", "MODEL", "EFFORT", "EXPECTED", "BOUND", "TTFT", "TIME", "QUALITY", "SUCCESS", "UTILITY",
    "=COST", "+TIME", "+RISK", "+QUALITY",
];

fn candidates(plan: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    let all = plan["candidates"].as_array().into_iter().flatten();
    for (at, one) in all.enumerate() {
        let (cost, predicted, score) = (&one["cost"], &one["predicted"], &one["score"]);
        rows.push([
            (at + 1).to_string(),
            format!("{}/{}", text(one, "provider"), text(one, "model")),
            text(one, "effort"),
            text(cost, "estimated_usd"),
            text(cost, "max_usd"),
            seconds(&predicted["ttft_ms"]),
            seconds(&predicted["latency_ms"]),
            quality(predicted),
            decimals(&predicted["success"], 3),
            decimals(&score["utility"], 3),
            decimals(&score["cost"], 3),
            decimals(&score["time"], 3),
            decimals(&score["risk"], 3),
            decimals(&score["quality"], 3),
        ]);
    }
    table(&rows, &[0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], out)
}

/// A quality; what is interpolated between efforts is marked.
fn quality(predicted: &Value) -> String {
    let figure = decimals(&predicted["quality"], 2);
    let listed = predicted["interpolated"].as_array();
    let guessed = listed.is_some_and(|names| names.iter().any(|name| name == "quality"));
    if guessed {
        format!("~{figure}")
    } else {
        figure
    }
}

/// What is tried of a named model, of which no plan was made.
fn attempts(plan: &Value, out: &mut dyn Write) -> io::Result<()> {
    let head = ["", "MODEL", "EFFORT", "EXPECTED", "BOUND", "OUTPUT"];
    let mut rows = vec![head.map(str::to_owned)];
    for (at, one) in plan["attempts"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let [effort, expected, bound, output] =
            ["effort", "estimated_usd", "max_usd", "max_output_tokens"].map(|name| text(one, name));
        rows.push([
            (at + 1).to_string(),
            text(one, "endpoint"),
            effort,
            expected,
            bound,
            output,
        ]);
    }
    table(&rows, &[0, 3, 4, 5], out)
}

/// Who fell out, by reason.
fn rejected(plan: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in plan["rejected"].as_array().into_iter().flatten() {
        let mut name = text(one, "endpoint");
        if let Some(detail) = one["detail"].as_str() {
            name = format!("{name} ({detail})");
        }
        reasons.entry(text(one, "reason")).or_default().push(name);
    }
    if reasons.is_empty() {
        return writeln!(out, "\nNobody fell out.");
    }
    writeln!(out, "\nFell out:")?;
    for (reason, names) in reasons {
        let more = names.len().saturating_sub(NAMED);
        let named = names
            .get(..names.len().min(NAMED))
            .unwrap_or_default()
            .join(", ");
        let more = if more == 0 {
            String::new()
        } else {
            format!(", and {more} more (--json names them)")
        };
        writeln!(out, "  {reason} ({}): {named}{more}", names.len())?;
    }
    Ok(())
}

fn table<const N: usize>(
    rows: &[[String; N]],
    right: &[usize],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut widths = [0_usize; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            let cell = if right.contains(&at) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            };
            line.push_str(&cell);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A member as text; '-' where nobody knows.
fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn decimals(value: &Value, digits: usize) -> String {
    value
        .as_f64()
        .map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn seconds(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "-".to_owned(), |ms| format!("{:.2}s", ms / 1_000.0))
}

/// Prints what came of taking a decision again.
///
/// # Errors
/// Where `out` cannot be written.
pub(super) fn verdict(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let (name, how) = &verdict.recorded;
    writeln!(
        out,
        "recorded: {name} ({}), seed {}",
        how.as_str(),
        verdict.seed
    )?;
    let (name, how) = &verdict.again;
    writeln!(out, "again:    {name} ({})", how.as_str())?;
    for (name, then, now) in &verdict.differs {
        let now = now.map_or_else(|| "nothing".to_owned(), |now| now.to_string());
        writeln!(out, "  {name} drew {then}, and draws {now} now")?;
    }
    for name in &verdict.unsound {
        writeln!(out, "  the utility of {name} is not the sum of its terms")?;
    }
    let same = if verdict.holds() {
        "the same choice"
    } else {
        "NOT the same"
    };
    writeln!(out, "{same}")
}

/// The same as JSON.
#[must_use]
pub(super) fn verdict_json(verdict: &Verdict) -> Value {
    let told = |(name, how): &(String, crate::route::draw::How)| json!({"endpoint": name, "how": how.as_str()});
    let differs = verdict.differs.iter();
    let differs =
        differs.map(|(name, then, now)| json!({"endpoint": name, "recorded": then, "again": now}));
    json!({
        "same": verdict.holds(),
        "seed": verdict.seed,
        "recorded": told(&verdict.recorded),
        "again": told(&verdict.again),
        "differs": differs.collect::<Vec<_>>(),
        "unsound": verdict.unsound,
    })
}
