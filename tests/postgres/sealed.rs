//! TLS towards PostgreSQL, by `sslmode`.

use std::process::Command;

use crate::house::{Provider, call, folder, start};
use crate::nodes::ATTEMPTS;
use crate::server::{Server, configure};

/// Gives the server a certificate that only its own root vouches for; says where that root is.
fn seal(server: &mut Server) -> Option<String> {
    let data = server.data();
    let (key, certificate) = (data.join("server.key"), data.join("server.crt"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    let Ok(made) = made else {
        println!("SKIPPED: there is no openssl to make a certificate with");
        return None;
    };
    assert!(made.status.success(), "{made:?}");
    let owner = Command::new("chown")
        .arg(format!("--reference={}", data.join("PG_VERSION").display()))
        .args([&key, &certificate])
        .status();
    assert!(owner.unwrap().success());
    let conf = data.join("postgresql.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{text}\nssl = on\n")).unwrap();
    let hba = data.join("pg_hba.conf");
    std::fs::write(&hba, "host all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.crash();
    server.go();
    Some(certificate.display().to_string())
}

/// How many rows arrive with this address, and whether the connection they came by is sealed.
fn arrived(server: &Server, url: &str, wanted: i64) {
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, url);
    let mut proxy = start(&folder);
    assert_eq!(call(proxy.addr, "one").unwrap().0, 200);
    server.until(ATTEMPTS, wanted);
    let sealed = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'waypost' AND ssl";
    let plain = i64::from(!url.contains("disable"));
    server.until(sealed, plain);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
}

#[test]
fn tls_is_spoken_where_it_is_offered_and_checked_where_it_is_asked_for() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let Some(root) = seal(&mut server) else {
        return;
    };
    let url = format!(
        "postgres://waypost:pass-canary@localhost:{}/postgres",
        server.port()
    );
    arrived(&server, &format!("{url}?sslmode=disable"), 1);
    arrived(&server, &url, 2);
    arrived(
        &server,
        &format!("{url}?sslmode=verify-full&sslrootcert={root}"),
        3,
    );

    // Nobody vouches for it: nothing is sent, and why is in the log.
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &format!("{url}?sslmode=require"));
    let mut proxy = start(&folder);
    assert_eq!(call(proxy.addr, "one").unwrap().0, 200);
    std::thread::sleep(std::time::Duration::from_secs(1));
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    assert_eq!(server.number(ATTEMPTS), 3);
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(
        log.contains("certificate") && !log.contains("canary"),
        "{log}"
    );
}
