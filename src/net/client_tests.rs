//! Names with many addresses, dead ones among them, and such that change.

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;

use http::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;
use tower_service::Service;

use super::*;

/// What a name means each time that it is asked for; the last meaning stays.
#[derive(Clone, Debug)]
struct Told(Arc<Mutex<VecDeque<Vec<SocketAddr>>>>);

impl Service<Name> for Told {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        let mut told = self.0.lock().unwrap();
        let one = if told.len() > 1 {
            told.pop_front()
        } else {
            told.front().cloned()
        };
        ready(Ok(one.unwrap_or_default().into_iter()))
    }
}

/// A connector for a name that means this.
fn connector(means: Vec<Vec<SocketAddr>>) -> HttpConnector<Judge<Told>> {
    let told = Told(Arc::new(Mutex::new(means.into())));
    reaching(Judge::of(told, Arc::default()))
}

async fn connect(connector: &mut HttpConnector<Judge<Told>>, port: u16) -> Option<SocketAddr> {
    let uri: Uri = format!("http://many.example:{port}/").parse().unwrap();
    let line = connector.call(uri).await.ok()?;
    line.inner().peer_addr().ok()
}

fn here(last: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 1, last), port).into()
}

/// Somebody who listens at the last of some addresses, and nobody at the others.
async fn last_of(many: u8) -> (TcpListener, Vec<SocketAddr>, u16) {
    let listener = TcpListener::bind(here(many, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let all = (1..=many).map(|last| here(last, port)).collect();
    (listener, all, port)
}

#[tokio::test]
async fn the_next_address_is_tried_and_sixteen_at_most() {
    let (_listener, all, port) = last_of(16).await;
    let began = Instant::now();
    let reached = connect(&mut connector(vec![all.clone()]), port).await;
    assert_eq!(reached, all.last().copied());
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    let (_listener, mut all, port) = last_of(17).await;
    assert_eq!(connect(&mut connector(vec![all.clone()]), port).await, None);
    all.resize(1_000, here(200, port));
    all.swap(0, 16);
    assert_eq!(
        connect(&mut connector(vec![all]), port).await,
        Some(here(17, port))
    );
}

/// An address that takes connections and never lets them through.
async fn hole(listener: TcpSocket) -> Vec<TcpStream> {
    let hole = listener.listen(1).unwrap();
    let (addr, mut held) = (hole.local_addr().unwrap(), Vec::new());
    let soon = Duration::from_millis(300);
    while let Ok(Ok(line)) = tokio::time::timeout(soon, TcpStream::connect(addr)).await {
        held.push(line);
        assert!(held.len() < 64, "the queue is never full");
    }
    // It listens as long as the process lives.
    Box::leak(Box::new(hole));
    held
}

#[tokio::test]
async fn an_address_that_answers_nothing_does_not_keep_from_the_next() {
    let listener = TcpListener::bind(here(2, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dead = TcpSocket::new_v4().unwrap();
    dead.bind(here(1, port)).unwrap();
    let _held = hole(dead).await;
    let began = Instant::now();
    let means = vec![vec![here(1, port), here(2, port)]];
    assert_eq!(
        connect(&mut connector(means), port).await,
        Some(here(2, port))
    );
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    // One of the other kind is tried beside it.
    let six = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    if let Ok(_listener) = TcpListener::bind(six).await {
        let began = Instant::now();
        let means = vec![vec![here(1, port), six]];
        assert_eq!(connect(&mut connector(means), port).await, Some(six));
        let times = HAPPY_EYEBALLS..Duration::from_millis(1_500);
        assert!(times.contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_changed_address_holds_from_the_next_connection_on() {
    let first = TcpListener::bind(here(3, 0)).await.unwrap();
    let port = first.local_addr().unwrap().port();
    let _second = TcpListener::bind(here(4, port)).await.unwrap();
    let mut connector = connector(vec![vec![here(3, port)], vec![here(4, port)]]);
    assert_eq!(connect(&mut connector, port).await, Some(here(3, port)));
    assert_eq!(connect(&mut connector, port).await, Some(here(4, port)));
}

/// Whoever answers for a name cannot say one thing to the judge and another to the connection.
#[tokio::test]
async fn a_name_is_asked_for_once_and_connected_to_is_what_was_judged() {
    let judged = TcpListener::bind(here(5, 0)).await.unwrap();
    let port = judged.local_addr().unwrap().port();
    let _other = TcpListener::bind(here(6, port)).await.unwrap();
    let means = vec![vec![here(5, port)], vec![here(6, port)]];
    let told = Told(Arc::new(Mutex::new(means.into())));
    let egress = Arc::new(Egress::default());
    egress.allow(["many.example".to_owned()]);
    let mut own = reaching(Judge::of(told.clone(), Arc::clone(&egress)));
    assert_eq!(connect(&mut own, port).await, Some(here(5, port)));
    assert_eq!(told.0.lock().unwrap().len(), 1, "it was asked for once");
    egress.allow(["another.example".to_owned()]);
    assert_eq!(connect(&mut own, port).await, None, "it leads inside");
}
