//! Told to stop while it starts, takes on an earlier ledger, or reloads: it ends cleanly, and the next start is as ever.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::house::{Proxy, WHOLE, free, lab, provider, whole};

/// Starts the binary and tells it to stop after so long; whether it ended by its own word, or before it could have one.
fn stopped_after(folder: &Path, wait: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args([
            "serve",
            "--config",
            "waypost.toml",
            "--listen",
            &free().to_string(),
        ])
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(wait);
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let status = child.wait().unwrap();
    // A signal that comes before anybody listens for it ends the process as it ends any.
    assert!(matches!(status.code(), Some(0) | None), "{status}");
    status.success()
}

/// What the ledger of a folder says of its form; `None` where there is none yet.
fn form(folder: &Path) -> Option<i64> {
    let path = folder.join("waypost/waypost.db");
    let ledger = path.exists().then(|| Connection::open(path).unwrap())?;
    let sound: String = ledger
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
    Some(
        ledger
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap(),
    )
}

/// Makes of a ledger what the version before left.
fn earlier(folder: &Path) -> i64 {
    let ledger = Connection::open(folder.join("waypost/waypost.db")).unwrap();
    let now: i64 = ledger
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    ledger
        .execute_batch("DROP TABLE keys; DROP TABLE swept;")
        .unwrap();
    ledger.pragma_update(None, "user_version", now - 1).unwrap();
    now
}

#[tokio::test]
async fn a_stop_while_it_starts_or_takes_on_an_earlier_ledger_is_clean() {
    let replay = provider(whole("hello")).await;
    let began = Instant::now();
    let mut proxy = Proxy::start(&lab(&replay.url("lab"))).await;
    // How long a start takes here and now: the stops come all along it.
    let start = began.elapsed();
    assert_eq!(proxy.ask(WHOLE).await.status, 200);
    proxy.signal("-TERM");
    assert!(proxy.ended().await.success());
    let folder = proxy.folder.clone();
    let (mut own_word, mut taken_on) = (0, 0);
    for round in 0..24 {
        let now = earlier(&folder);
        let wait = start * round / 8;
        let stopped = tokio::task::spawn_blocking({
            let folder = folder.clone();
            move || stopped_after(&folder, wait)
        });
        own_word += usize::from(stopped.await.unwrap());
        let form = form(&folder).unwrap();
        assert!(form == now || form == now - 1, "{form} is neither");
        taken_on += usize::from(form == now);
        if form == now - 1 {
            // What was not taken on is as it was, to the table.
            let ledger = Connection::open(folder.join("waypost/waypost.db")).unwrap();
            let half = "SELECT count(*) FROM sqlite_master WHERE name IN ('keys', 'swept')";
            let half: i64 = ledger.query_row(half, [], |row| row.get(0)).unwrap();
            assert_eq!(half, 0);
            ledger
                .execute_batch("CREATE TABLE keys (a); CREATE TABLE swept (a);")
                .unwrap();
            ledger.pragma_update(None, "user_version", now).unwrap();
        }
    }
    assert!(
        own_word > 0 && taken_on > 0,
        "{own_word} ended by themselves, {taken_on} taken on"
    );
    earlier(&folder);
    let next = Proxy::start_in(&folder, &lab(&replay.url("lab"))).await;
    assert_eq!(next.ask(WHOLE).await.status, 200);
    assert_eq!(
        next.attempts().len(),
        1,
        "what was noted before is still there"
    );
}

#[tokio::test]
async fn a_stop_while_it_reloads_is_clean() {
    let replay = provider(whole("hello")).await;
    let config = lab(&replay.url("lab"));
    for round in 0..8 {
        let mut proxy = Proxy::start(&config).await;
        assert_eq!(proxy.ask(WHOLE).await.status, 200);
        proxy.configure(&format!("{config}# {round}\n"));
        proxy.signal("-HUP");
        tokio::time::sleep(Duration::from_millis(round)).await;
        proxy.signal("-TERM");
        assert!(proxy.ended().await.success(), "{}", proxy.log());
        assert_eq!(proxy.attempts(), [("answered".to_owned(), true)]);
    }
}

/// A configuration that is huge, or names a hundred thousand models, is refused in no time.
#[test]
fn a_huge_configuration_is_refused_in_no_time() {
    let folder = std::env::temp_dir().join(format!("waypost-huge-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let many: String = "[[models]]\nid = \"lab/m\"\n".repeat(100_000);
    let many = format!("{}{many}", lab("http://127.0.0.1:9/v1"));
    std::fs::write(folder.join("many.toml"), many).unwrap();
    let huge = std::fs::File::create(folder.join("huge.toml")).unwrap();
    huge.set_len(200 << 20).unwrap();
    for (name, words) in [
        ("many.toml", "more than 4096"),
        ("huge.toml", "longer than 4 MiB"),
    ] {
        let began = Instant::now();
        let check = Command::new(env!("CARGO_BIN_EXE_waypost"))
            .args(["check", "--config", name])
            .current_dir(&folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&check.stderr) + String::from_utf8_lossy(&check.stdout);
        assert_eq!(check.status.code(), Some(78), "{said}");
        assert!(said.contains(words), "{said}");
        // A debug build on a busy machine: the bound is a second otherwise.
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
