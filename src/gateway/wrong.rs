//! Keys that nobody has, by the address that shows them: whoever tries many is told to slow down. Others notice nothing,
//! nor does who shows a good one from there, as an address may be that of many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::account::limit::{Gate, Rate};

/// How many wrong keys an address may show in a minute.
const MOST: u64 = 60;

/// How many addresses are remembered.
const KNOWN: usize = 16_384;

/// Who has shown wrong keys of late.
#[derive(Debug, Default)]
pub struct Wrong {
    by: Mutex<HashMap<IpAddr, Gate>>,
}

impl Wrong {
    /// A wrong key was shown; how long its address should wait, where it has shown too many.
    pub fn shown(&self, from: IpAddr, now: u64) -> Option<Duration> {
        let rate = Rate::per_minute(MOST)?;
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if by.len() >= KNOWN {
            by.retain(|_, gate| gate.standing(rate, now).remaining < MOST);
        }
        if by.len() >= KNOWN {
            // Whoever has so many addresses is not held back by counting them.
            by.clear();
        }
        let gate = by.entry(network(from)).or_default();
        match gate.has(rate, 1, now) {
            Ok(()) => {
                gate.take(rate, 1, now);
                None
            }
            Err(denied) => Some(denied.after.unwrap_or(Duration::from_mins(1))),
        }
    }
}

/// Who an address stands for: whoever has one of the new kind has the whole network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_608_000_000;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_tries_many_is_told_to_wait_and_no_other() {
        let wrong = Wrong::default();
        let first = address("192.0.2.1");
        for _ in 0..MOST {
            assert_eq!(wrong.shown(first, NOW), None);
        }
        assert_eq!(wrong.shown(first, NOW), Some(Duration::from_secs(1)));
        assert_eq!(wrong.shown(address("192.0.2.2"), NOW), None);
        assert!(wrong.shown(address("::ffff:192.0.2.1"), NOW).is_some());
        assert_eq!(wrong.shown(first, NOW + 1_000), None, "one each second");
        for at in 0..MOST {
            let one = address(&format!("2001:db8::{at}"));
            assert_eq!(wrong.shown(one, NOW), None);
        }
        assert!(wrong.shown(address("2001:db8::ffff"), NOW).is_some());
    }

    #[test]
    fn addresses_are_not_remembered_without_end() {
        let wrong = Wrong::default();
        for at in 0..u32::try_from(3 * KNOWN).unwrap() {
            let from = IpAddr::from((0x0b00_0000 + at).to_be_bytes());
            assert_eq!(wrong.shown(from, NOW), None);
        }
        assert!(wrong.by.lock().unwrap().len() <= KNOWN);
    }
}
