//! What holds of every plan: no one moves the others, worse is never better, and records replay.

use std::cmp::Reverse;

use proptest::prelude::{any, prop, proptest};
use proptest::prop_assert;

use crate::route::number::Total;

use super::*;

/// Sites and readings out of numbers.
fn crowd(numbers: &[(u64, u64, u16, u64)]) -> Stage {
    let sites = numbers.iter().enumerate();
    let sites = sites.map(|(at, (input, output, tenths, _))| {
        let tenths = 400 + tenths % 600;
        site(
            &format!("m{at}"),
            Some((1 + input % 50, 1 + output % 90)),
            tenths,
            Caps::default(),
        )
    });
    let mut stage = Stage::of(sites.collect(), need(2_000));
    for (reading, (_, _, _, luck)) in stage.readings.iter_mut().zip(numbers) {
        let part = |at: u64| {
            small(crate::route::number::uniform(crate::route::number::mix(
                *luck, at,
            )))
        };
        reading.pace = 0.2 + 4.0 * part(1);
        reading.waits = [0.2 + 4.0 * part(2); 3];
        reading.calls = 500.0 * part(3);
        reading.failed = reading.calls * 0.3 * part(4);
        reading.seen = 60.0 * part(5);
        reading.in_flight = u32::try_from(luck % 20).unwrap();
    }
    stage
}

fn names(plan: &Plan) -> Vec<u64> {
    // From the best on, whoever was drawn.
    let mut order: Vec<_> = plan.candidates.iter().collect();
    order.sort_by_key(|ranked| match &*plan.strategy {
        "lowest-cost" => (ranked.prediction.spent, Reverse(Total(ranked.utility))),
        _ => (None, Reverse(Total(ranked.utility))),
    });
    order.iter().map(|ranked| ranked.lot.key).collect()
}

proptest! {
    #[test]
    fn a_worse_candidate_never_changes_the_order_of_the_others(
        numbers in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u16>(), any::<u64>()), 2..12), which in 0_usize..4,
        seed in any::<u64>()) {
        let policy = strategy(&crate::route::policy::STRATEGIES[which].name);
        let most = crowd(&numbers);
        let all = plan(&most.scene(&policy), seed).unwrap();
        let worst = *names(&all).last().unwrap();
        let out = most.board.sites.iter().position(|site| site.key == worst).unwrap();
        let name = most.board.sites[out].name.to_string();
        let without = Mask::of(&most.board, &[name]);
        let few = plan(&most.scene(&Policy { ignored: Some(&without), ..policy }), seed).unwrap();
        let kept: Vec<u64> = names(&all).into_iter().filter(|key| *key != worst).collect();
        prop_assert!(names(&few) == kept);
        // Who was far off the choice cannot move it either.
        let last = all.candidates.iter().find(|ranked| ranked.lot.key == worst).unwrap();
        let best = all.candidates.iter().map(|ranked| ranked.lot.utility).fold(f32::MIN, f32::max);
        if last.lot.utility < best - NEAR {
            prop_assert!(few.first().unwrap().lot.key == all.first().unwrap().lot.key);
        }
    }

    #[test]
    fn dearer_slower_and_riskier_is_never_better(
        number in (any::<u64>(), any::<u64>(), any::<u16>(), any::<u64>()), which in 0_usize..4, more in 1.01_f32..9.0) {
        let policy = strategy(&crate::route::policy::STRATEGIES[which].name);
        let stage = crowd(&[number]);
        let utility = |stage: &Stage| plan(&stage.scene(&policy), 1).unwrap().first().unwrap().utility;
        let before = utility(&stage);
        let mut slower = crowd(&[number]);
        slower.readings[0].pace *= more;
        prop_assert!(utility(&slower) < before);
        let mut riskier = crowd(&[number]);
        riskier.readings[0].failed += more;
        prop_assert!(utility(&riskier) < before);
        let (input, output, tenths, luck) = number;
        let dearer = crowd(&[(input % 50 + 50, output % 90, tenths, luck)]);
        let cheaper = crowd(&[(input % 50, output % 90, tenths, luck)]);
        prop_assert!(utility(&dearer) <= utility(&cheaper));
    }

    #[test]
    fn the_same_record_and_seed_give_the_same_plan(
        numbers in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u16>(), any::<u64>()), 1..20), which in 0_usize..4,
        seed in any::<u64>()) {
        let policy = Policy { explore: 0.3, ..strategy(&crate::route::policy::STRATEGIES[which].name) };
        let stage = crowd(&numbers);
        let (one, two) = (plan(&stage.scene(&policy), seed).unwrap(), plan(&stage.scene(&policy), seed).unwrap());
        prop_assert!(explain::plan(&one, &stage.board) == explain::plan(&two, &stage.board));
        // From the record alone: the lots, the rules and the seed.
        let text = serde_json::to_string(&one.candidates.iter().map(|ranked| ranked.lot).collect::<Vec<_>>()).unwrap();
        let lots: Vec<Lot> = serde_json::from_str(&text).unwrap();
        let again = draw::choose(&lots, one.rules, one.seed).unwrap();
        prop_assert!(lots[again.place].key == one.first().unwrap().lot.key);
    }
}
