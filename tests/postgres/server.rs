//! A PostgreSQL in a temporary folder, on a port of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::{NoTls, Row};

/// The server. Dropped, it ends, and its folder with it.
#[derive(Debug)]
pub(crate) struct Server {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

/// Where Debian installs its versions.
const DEBIAN: &str = "/usr/lib/postgresql";

fn binaries() -> Option<PathBuf> {
    let named = std::env::var("WAYPOST_POSTGRES").ok().map(PathBuf::from);
    let path = std::env::var("PATH").unwrap_or_default();
    let installed = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    named
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(folders.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

fn is_root() -> bool {
    let told = Command::new("id").arg("-u").output().unwrap();
    told.stdout.starts_with(b"0\n")
}

impl Server {
    /// Starts one; `None`, said aloud, where there is none on this machine.
    pub(crate) fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            println!("SKIPPED: there is no PostgreSQL here (apt-get install postgresql)");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("waypost-pg-{}", fastrand::u64(..)));
        std::fs::create_dir_all(&folder).unwrap();
        if is_root() {
            // PostgreSQL does not run as root.
            let owned = Command::new("chown").arg("postgres").arg(&folder).status();
            assert!(owned.unwrap().success());
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut server = Self {
            binaries,
            folder,
            port,
            child: None,
        };
        let made = server
            .command("initdb")
            .args(["--no-sync", "--auth=scram-sha-256", "--username=waypost"])
            .arg(format!("--pwfile={}", server.password_file().display()))
            .arg("-D")
            .arg(server.data())
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        server.go();
        Some(server)
    }

    fn password_file(&self) -> PathBuf {
        let file = self.folder.join("password");
        std::fs::write(&file, "pass-canary").unwrap();
        let open = Command::new("chmod").arg("644").arg(&file).status();
        assert!(open.unwrap().success());
        file
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of PostgreSQL's, as a user that it runs as.
    fn command(&self, name: &str) -> Command {
        let program = self.binaries.join(name);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        command.arg(program);
        command
    }

    /// Starts it, or starts it again.
    pub(crate) fn go(&mut self) {
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", self.folder.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let began = Instant::now();
        while self.query("SELECT 1").is_none() {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not run");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once, as a crash of its machine would.
    pub(crate) fn crash(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let told = Command::new("kill")
            .args(["-QUIT", &child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        child.wait().unwrap();
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://waypost:pass-canary@127.0.0.1:{}/postgres",
            self.port
        )
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The rows of a query; `None` where it does not run, or the table is not there yet.
    pub(crate) fn query(&self, text: &str) -> Option<Vec<Row>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let url = format!("{}?connect_timeout=5", self.url());
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.ok()?;
            tokio::spawn(connection);
            client.query(text, &[]).await.ok()
        })
    }

    /// One number.
    pub(crate) fn number(&self, text: &str) -> i64 {
        self.query(text).map_or(-1, |rows| rows[0].get(0))
    }

    /// Waits until a query gives this number.
    pub(crate) fn until(&self, text: &str, wanted: i64) {
        let began = Instant::now();
        loop {
            let found = self.number(text);
            if found == wanted {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{text}: {found}, not {wanted}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Has the proxy of this folder send its rows there.
pub(crate) fn configure(folder: &Path, url: &str) {
    let file = folder.join("waypost.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}\n[ledger]\npostgres = \"{url}\"\n")).unwrap();
}
