//! Two nodes, one PostgreSQL: every row arrives once, and each node reads the other's.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use crate::house::{Provider, Proxy, call, folder, get_by, ledger, start};
use crate::server::{Server, configure};

pub(crate) const ATTEMPTS: &str = "SELECT count(*) FROM waypost_attempts";

fn spend(folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args(["spend", "--by", "provider", "--config"])
        .arg(folder.join("waypost.toml"))
        .args(more)
        .env("XDG_STATE_HOME", folder)
        .output()
        .unwrap()
}

fn end(mut proxy: Proxy) {
    let term = Command::new("kill")
        .arg(proxy.child.id().to_string())
        .status();
    assert!(term.unwrap().success());
    assert!(proxy.child.wait().unwrap().success());
}

fn id_of(answer: &str) -> String {
    let rest = answer.split("x-request-id: ").nth(1).unwrap();
    rest.split("\r\n").next().unwrap().to_owned()
}

#[test]
fn rows_of_two_nodes_arrive_once_and_both_read_them() {
    let Some(server) = Server::start() else {
        return;
    };
    let provider = Provider::start();
    let folders = [folder(&provider), folder(&provider)];
    for folder in &folders {
        configure(folder, &server.url());
    }
    // Both find no tables and start at once.
    let proxies: Vec<Proxy> = thread::scope(|scope| {
        let starts = folders
            .each_ref()
            .map(|folder| scope.spawn(|| start(folder)));
        starts.map(|start| start.join().unwrap()).into()
    });
    let last = proxies.iter().enumerate().map(|(node, proxy)| {
        let answers = (0..50).map(|number| call(proxy.addr, &format!("n{node}-{number}")));
        let answers: Vec<(u16, String)> = answers.map(Option::unwrap).collect();
        id_of(&answers.last().unwrap().1)
    });
    let last: Vec<String> = last.collect();
    server.until(ATTEMPTS, 100);
    server.until("SELECT count(*) FROM waypost_calls", 100);
    let names = server.query("SELECT DISTINCT node FROM waypost_attempts");
    assert_eq!(names.unwrap().len(), 2);

    // Node 1 has a receipt of what node 0 did, for whoever asked node 0.
    let path = format!("/v1/receipts/{}", last[0]);
    let mine = "authorization: Bearer mine-canary\r\n";
    let (status, receipt) = get_by(proxies[1].addr, &path, mine).unwrap();
    assert_eq!(status, 200, "{receipt}");
    assert!(receipt.contains("\"model\":\"n0-49\"") && receipt.contains("\"from\":\"ledger\""));
    let another = "authorization: Bearer another\r\n";
    assert_eq!(get_by(proxies[1].addr, &path, another).unwrap().0, 404);

    let told = spend(&folders[1], &["--json"]);
    let sums: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(sums[0]["attempts"], 100, "{sums}");
    assert_eq!(sums[0]["prompt_tokens"], 1_000, "{sums}");
    assert!(told.stderr.is_empty(), "{told:?}");
    for proxy in proxies {
        end(proxy);
    }
    assert_eq!(server.number(ATTEMPTS), 100);
    let whole = server
        .query("SELECT row_to_json(a)::text FROM waypost_attempts a")
        .unwrap();
    let whole: String = whole.iter().map(|row| row.get::<_, String>(0)).collect();
    assert!(!whole.contains("canary"), "no prompt and no key is in it");
}

#[test]
fn what_was_kept_before_is_sent_as_well_and_the_same_as_here() {
    let Some(server) = Server::start() else {
        return;
    };
    let provider = Provider::start();
    let folder = folder(&provider);
    let alone = start(&folder);
    for number in 0..10 {
        call(alone.addr, &format!("before-{number}")).unwrap();
    }
    call(alone.addr, "refused-1").unwrap();
    // A name that PostgreSQL has no letter for.
    call(alone.addr, "zero-\\u0000-1").unwrap();
    end(alone);
    configure(&folder, &server.url());
    let sending = start(&folder);
    // What was refused was asked for three times.
    server.until(ATTEMPTS, 14);
    end(sending);

    let connection = waypost::store::sqlite::open_to_read(&ledger(&folder)).unwrap();
    for table in ["attempts", "calls"] {
        let mut all = connection
            .prepare(&format!("SELECT * FROM {table} ORDER BY call"))
            .unwrap();
        let columns: BTreeSet<String> = all.column_names().map(str::to_owned).collect();
        let text = format!("SELECT * FROM waypost_{table} ORDER BY call");
        let there = server.query(&text).unwrap();
        let of = there[0]
            .columns()
            .iter()
            .map(|column| column.name().to_owned());
        let of: BTreeSet<String> = of.filter(|name| name != "node").collect();
        assert_eq!(of, columns, "{table}: a column would be lost on the way");
        let mut here = all.query([]).unwrap();
        for row in &there {
            let kept = here.next().unwrap().unwrap();
            let (nano, outcome): (Option<i64>, String) = (row.get("cost"), row.get("outcome"));
            assert_eq!(kept.get::<_, Option<i64>>("cost").unwrap(), nano);
            assert_eq!(kept.get::<_, String>("outcome").unwrap(), outcome);
            let call: Vec<u8> = row.get("call");
            assert_eq!(kept.get::<_, Vec<u8>>("call").unwrap(), call);
            let model: String = kept.get("model").unwrap();
            assert_eq!(
                model.replace('\0', "\u{fffd}"),
                row.get::<_, String>("model")
            );
        }
    }
}

#[test]
fn without_postgresql_sums_are_of_this_node_and_say_so() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &server.url());
    let proxy = start(&folder);
    let id = id_of(&call(proxy.addr, "one").unwrap().1);
    server.until(ATTEMPTS, 1);
    server.crash();
    let told = spend(&folder, &["--json"]);
    let sums: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(sums[0]["attempts"], 1);
    let said = String::from_utf8(told.stderr).unwrap();
    assert!(
        said.contains("this node alone") && !said.contains("canary"),
        "{said}"
    );
    // What is here is found; of what may be elsewhere nothing is said that is not known.
    let mine = "authorization: Bearer mine-canary\r\n";
    let found = get_by(proxy.addr, &format!("/v1/receipts/{id}"), mine).unwrap();
    assert_eq!(found.0, 200);
    let other = format!("/v1/receipts/req_{}", "0".repeat(32));
    let (status, answer) = get_by(proxy.addr, &other, mine).unwrap();
    assert!(status == 503 && answer.contains("PostgreSQL"), "{answer}");
    end(proxy);
}
