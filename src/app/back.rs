//! Listeners: the one for calls, and the one at the back where only figures and health are told.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::{Config, Metrics};
use crate::gateway::clock::Clock;
use crate::gateway::{Face, Front, Gateway, Shown};
use crate::net::{Entrance, Limits, Stage, Terms, server};

use super::error::StartError;
use super::tls;

/// Connections at the back: whoever watches needs few.
const CONNECTIONS: usize = 64;

/// A listener at the back that nobody is let in by yet.
#[derive(Debug)]
pub(super) struct Back {
    listener: TcpListener,
    addr: SocketAddr,
}

/// The listener at the back.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) addr: SocketAddr,
    entrance: Arc<Entrance>,
    listening: JoinHandle<()>,
}

/// Listens at an address.
pub(super) async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen(addr, error);
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// Whether figures are told to whoever may call: on this machine alone, unless the configuration says otherwise.
pub(super) const fn shown(metrics: Metrics, addr: SocketAddr) -> Shown {
    match metrics {
        Metrics::Open => Shown::Here,
        Metrics::Loopback if addr.ip().is_loopback() => Shown::Here,
        Metrics::Loopback | Metrics::At(_) => Shown::Elsewhere,
    }
}

/// What connections are taken on.
pub(super) fn terms(config: &Config, clock: Clock) -> Result<Terms, StartError> {
    let limits = Limits {
        head: config.limits.head,
        head_timeout: config.limits.header_timeout,
        keep_alive: config.limits.keep_alive,
        write_stall: config.limits.write_stall,
        connections: config.limits.connections,
    };
    let tls = tls::shown(&config.tls, clock)?;
    Ok(Terms { limits, tls })
}

impl Back {
    /// Listens at the back, where the configuration says so.
    pub(super) async fn open(metrics: Metrics) -> Result<Option<Self>, StartError> {
        let Metrics::At(addr) = metrics else {
            return Ok(None);
        };
        let (listener, addr) = listen(addr).await?;
        Ok(Some(Self { listener, addr }))
    }

    /// Tells figures.
    pub(super) fn serve(self, gateway: &Arc<Gateway>) -> Serving {
        let limits = Limits {
            connections: CONNECTIONS,
            ..Limits::default()
        };
        let entrance = Arc::new(Entrance::new(Terms { limits, tls: None }));
        let front = Front::of(gateway, Face::Figures);
        let serving = server::serve(self.listener, front, Arc::clone(&entrance));
        Serving {
            addr: self.addr,
            entrance,
            listening: tokio::spawn(serving),
        }
    }
}

impl Serving {
    /// Ends it at once. It is the last to go, so that the end can be watched.
    pub(super) async fn stop(self) {
        self.entrance.pass(Stage::Over);
        let _ = self.listening.await;
        self.entrance.empty().await;
    }
}
