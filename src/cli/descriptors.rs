//! File descriptors: each connection takes one and each call another, so that the bounds on both stay below what the
//! system gives.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Limits;

/// Descriptors for files, listeners, and whatever else.
const OWN: u64 = 32;

/// Takes as many descriptors as the system lets us have.
pub(super) fn raise() {
    let now = getrlimit(Resource::Nofile);
    if now.current != now.maximum {
        // Where that is not allowed, what there is has to do.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: now.maximum,
                maximum: now.maximum,
            },
        );
    }
}

/// Lowers bounds that need more descriptors than there are; says so where it does.
pub(super) fn fit(limits: &mut Limits) -> Option<String> {
    let most = getrlimit(Resource::Nofile).current?;
    let (in_flight, connections) = within(limits, most);
    let lowered = (in_flight, connections) != (limits.in_flight, limits.connections);
    (limits.in_flight, limits.connections) = (in_flight, connections);
    lowered.then(|| {
        format!(
            "the system gives {most} file descriptors, so that there are at most {in_flight} calls and {connections} \
             connections at once; raise the limit (ulimit -n) for more"
        )
    })
}

fn within(limits: &Limits, most: u64) -> (usize, usize) {
    let calls = (most.saturating_sub(256) / 2).max(most / 4).max(1);
    let in_flight = limits.in_flight.min(size(calls));
    let left = most.saturating_sub(calls.min(size_of(in_flight)) + OWN);
    (in_flight, limits.connections.min(size(left.max(8))))
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn size_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_fit_what_the_system_gives() {
        let limits = Limits::default();
        assert_eq!(within(&limits, 1 << 20), (4096, 10_000));
        assert_eq!(within(&limits, 1024), (384, 608));
        assert_eq!(within(&limits, 64), (16, 16));
        assert_eq!(within(&limits, 8), (2, 8));
        for most in 64..4096 {
            let (calls, connections) = within(&limits, most);
            assert!(size_of(calls + connections) + OWN <= most, "{most}");
        }
    }
}
