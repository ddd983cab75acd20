//! Where connections may go: to the world, and to private networks only where the configuration names the host.
//!
//! A name is resolved once, its addresses are judged, and to one of those that may be is connected: a name that means
//! something else a moment later changes nothing.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwapOption;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// The most addresses of a name that are looked at.
const MOST: usize = 16;

/// Which hosts may be on private networks. Until it is told, all may.
#[derive(Debug, Default)]
pub struct Egress {
    own: ArcSwapOption<HashSet<String>>,
}

/// How far away an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// In the world.
    World,
    /// On this machine or in a private network.
    Private,
    /// On the link: where clouds keep the credentials of machines. No name leads there.
    Link,
}

/// The host has no address that may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied;

impl Egress {
    /// Lets these hosts be on private networks, and no others.
    pub fn allow(&self, hosts: impl IntoIterator<Item = String>) {
        let hosts = hosts.into_iter().map(|host| plain(&host));
        self.own.store(Some(Arc::new(hosts.collect())));
    }

    fn permits(&self, host: &str, address: IpAddr) -> bool {
        let Some(own) = &*self.own.load() else {
            return true;
        };
        match reach(address) {
            Reach::World => true,
            Reach::Private => own.contains(&plain(host)),
            Reach::Link => false,
        }
    }
}

/// A host as names are compared.
fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn reach(address: IpAddr) -> Reach {
    match address.to_canonical() {
        IpAddr::V4(four) => four_reach(four),
        IpAddr::V6(six) => six_reach(six),
    }
}

fn four_reach(four: Ipv4Addr) -> Reach {
    let [a, b, c, _] = four.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let tests = a == 198 && (18..20).contains(&b);
    // The metadata of one cloud is among the shared addresses.
    if four.is_link_local() || four == Ipv4Addr::new(100, 100, 100, 200) {
        Reach::Link
    } else if four.is_private() || four.is_loopback() || shared || tests {
        Reach::Private
    } else if a == 0 || a >= 224 || (a, b, c) == (192, 0, 0) || four.is_documentation() {
        Reach::Link
    } else {
        Reach::World
    }
}

fn six_reach(six: Ipv6Addr) -> Reach {
    let [first, ..] = six.segments();
    let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let embedded = || {
        let [.., high, low] = six.segments();
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        four_reach(Ipv4Addr::new(a, b, c, d))
    };
    match first {
        _ if six == metadata || six.is_unspecified() => Reach::Link,
        _ if six.is_loopback() => Reach::Private,
        0xfe80..=0xfebf | 0xff00..=0xffff => Reach::Link,
        0xfc00..=0xfdff => Reach::Private,
        // Where addresses of the old kind are reached through the new one.
        0x0064 if six.segments().get(1) == Some(&0xff9b) => embedded(),
        0 => embedded(),
        _ => Reach::World,
    }
}

/// Resolves names to addresses that may be connected to.
#[derive(Clone, Debug)]
pub struct Judge<N = GaiResolver> {
    names: N,
    egress: Arc<Egress>,
}

impl Judge {
    /// A judge of all that names mean to the system.
    #[must_use]
    pub fn new(egress: Arc<Egress>) -> Self {
        Self::of(GaiResolver::new(), egress)
    }
}

impl<N> Judge<N> {
    /// A judge of all that names mean to somebody.
    pub const fn of(names: N, egress: Arc<Egress>) -> Self {
        Self { names, egress }
    }
}

impl<N> Service<Name> for Judge<N>
where
    N: Service<Name, Error = io::Error>,
    N::Response: Iterator<Item = SocketAddr>,
    N::Future: Send + 'static,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.names.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (host, egress) = (name.as_str().to_owned(), Arc::clone(&self.egress));
        let found = self.names.call(name);
        Box::pin(async move {
            let all: Vec<SocketAddr> = found.await?.take(MOST).collect();
            let any = !all.is_empty();
            let permitted = all.into_iter().filter(|at| egress.permits(&host, at.ip()));
            let permitted: Vec<SocketAddr> = permitted.collect();
            if any && permitted.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, Denied));
            }
            Ok(permitted.into_iter())
        })
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name leads to a private network")
    }
}

impl std::error::Error for Denied {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_in_every_disguise() {
        let rows = [
            (
                Reach::World,
                &["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"][..],
            ),
            (
                Reach::Private,
                &[
                    "127.0.0.1",
                    "10.1.2.3",
                    "172.31.0.1",
                    "192.168.0.1",
                    "100.64.0.1",
                    "::1",
                    "fd12::1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::a00:1",
                ],
            ),
            (
                Reach::Link,
                &[
                    "169.254.169.254",
                    "169.254.170.2",
                    "0.0.0.0",
                    "255.255.255.255",
                    "224.0.0.1",
                    "100.100.100.200",
                    "fe80::1",
                    "::ffff:169.254.169.254",
                    "fd00:ec2::254",
                    "::",
                    "64:ff9b::a9fe:a9fe",
                    "::169.254.169.254",
                ],
            ),
        ];
        for (expected, addresses) in rows {
            for address in addresses {
                assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    #[test]
    fn a_private_network_is_open_to_hosts_that_are_named() {
        let egress = Egress::default();
        let local = IpAddr::from([10, 0, 0, 1]);
        assert!(egress.permits("anything", local), "nobody has said yet");
        egress.allow(["vLLM.internal.".to_owned()]);
        assert!(egress.permits("vllm.internal", local));
        assert!(!egress.permits("api.example.com", local));
        assert!(egress.permits("api.example.com", IpAddr::from([1, 1, 1, 1])));
        assert!(!egress.permits("vllm.internal", IpAddr::from([169, 254, 169, 254])));
    }
}
