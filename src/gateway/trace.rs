//! Where a call belongs in somebody's trace: W3C Trace Context, checked and carried on to the provider as it came.
//!
//! Where no span of our own is told to anybody, the parent stays who it was. What is not well formed is dropped, as the
//! convention says, and is never an error.

use http::header::{HeaderMap, HeaderName, HeaderValue};

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The length of a parent of version 00.
const LENGTH: usize = 55;
/// The most members of a state, and its most bytes.
const MEMBERS: usize = 32;
const BYTES: usize = 512;

/// The trace context of a call; nothing where none came that is well formed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    parent: Option<HeaderValue>,
    state: Option<HeaderValue>,
}

/// The span of whoever called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: u128,
    /// The span.
    pub span: u64,
    /// Whether the trace is recorded.
    pub is_recorded: bool,
}

impl Trace {
    /// Reads the context that a request brings.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut parents = headers.get_all(PARENT).iter();
        let parent = match (parents.next(), parents.next()) {
            (Some(parent), None) => Some(parent).filter(|parent| is_parent(parent.as_bytes())),
            _ => None,
        };
        // A state without its parent belongs to nothing.
        let state = parent.and_then(|_| state(headers));
        Self {
            parent: parent.cloned(),
            state,
        }
    }

    /// The id of the trace.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.parent.as_ref()?.to_str().ok()?.get(3..35)
    }

    /// The span of whoever called.
    #[must_use]
    pub fn parent(&self) -> Option<Parent> {
        let text = self.parent.as_ref()?.to_str().ok()?;
        let part = |from, to| text.get(from..to);
        let flags = u8::from_str_radix(part(53, 55)?, 16).ok()?;
        Some(Parent {
            trace: u128::from_str_radix(part(3, 35)?, 16).ok()?,
            span: u64::from_str_radix(part(36, 52)?, 16).ok()?,
            is_recorded: flags & 1 == 1,
        })
    }

    /// Puts the context on a request.
    pub fn put(&self, headers: &mut HeaderMap) {
        let both = [(PARENT, &self.parent), (STATE, &self.state)];
        for (name, value) in both {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; later versions may say more after that.
fn is_parent(bytes: &[u8]) -> bool {
    let hex = |from: usize, to: usize| {
        let part = bytes.get(from..to).unwrap_or_default();
        part.len() == to - from
            && part
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |from: usize, to: usize| {
        let part = bytes.get(from..to).unwrap_or_default();
        part.iter().any(|byte| *byte != b'0')
    };
    let dash = |at: usize| bytes.get(at) == Some(&b'-');
    let version = bytes.get(..2).unwrap_or_default();
    let ends = match version {
        b"00" => bytes.len() == LENGTH,
        b"ff" => false,
        _ => bytes.len() == LENGTH || dash(LENGTH),
    };
    ends && hex(0, 2)
        && dash(2)
        && hex(3, 35)
        && some(3, 35)
        && dash(35)
        && hex(36, 52)
        && some(36, 52)
        && dash(52)
        && hex(53, 55)
}

/// The state as one header: whole members from the left, as many as there is room for; nothing where one is none.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut out = String::new();
    let mut count = 0;
    for value in headers.get_all(STATE) {
        for member in value.to_str().ok()?.split(',') {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            if !is_member(member) {
                return None;
            }
            count += 1;
            if count > MEMBERS || out.len() + 1 + member.len() > BYTES {
                return HeaderValue::from_str(&out).ok().filter(|_| !out.is_empty());
            }
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(member);
        }
    }
    HeaderValue::from_str(&out).ok().filter(|_| !out.is_empty())
}

fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    let of_key =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    let of_value = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b',' && byte != b'=';
    (1..=256).contains(&key.len())
        && key.bytes().all(of_key)
        && (1..=256).contains(&value.len())
        && value.bytes().all(of_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn carried(parents: &[&str], states: &[&str]) -> (Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        for (name, values) in [(PARENT, parents), (STATE, states)] {
            for value in values {
                headers.append(&name, value.parse().unwrap());
            }
        }
        let mut out = HeaderMap::new();
        Trace::read(&headers).put(&mut out);
        let text = |name: HeaderName| Some(out.get(name)?.to_str().unwrap().to_owned());
        (text(PARENT), text(STATE))
    }

    #[test]
    fn a_good_parent_is_carried_as_it_came_and_a_bad_one_is_not() {
        assert_eq!(carried(&[GOOD], &[]).0.as_deref(), Some(GOOD));
        let later = format!("cc-{}-more", &GOOD[3..]);
        assert_eq!(carried(&[&later], &[]).0.as_deref(), Some(later.as_str()));
        let bad = [
            "",
            "00",
            &format!("{GOOD}-more"),
            &format!("{GOOD}0"),
            &GOOD.to_uppercase(),
            &format!("ff-{}", &GOOD[3..]),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-001",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        ];
        for bad in bad {
            assert_eq!(carried(&[bad], &["a=1"]), (None, None), "{bad}");
        }
        assert_eq!(carried(&[GOOD, GOOD], &["a=1"]), (None, None), "two");
        assert_eq!(carried(&[], &["a=1"]), (None, None), "a state alone");
    }

    #[test]
    fn a_state_is_carried_within_limits() {
        let state = |states: &[&str]| carried(&[GOOD], states).1;
        assert_eq!(
            state(&["rojo=1, congo=t6"]).as_deref(),
            Some("rojo=1,congo=t6")
        );
        assert_eq!(state(&["a=1", "b=2,,"]).as_deref(), Some("a=1,b=2"));
        assert_eq!(state(&["a=1,B=2"]), None, "no key has capitals");
        assert_eq!(state(&["a"]), None);
        let many: Vec<String> = (0..40).map(|at| format!("k{at}=v")).collect();
        let kept = state(&[&many.join(",")]).unwrap();
        assert_eq!(kept, many[..32].join(","));
        let long: Vec<String> = (0..5)
            .map(|at| format!("k{at}={}", "v".repeat(200)))
            .collect();
        assert_eq!(state(&[&long.join(",")]).unwrap(), long[..2].join(","));
    }

    #[test]
    fn the_id_is_that_of_the_trace() {
        let mut headers = HeaderMap::new();
        assert_eq!(Trace::read(&headers).id(), None);
        headers.insert(PARENT, HeaderValue::from_static(GOOD));
        let trace = Trace::read(&headers);
        assert_eq!(trace.id(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    }
}
