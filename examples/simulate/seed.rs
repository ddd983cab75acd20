//! Everything that is simulated from one seed.

use crate::desk;
use crate::frugal::{Cases, Spending};
use crate::goals::Goals;
use crate::risks::{self, Risks};
use crate::scenario;
use crate::shares::{self, Equals, Recovery};
use crate::times::{self, Times};

/// The results of one seed.
pub(crate) struct Seed {
    number: u64,
    times: Vec<Times>,
    risks: Vec<Risks>,
    cases: Cases,
    spending: Vec<Spending>,
    equals: Vec<Equals>,
    recovery: Vec<Recovery>,
}

/// One job's result.
enum Done {
    Times(Times),
    Risks(Option<Box<Risks>>),
    Spending(Option<Spending>),
    Cases(Cases),
    Equals(Equals),
    Recovery(Recovery),
}

/// The head of a table of seeds.
pub(crate) const HEAD: &str = "| seed | `fastest` over oracle, worst scenario | better than every rule | `lowest-cost` the true cheapest | `max-reliability` times oracle, worst scenario | largest share among equals | longest wait after recovery |\n|--:|--:|--:|--:|--:|--:|--:|";

impl Seed {
    pub(crate) fn run(seed: u64) -> Self {
        let scenarios = scenario::all(seed);
        let count = scenarios.len();
        let job = |at: usize| match (at / count, at % count) {
            (0, at) => Done::Times(Times::of(&scenarios[at])),
            (1, at) => Done::Risks(Risks::of(&scenarios[at]).map(Box::new)),
            (2, at) => Done::Spending(Spending::of(&scenarios[at])),
            (_, 0) => Done::Cases(Cases::run(seed)),
            (_, at @ 1..=4) => Done::Equals(Equals::of(seed, at - 1)),
            (_, at) => Done::Recovery(Recovery::of(seed, at - 5)),
        };
        let mut all = Self {
            number: seed,
            times: Vec::new(),
            risks: Vec::new(),
            cases: Cases::default(),
            spending: Vec::new(),
            equals: Vec::new(),
            recovery: Vec::new(),
        };
        for done in desk::all(3 * count + 9, job) {
            match done {
                Done::Times(times) => all.times.push(times),
                Done::Risks(risks) => all.risks.extend(risks.map(|risks| *risks)),
                Done::Spending(spending) => all.spending.extend(spending),
                Done::Cases(cases) => all.cases = cases,
                Done::Equals(equals) => all.equals.push(equals),
                Done::Recovery(recovery) => all.recovery.push(recovery),
            }
        }
        all
    }

    pub(crate) fn judge(&self, goals: &mut Goals) {
        let mut own = Goals::default();
        self.times.iter().for_each(|one| one.judge(&mut own));
        self.risks.iter().for_each(|one| one.judge(&mut own));
        self.cases.judge(&mut own);
        self.equals.iter().for_each(|one| one.judge(&mut own));
        self.recovery.iter().for_each(|one| one.judge(&mut own));
        let told = own.missed.into_iter();
        goals
            .missed
            .extend(told.map(|missed| format!("seed {}: {missed}", self.number)));
    }

    pub(crate) fn print(&self) {
        println!("# Simulation, seed {}", self.number);
        times::print(&self.times);
        risks::print(&self.risks);
        self.cases.print();
        Spending::print(&self.spending);
        shares::print_equals(&self.equals);
        shares::print_recovery(&self.recovery);
    }

    /// Its line in a table of seeds.
    pub(crate) fn row(&self) -> String {
        let worst = |each: &mut dyn Iterator<Item = f64>| each.fold(f64::MIN, f64::max);
        let beaten = self.times.iter().filter(|one| one.beats()).count();
        format!(
            "| {} | {:+.1} % | {beaten} of {} | {} of {} | {:.2} | {:.1} % | {:.1} s |",
            self.number,
            worst(&mut self.times.iter().map(Times::over)) * 100.0,
            self.times.len(),
            self.cases.right,
            Cases::COUNT,
            worst(&mut self.risks.iter().map(Risks::times)),
            worst(&mut self.equals.iter().map(Equals::most)) * 100.0,
            worst(&mut self.recovery.iter().map(Recovery::longest)),
        )
    }
}

/// Completion times in scenarios of one name.
pub(crate) fn only(seed: u64, name: &str, goals: &mut Goals) {
    let mut scenarios = scenario::all(seed);
    scenarios.retain(|scenario| scenario.name.contains(name));
    let all = desk::all(scenarios.len(), |at| Times::of(&scenarios[at]));
    times::print(&all);
    for one in &all {
        one.judge(goals);
    }
    let all = desk::all(scenarios.len(), |at| Risks::of(&scenarios[at]));
    let all: Vec<Risks> = all.into_iter().flatten().collect();
    risks::print(&all);
    for one in &all {
        one.judge(goals);
    }
}
