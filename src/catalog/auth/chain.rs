//! Several ways to a credential: the first that leads anywhere is taken.

use std::collections::VecDeque;

use super::grant::{Got, Grant, Step};

/// Ways in the order in which they are tried.
#[derive(Debug)]
pub struct Chain {
    links: VecDeque<Box<dyn Grant>>,
    tried: Vec<String>,
}

impl Chain {
    /// A chain of these.
    #[must_use]
    pub fn of(links: Vec<Box<dyn Grant>>) -> Self {
        Self {
            links: links.into(),
            tried: Vec::new(),
        }
    }
}

impl Grant for Chain {
    fn name(&self) -> String {
        match self.links.front() {
            Some(link) => link.name(),
            None => "credential chain".to_owned(),
        }
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        let mut got = got;
        while let Some(link) = self.links.front_mut() {
            match link.next(got, now) {
                Step::NotHere(why) => self.tried.push(format!("{}: {why}", link.name())),
                step @ (Step::Fetch(_)
                | Step::Read(_)
                | Step::Run(_)
                | Step::Sign(_)
                | Step::Done(_)
                | Step::Failed(_)) => return step,
            }
            self.links.pop_front();
            got = Got::Nothing;
        }
        Step::NotHere(format!("none was found ({})", self.tried.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[derive(Debug)]
    struct Link(&'static str, bool);

    impl Grant for Link {
        fn name(&self) -> String {
            self.0.to_owned()
        }

        fn next(&mut self, got: Got, _: u64) -> Step {
            match got {
                Got::Nothing => Step::Read(PathBuf::from(self.0)),
                Got::Absent(why) => Step::NotHere(why),
                _ if self.1 => Step::Failed("broken".to_owned()),
                _ => Step::NotHere("odd".to_owned()),
            }
        }
    }

    #[test]
    fn the_next_is_asked_where_one_is_not_here() {
        let mut chain = Chain::of(vec![Box::new(Link("a", true)), Box::new(Link("b", true))]);
        assert!(matches!(chain.next(Got::Nothing, 0), Step::Read(path) if path.ends_with("a")));
        let step = chain.next(Got::Absent("no such file".to_owned()), 0);
        assert!(matches!(step, Step::Read(path) if path.ends_with("b")));
        assert_eq!(chain.name(), "b");
        let Step::NotHere(why) = chain.next(Got::Absent("nobody".to_owned()), 0) else {
            panic!("the chain has an end");
        };
        assert_eq!(why, "none was found (a: no such file; b: nobody)");
    }

    #[test]
    fn one_that_is_broken_ends_the_search() {
        let mut chain = Chain::of(vec![Box::new(Link("a", true)), Box::new(Link("b", true))]);
        chain.next(Got::Nothing, 0);
        let step = chain.next(Got::Broken("x".to_owned()), 0);
        assert!(matches!(step, Step::Failed(why) if why == "broken"));
        assert_eq!(chain.name(), "a");
    }
}
