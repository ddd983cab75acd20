//! The world that policies are let loose on: hosts with true speeds, failures, limits and prices that change in time.
//!
//! Nothing here knows the router. Times are log-normal with tails and grow with load; failures come singly and as
//! outages; limits are token buckets. Every draw is a hash of call and host, so that all policies meet the same luck.

/// A host as it truly is.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// The model it serves.
    pub(crate) family: String,
    /// Milliseconds before anything comes, and per prompt token.
    pub(crate) wait: f64,
    pub(crate) read: f64,
    /// Tokens per second.
    pub(crate) rate: f64,
    /// How long its answers are, over what was asked.
    pub(crate) wordy: f64,
    /// Spread of its times (of the logarithm).
    pub(crate) spread: f64,
    /// How often a time is so much longer.
    pub(crate) tail: (f64, f64),
    /// The chance that a call fails while it is up.
    pub(crate) fails: f64,
    /// Calls under way beyond which it slows down.
    pub(crate) room: f64,
    /// Calls per second that its limit lets through.
    pub(crate) limit: Option<f64>,
    /// Dollars per million input and output tokens.
    pub(crate) price: (f64, f64),
    pub(crate) quality: f64,
    /// Its slow swing: how strong, how long, where it begins.
    pub(crate) swing: (f64, f64, f64),
    /// What happens to it.
    pub(crate) events: Vec<Event>,
    /// When it comes into being.
    pub(crate) born: f64,
}

/// Something that happens to a host from a second to a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// Every call fails.
    Down,
    /// Everything takes so many times as long.
    Slow(f64),
    /// It costs so many times as much.
    Dearer(f64),
}

/// One call that a client makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) at: f64,
    pub(crate) prompt: f64,
    pub(crate) answer: f64,
}

/// How one attempt ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Answered { wait: f64, whole: f64, output: f64 },
    Failed { after: f64 },
    Limited { after: f64, again: f64 },
}

impl Host {
    /// How many times longer than usual things take now.
    pub(crate) fn slow(&self, now: f64) -> f64 {
        let (strength, period, phase) = self.swing;
        let swing = if strength > 0.0 {
            (strength * (std::f64::consts::TAU * (now / period + phase)).sin()).exp()
        } else {
            1.0
        };
        self.events
            .iter()
            .fold(swing, |slow, event| match event.what {
                What::Slow(factor) if (event.from..event.to).contains(&now) => slow * factor,
                _ => slow,
            })
    }

    /// The true chance that a call made now fails.
    pub(crate) fn risk(&self, now: f64) -> f64 {
        let down = |event: &Event| {
            matches!(event.what, What::Down) && (event.from..event.to).contains(&now)
        };
        if self.events.iter().any(down) {
            1.0
        } else {
            self.fails
        }
    }

    /// Dollars that a call truly costs, in the mean.
    pub(crate) fn cost(&self, call: &Call, now: f64) -> f64 {
        let dearer = self
            .events
            .iter()
            .fold(1.0, |dearer, event| match event.what {
                What::Dearer(factor) if (event.from..event.to).contains(&now) => dearer * factor,
                _ => dearer,
            });
        (call.prompt * self.price.0 + call.answer * self.wordy * self.price.1) * dearer / 1e6
    }

    /// What load does to times.
    fn load(&self, busy: f64) -> f64 {
        1.0 + ((busy - self.room) / self.room).max(0.0)
    }

    /// The true mean time of a call made now, in milliseconds.
    pub(crate) fn mean(&self, call: &Call, now: f64, busy: f64) -> f64 {
        let tail = 1.0 + self.tail.0 * (self.tail.1 - 1.0);
        self.plain(call) * self.slow(now) * self.load(busy) * tail
    }

    fn plain(&self, call: &Call) -> f64 {
        self.wait + self.read * call.prompt + call.answer * self.wordy * 1e3 / self.rate
    }

    /// One draw of it.
    pub(crate) fn answer(&self, call: &Call, now: f64, busy: f64, number: u64) -> End {
        let dice = hash(&[call.id, number, word(&self.name)]);
        if uniform(hash(&[dice, 1])) < self.risk(now) {
            let silent = uniform(hash(&[dice, 2])) < 0.2;
            return End::Failed {
                after: if silent { 10_000.0 } else { 400.0 },
            };
        }
        let tail = if uniform(hash(&[dice, 3])) < self.tail.0 {
            self.tail.1
        } else {
            1.0
        };
        let noise =
            (self.spread * normal(hash(&[dice, 4])) - self.spread * self.spread / 2.0).exp();
        let factor = self.slow(now) * self.load(busy) * noise * tail;
        let output = call.answer * self.wordy;
        let wait = (self.wait + self.read * call.prompt) * factor;
        End::Answered {
            wait,
            whole: wait + output * 1e3 / self.rate * factor,
            output,
        }
    }
}

/// A token bucket per host that has a limit; refilled as time goes by.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    left: Vec<(f64, f64)>,
}

impl Buckets {
    pub(crate) fn of(hosts: &[Host]) -> Self {
        let full = |host: &Host| {
            host.limit
                .map_or((f64::INFINITY, 0.0), |limit| (limit * 5.0, 0.0))
        };
        Self {
            left: hosts.iter().map(full).collect(),
        }
    }

    /// Calls left at a host now.
    pub(crate) fn left(&self, hosts: &[Host], host: usize, now: f64) -> f64 {
        let (left, at) = self.left[host];
        hosts[host].limit.map_or(left, |limit| {
            (left + (now - at) / 1e3 * limit).min(limit * 5.0)
        })
    }

    /// Takes one; the seconds to wait where there is none.
    pub(crate) fn take(&mut self, hosts: &[Host], host: usize, now: f64) -> Result<(), f64> {
        let left = self.left(hosts, host, now);
        if left < 1.0 {
            self.left[host] = (left, now);
            let limit = hosts[host].limit.unwrap_or(1.0);
            return Err((1.0 - left) / limit);
        }
        self.left[host] = (left - 1.0, now);
        Ok(())
    }
}

/// A hash of some words.
pub(crate) fn hash(words: &[u64]) -> u64 {
    words.iter().fold(0x1234_5678_9abc_def1, |hash, word| {
        let mut z = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        z ^= z >> 33;
        z = z.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        z ^ (z >> 29)
    })
}

fn word(text: &str) -> u64 {
    hash(&text.bytes().map(u64::from).collect::<Vec<_>>())
}

pub(crate) fn uniform(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// A normal draw (Box and Muller).
pub(crate) fn normal(word: u64) -> f64 {
    let (a, b) = (uniform(hash(&[word, 7])), uniform(hash(&[word, 8])));
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
