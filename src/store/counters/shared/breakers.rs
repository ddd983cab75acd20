//! What the breakers of many nodes tell each other. Nothing of it is asked for by a call, and nothing of it is kept.

use std::time::Duration;

use super::node::Core;
use super::script::{Asking, BREAKERS, OPEN};

/// How long a trial is one's own without another word.
const TRIAL: Duration = Duration::from_secs(2);

/// What a breaker tells the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It has opened for so long.
    Open(Duration),
    /// A trial is due, or under way.
    Trial,
    /// A call was answered.
    Closed,
}

/// What the others know of a site: it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its name.
    pub site: String,
    /// For the how manieth time in a row.
    pub times: u32,
    /// For how long.
    pub left: Duration,
    /// Whether this node may try.
    pub leave: bool,
}

impl Core {
    /// Tells what there is to tell of each site, with the how manieth time in a row it is open; gives back all that are
    /// open. `None` where nobody can be asked.
    pub(super) async fn breakers(&self, words: &[(String, Word, u32)]) -> Option<Vec<Opened>> {
        let line = self.line()?;
        let mut asking = Asking::new()
            .key(OPEN)
            .word(&self.process)
            .word(TRIAL.as_millis());
        for (site, word, times) in words {
            let (what, left) = match word {
                Word::Open(left) => ("open", *left),
                Word::Trial => ("trial", Duration::ZERO),
                Word::Closed => ("closed", Duration::ZERO),
            };
            asking = asking
                .word(site)
                .word(what)
                .word(times)
                .word(left.as_millis());
        }
        let said = self.ask(&line, &BREAKERS, asking).await?;
        let sites = said.get(1..).unwrap_or_default().chunks_exact(4);
        Some(sites.filter_map(opened).collect())
    }
}

fn opened(said: &[String]) -> Option<Opened> {
    let [site, times, left, leave] = said else {
        return None;
    };
    Some(Opened {
        site: site.clone(),
        times: times.parse().ok()?,
        left: Duration::from_millis(left.parse().ok()?),
        leave: leave == "1",
    })
}
