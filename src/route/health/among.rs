//! What the breakers of many nodes tell each other: that one has opened, that it is closed again, and whose the trial is.
//!
//! A node that was answered a moment ago believes itself and not the others: what they cannot reach may be reached from
//! here. And where nobody can be asked, each is by itself.

use crate::route::board::Board;
use crate::route::moment::Moment;

use super::breaker::Breaker;
use super::pulse::Pulse;
use super::vitals::Vitals;

/// For so long an answer of one's own speaks against what others say, in milliseconds.
const BELIEVED: u64 = 5_000;

/// What a breaker has to tell. Closed ones have nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// It is open for so many milliseconds more.
    Open(u64),
    /// It is to be seen whether the site is back.
    Due,
    /// That is being seen.
    Trial,
}

/// What the others say of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is open: for so many milliseconds more, for the so manieth time in a row.
    Open(u64, u32),
    /// Somebody was answered.
    Closed,
    /// This node may try, for so many milliseconds.
    Leave(u64),
    /// Nobody can be asked.
    Nothing,
}

impl Breaker {
    /// What there is to tell, and for the how manieth time in a row it is open.
    fn telling(&self, now: Moment) -> Option<(Telling, u32)> {
        let opened = self.opened();
        if opened == 0 {
            return None;
        }
        let telling = match self.rests(now) {
            0 => Telling::Due,
            _ if self.tries() => Telling::Trial,
            left => Telling::Open(left),
        };
        Some((telling, opened))
    }

    fn hear(&mut self, now: Moment, heard: Heard) {
        match heard {
            Heard::Open(left, opened) => self.follow(now, left, opened),
            Heard::Closed => self.close(now),
            Heard::Leave(span) => {
                self.among.others = true;
                self.among.leave = now.after(span).as_millis();
            }
            Heard::Nothing => self.among.others = false,
        }
    }

    fn follow(&mut self, now: Moment, left: u64, opened: u32) {
        let doubted = now.since(Moment::millis(self.among.answered)) < BELIEVED;
        if self.opened() == 0 && doubted {
            return;
        }
        self.among.others = true;
        if opened > self.opened() {
            self.open(now.after(left), opened);
        }
    }
}

impl Vitals {
    /// What the breakers of a board have to tell: the name of the site, what, and for the how manieth time in a row it
    /// is open.
    #[must_use]
    pub fn tellings(&self, board: &Board, now: Moment) -> Vec<(String, Telling, u32)> {
        let sites = board.sites.iter().zip(self.sites());
        let open = sites.filter_map(|(site, pulse)| {
            let (telling, opened) = pulse.cell().breaker.telling(now)?;
            Some((site.name.to_string(), telling, opened))
        });
        open.collect()
    }

    /// Tells a site what the others say of it.
    pub fn hear(&self, board: &Board, site: &str, now: Moment, heard: Heard) {
        let place = board.sites.iter().position(|known| *known.name == *site);
        let pulse = place.and_then(|place| self.sites().get(place));
        if let Some(pulse) = pulse {
            pulse.hear(now, heard);
        }
    }
}

impl Pulse {
    fn hear(&self, now: Moment, heard: Heard) {
        self.change(|cell| cell.breaker.hear(now, heard));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::health::Gate;

    const NOW: Moment = Moment::millis(1_795_500_000_000);

    fn open() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(NOW, (NOW, 0), 1);
        }
        breaker
    }

    #[test]
    fn a_trial_is_made_by_leave_of_the_others_and_by_oneself_where_nobody_can_be_asked() {
        let mut breaker = open();
        let Some((Telling::Open(left), 1)) = breaker.telling(NOW) else {
            panic!("it is open")
        };
        breaker.hear(NOW, Heard::Open(left, 1));
        let due = NOW.after(left);
        assert_eq!(breaker.telling(due), Some((Telling::Due, 1)));
        assert!(matches!(breaker.gate(due), Gate::Open(_)), "no leave yet");
        breaker.hear(due, Heard::Leave(1_500));
        assert_eq!(breaker.gate(due), Gate::Trial);
        assert!(matches!(breaker.gate(due.after(1_500)), Gate::Open(_)));
        assert!(breaker.began(due.after(9)));
        assert_eq!(breaker.telling(due.after(10)), Some((Telling::Trial, 1)));
        breaker.failed(due.after(20), (due.after(9), 0), 1);
        let telling = breaker.telling(due.after(20));
        assert!(
            matches!(telling, Some((Telling::Open(_), 2))),
            "{telling:?}"
        );
        let later = due.after(60_000);
        assert!(matches!(breaker.gate(later), Gate::Open(_)));
        breaker.hear(later, Heard::Nothing);
        assert_eq!(breaker.gate(later), Gate::Trial);
    }

    #[test]
    fn others_are_believed_unless_one_was_answered_oneself() {
        let mut quiet = Breaker::default();
        quiet.hear(NOW, Heard::Open(4_000, 1));
        assert_eq!(quiet.gate(NOW), Gate::Open(4_000));
        quiet.hear(NOW, Heard::Open(9_000, 1));
        assert_eq!(quiet.gate(NOW), Gate::Open(4_000), "it is told once");
        quiet.hear(NOW, Heard::Open(9_000, 2));
        assert_eq!(quiet.gate(NOW), Gate::Open(9_000));
        quiet.hear(NOW, Heard::Closed);
        assert_eq!(
            (quiet.gate(NOW), quiet.telling(NOW)),
            (Gate::Returning, None)
        );
        let mut busy = Breaker::default();
        busy.succeeded(NOW, NOW);
        busy.hear(NOW.after(4_999), Heard::Open(4_000, 1));
        assert_eq!(busy.gate(NOW.after(4_999)), Gate::Closed);
        busy.hear(NOW.after(5_000), Heard::Open(4_000, 1));
        assert_eq!(busy.gate(NOW.after(5_000)), Gate::Open(4_000));
    }
}
