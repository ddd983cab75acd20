//! The router against oracles and the usual rules, in a world that does not know it.
//!
//! `cargo run --release --example simulate [-- --seed N | --seeds N | --only SCENARIO]` prints tables, and ends with 1
//! where a goal is missed. Nothing in it hangs on a clock: every run is the same, to the last digit.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::suboptimal_flops,
    reason = "a simulation prints, works in floats and stops where its own input is wrong"
)]

mod args;
mod desk;
mod frugal;
mod goals;
mod regret;
mod risks;
mod router;
mod rule;
mod run;
mod scenario;
mod seed;
mod shares;
mod times;
mod world;

use std::process::ExitCode;

use args::{Args, What};
use goals::Goals;
use seed::Seed;

fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let mut goals = Goals::default();
    match args.what {
        What::One => {
            let seed = Seed::run(args.seed);
            seed.print();
            seed.judge(&mut goals);
        }
        What::Several(count) => {
            println!("{}", seed::HEAD);
            for number in args::seeds(args.seed).take(count) {
                let seed = Seed::run(number);
                println!("{}", seed.row());
                seed.judge(&mut goals);
            }
        }
        What::Regret => {
            regret::print(&scenario::all(args.seed));
            return ExitCode::SUCCESS;
        }
        What::Only(name) => seed::only(args.seed, &name, &mut goals),
    }
    if goals.missed.is_empty() {
        println!("\nAll goals are met.");
        return ExitCode::SUCCESS;
    }
    println!("\nMissed:\n");
    for missed in &goals.missed {
        println!("- {missed}");
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use crate::router::Router;
    use crate::rule::{Oracle, Rule};
    use crate::run::tally;
    use crate::{args, frugal, scenario, shares};

    #[test]
    fn a_small_world_is_the_same_twice_and_the_router_does_well_in_it() {
        let world = scenario::small(args::SEED);
        let ours = tally(&world, Router::of("fastest"));
        let again = tally(&scenario::small(args::SEED), Router::of("fastest"));
        assert_eq!(ours.choices, again.choices);
        assert_eq!(ours.mean().to_bits(), again.mean().to_bits());
        let (oracle, random) = (
            tally(&world, Oracle::Time).mean(),
            tally(&world, Rule::Random(1)).mean(),
        );
        assert!(oracle > 0.0 && ours.mean() >= 0.97 * oracle);
        assert!(ours.mean() < 0.6 * random, "{} {random}", ours.mean());
        assert_eq!(ours.failed, 0);
    }

    #[test]
    fn the_cheapest_is_found_and_equals_share() {
        assert_eq!(frugal::Cases::some(args::SEED, 20).right, 20);
        let most = shares::Equals::of(args::SEED, 2).most();
        assert!((0.4..=0.6).contains(&most), "{most}");
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let read = |line: &str| args::Args::read(line.split_whitespace().map(str::to_owned));
        assert_eq!(read("").unwrap().what, args::What::One);
        assert_eq!(read("--seeds 6").unwrap().what, args::What::Several(6));
        assert_eq!(read("--seed 7").unwrap().seed, 7);
        assert!(read("--seed x").is_err() && read("--fast 1").is_err() && read("--seed").is_err());
    }
}
