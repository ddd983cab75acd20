//! A recorded decision, taken again: the lots and the seed of an explained plan must give the same choice.
//!
//! What a plan's explanation holds is enough: the draw looks at lots, rules and the seed, and at nothing else.

use serde::Deserialize;
use serde_json::Value;

use super::draw::{self, How, Lot, Rules};

/// What came of taking a decision again.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The seed of the record.
    pub seed: u64,
    /// What the record says was chosen, and how.
    pub recorded: (String, How),
    /// What the same lots and seed give now.
    pub again: (String, How),
    /// Endpoints whose draw came out otherwise: the value of the record, and that of now.
    pub differs: Vec<(String, f32, Option<f32>)>,
    /// Candidates whose utility is not the sum of its terms.
    pub unsound: Vec<String>,
}

impl Verdict {
    /// Whether the decision came out as it did.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.recorded == self.again && self.differs.is_empty() && self.unsound.is_empty()
    }
}

#[derive(Deserialize)]
struct Record {
    draw: Draw,
    candidates: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Draw {
    how: How,
    seed: u64,
    near: f32,
    explore: f32,
    drawn: Vec<Drawn>,
}

#[derive(Deserialize)]
struct Drawn {
    endpoint: String,
    value: f32,
}

#[derive(Deserialize)]
struct Candidate {
    endpoint: String,
    score: Score,
    lot: Lot,
}

#[derive(Deserialize)]
struct Score {
    utility: f64,
    cost: f64,
    time: f64,
    risk: f64,
    quality: f64,
    losses: f64,
}

/// Terms are written with four digits, five of them and their sum.
const ROUNDING: f64 = 0.000_301;

/// Takes a decision again. `record` is an explained plan, or anything that holds one as its `plan`: a dry run, a
/// receipt, an answer with full metadata.
///
/// # Errors
/// Where there is no plan in it, or it lacks what is needed.
pub fn replay(record: &Value) -> Result<Verdict, String> {
    let plan = found(record).ok_or(
        "there is no plan in it: give the answer of a dry run, a receipt, or an answer with full metadata",
    )?;
    let record =
        Record::deserialize(plan).map_err(|error| format!("its plan lacks something: {error}"))?;
    let lots: Vec<Lot> = record.candidates.iter().map(|one| one.lot).collect();
    let rules = Rules {
        near: record.draw.near,
        explore: record.draw.explore,
    };
    let choice =
        draw::choose(&lots, rules, record.draw.seed).ok_or("its plan has no candidates")?;
    let name = |place: usize| {
        let candidate = record.candidates.get(place);
        candidate.map_or_else(String::new, |one| one.endpoint.clone())
    };
    let drawn = |endpoint: &str| {
        let mut all = choice.drawn.iter();
        let its = all.find(|(place, _)| name(*place) == endpoint);
        its.map(|(_, value)| *value)
    };
    let same = |one: &Drawn| {
        drawn(&one.endpoint).is_some_and(|value| value.to_bits() == one.value.to_bits())
    };
    let differs = record.draw.drawn.iter().filter(|one| !same(one));
    Ok(Verdict {
        seed: record.draw.seed,
        recorded: (name(0), record.draw.how),
        again: (name(choice.place), choice.how),
        differs: differs
            .map(|one| (one.endpoint.clone(), one.value, drawn(&one.endpoint)))
            .collect(),
        unsound: unsound(&record.candidates),
    })
}

/// The plan in a record.
fn found(record: &Value) -> Option<&Value> {
    let is_plan = |value: &&Value| value.get("draw").is_some() && value.get("candidates").is_some();
    let within = record
        .get("waypost")
        .and_then(|waypost| waypost.get("plan"));
    let places = [Some(record), record.get("plan"), within];
    places.into_iter().flatten().find(is_plan)
}

fn unsound(candidates: &[Candidate]) -> Vec<String> {
    let adds_up = |score: &Score| {
        let sum = score.cost + score.time + score.risk + score.quality + score.losses;
        (sum - score.utility).abs() <= ROUNDING
    };
    let wrong = candidates.iter().filter(|one| !adds_up(&one.score));
    wrong.map(|one| one.endpoint.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn candidate(name: &str, key: u64, utility: f32) -> Value {
        let lot = Lot {
            key,
            utility,
            doubt: 0.1,
            hope: 0.3,
            in_flight: 0,
            standing: draw::Standing::Regular,
        };
        let utility = f64::from(utility);
        json!({"endpoint": name, "lot": lot, "score": {"utility": utility, "cost": utility, "time": 0.0, "risk": 0.0,
            "quality": 0.0, "losses": 0.0}})
    }

    /// A plan as it is explained, whose choice is that of the draw.
    fn plan(seed: u64) -> Value {
        let mut all = vec![
            candidate("a/x", 1, 0.5),
            candidate("b/y", 2, 0.48),
            candidate("c/z", 3, 0.1),
        ];
        let lots: Vec<Lot> = all
            .iter()
            .map(|one| Lot::deserialize(&one["lot"]).unwrap())
            .collect();
        let rules = Rules {
            near: 0.1,
            explore: 0.0,
        };
        let choice = draw::choose(&lots, rules, seed).unwrap();
        let named = |(place, value): &(usize, f32)| json!({"endpoint": all[*place]["endpoint"], "value": value});
        let drawn: Vec<Value> = choice.drawn.iter().map(named).collect();
        all[..=choice.place].rotate_right(1);
        json!({"draw": {"how": choice.how, "seed": seed, "near": 0.1_f32, "explore": 0.0, "drawn": drawn},
            "candidates": all})
    }

    #[test]
    fn a_record_comes_out_as_it_did_through_text() {
        let mut chosen = Vec::new();
        for seed in 0..200 {
            let text = json!({"object": "waypost.receipt", "plan": plan(seed)}).to_string();
            let verdict = replay(&serde_json::from_str(&text).unwrap()).unwrap();
            assert!(verdict.holds(), "{verdict:?}");
            chosen.push(verdict.again.0);
        }
        assert!(chosen.contains(&"a/x".to_owned()) && chosen.contains(&"b/y".to_owned()));
    }

    #[test]
    fn a_record_that_was_changed_does_not_hold() {
        let mut other = plan(7);
        other["draw"]["seed"] = json!(8);
        assert!(!replay(&other).unwrap().differs.is_empty());
        let mut other = plan(7);
        other["candidates"].as_array_mut().unwrap().reverse();
        let verdict = replay(&other).unwrap();
        assert_ne!(verdict.recorded, verdict.again);
        let mut other = plan(7);
        other["candidates"][2]["score"]["time"] = json!(0.25);
        assert_eq!(replay(&other).unwrap().unsound, ["c/z"]);
    }

    #[test]
    fn what_holds_no_plan_is_told() {
        for wrong in [json!({}), json!([1]), json!({"plan": null})] {
            assert!(replay(&wrong).unwrap_err().contains("no plan"), "{wrong}");
        }
        let mut short = plan(1);
        short["candidates"][0]
            .as_object_mut()
            .unwrap()
            .remove("lot");
        assert!(
            replay(&json!({"waypost": {"plan": short}}))
                .unwrap_err()
                .contains("`lot`")
        );
    }
}
