//! Addresses: where we listen, where providers are, and which of them are this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The address of `IP:PORT` or `localhost:PORT`.
pub(super) fn listen(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return port
            .parse()
            .ok()
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().ok()
}

/// What matters of a base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base<'a> {
    /// Whether what is sent can be read on the way.
    pub(super) plain: bool,
    /// The host, without brackets and port.
    pub(super) host: &'a str,
}

impl<'a> Base<'a> {
    /// Reads a base URL: `http` or `https`, a host, no user, query or fragment.
    pub(super) fn parse(url: &'a str) -> Result<Self, &'static str> {
        let (plain, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err("base_url must begin with https:// or http://"),
        };
        if url.contains(['?', '#']) || url.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("base_url must have no query, fragment, blanks or letters beyond ASCII");
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return Err("base_url must have no user; keys go into api_key");
        }
        let (host, port) = split_port(authority).ok_or("base_url has a bad host")?;
        if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err("base_url has no host, or a bad port");
        }
        Ok(Self { plain, host })
    }

    /// Whether this is the machine we run on.
    pub(super) fn is_loopback(self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest {
            "" => Some((host, None)),
            rest => rest.strip_prefix(':').map(|port| (host, Some(port))),
        };
    }
    Some(
        authority
            .split_once(':')
            .map_or((authority, None), |(host, port)| (host, Some(port))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_elsewhere() {
        let table = [
            ("http://localhost:11434/v1", true, true),
            ("http://127.0.0.9", true, true),
            ("http://[::1]:8000/v1", true, true),
            ("https://api.openai.com/v1", false, false),
            ("http://10.0.0.5:8000/v1", true, false),
            ("http://localhost.example.com", true, false),
            ("http://127.0.0.1.nip.io", true, false),
        ];
        for (url, plain, loopback) in table {
            let base = Base::parse(url).unwrap();
            assert_eq!((base.plain, base.is_loopback()), (plain, loopback), "{url}");
        }
    }

    #[test]
    fn bad_addresses_are_refused() {
        for bad in [
            "api.openai.com",
            "ftp://x",
            "https://",
            "https://u:p@x",
            "https://x?a=b",
            "https://x:99999",
            "http://[::1",
            "https://a b",
        ] {
            assert!(Base::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(listen("localhost:80"), listen("127.0.0.1:80"));
        assert!(
            listen("[::1]:8080").is_some()
                && listen("8080").is_none()
                && listen("example.com:80").is_none()
        );
    }
}
