//! A server in a temporary folder, on a port of its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use waypost::account::{Budget, Money, Period};
use waypost::store::Counters;
use waypost::store::counters::{Due, Shared, State, WhenAway};

/// 2026-11-25 12:00.
pub(crate) const NOON: u64 = 1_795_608_000;

/// What outlasts a crash of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// All that was answered.
    All,
    /// Nothing.
    Nothing,
}

/// The server. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Server {
    program: &'static str,
    folder: PathBuf,
    port: u16,
    disk: Disk,
    child: Option<Child>,
}

impl Server {
    /// Starts one; `None`, said aloud, where there is none on this machine.
    pub(crate) async fn start(disk: Disk) -> Option<Self> {
        let runs = |program: &&str| {
            let asked = Command::new(program).arg("--version").output();
            asked.is_ok_and(|told| told.status.success())
        };
        let Some(program) = ["redis-server", "valkey-server"].into_iter().find(runs) else {
            println!("SKIPPED: there is no redis-server here (apt-get install redis-server)");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("waypost-redis-{}", fastrand::u64(..)));
        std::fs::create_dir_all(&folder).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut server = Self {
            program,
            folder,
            port,
            disk,
            child: None,
        };
        server.go().await;
        Some(server)
    }

    /// Starts it, or starts it again.
    pub(crate) async fn go(&mut self) {
        let (append, sync) = match self.disk {
            Disk::All => ("yes", "always"),
            Disk::Nothing => ("no", "no"),
        };
        let port = self.port.to_string();
        let child = Command::new(self.program)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", append, "--appendfsync", sync, "--dir"])
            .arg(&self.folder)
            .args(["--requirepass", "pass-canary"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let began = Instant::now();
        while self.is_away().await {
            assert!(began.elapsed() < Duration::from_secs(10), "it does not run");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn is_away(&self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
            return true;
        };
        let ping = redis::cmd("PING");
        ping.query_async::<String>(&mut connection).await.is_err()
    }

    /// Ends it at once.
    pub(crate) fn crash(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://:pass-canary@127.0.0.1:{}/0", self.port)
    }

    /// Has all leases end now, as if nobody had been heard of for long.
    pub(crate) async fn forget_leases(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let key = "{waypost}:leases";
        let mut asked = redis::cmd("ZRANGE");
        let all: Vec<String> = asked
            .arg(key)
            .arg(0)
            .arg(-1)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!(!all.is_empty());
        for lease in all {
            let mut asked = redis::cmd("ZADD");
            asked.arg(key).arg("XX").arg(1).arg(lease);
            let () = asked.query_async(&mut connection).await.unwrap();
        }
    }

    /// The counters of one more node.
    pub(crate) async fn node(&self) -> Arc<Counters> {
        let node = self.node_that(WhenAway::Refuse, WhenAway::Serve);
        settled(&node).await;
        node
    }

    /// The counters of a node that may not be connected yet.
    pub(crate) fn node_that(&self, capped: WhenAway, uncapped: WhenAway) -> Arc<Counters> {
        let state = State {
            url: self.url(),
            capped,
            uncapped,
            now: Arc::new(|| NOON),
        };
        assert!(!format!("{state:?}").contains("canary"));
        Arc::new(Counters::Shared(Shared::new(state).unwrap()))
    }
}

/// Waits until the node may take.
pub(crate) async fn settled(node: &Counters) {
    let probe = [due("probe", 1)];
    let began = Instant::now();
    while node
        .reserve(&probe, Money::ZERO, NOON, Duration::ZERO)
        .await
        .is_err()
    {
        assert!(began.elapsed() < Duration::from_secs(10), "it never comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn due(purse: &str, most: u64) -> Due {
    Due {
        purse: purse.into(),
        budget: Budget {
            most: Money::nano(most),
            period: Period::Day,
        },
    }
}

/// What is spent and reserved of a purse, once all is told.
pub(crate) async fn state(node: &Counters, purse: &str) -> (u64, u64) {
    tokio::time::sleep(Duration::from_millis(200)).await;
    let purse = node.purse(purse).await.unwrap();
    (purse.spent().as_nano(), purse.reserved().as_nano())
}
