//! The address of a PostgreSQL: `postgres://user:password@host:5432/database?sslmode=…`.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::SslMode;

/// How long a connection to one host may take, where the address does not say.
const CONNECT: Duration = Duration::from_secs(5);
/// After how long without a sign of life a connection is given up.
const SILENCE: Duration = Duration::from_secs(30);

const SHAPE: &str = "it looks like postgres://user:password@host:5432/database?sslmode=require; blanks, @, : and / in a \
                     password are written %20, %40, %3A and %2F";

/// Whom TLS trusts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Whom the roots vouch for, by the name of the host.
    Verified,
    /// Anyone, as plain text would do as well.
    #[default]
    Anyone,
}

/// Where it is. Its debug form has no password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postgres {
    /// What the driver is told.
    pub driver: tokio_postgres::Config,
    /// Whom TLS trusts.
    pub trust: Trust,
    /// Certificates that are trusted beside the usual roots.
    pub roots: Option<PathBuf>,
}

impl Postgres {
    /// Reads an address. What is wrong is said without it: a password may be anywhere in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("[ledger] postgres cannot be read as an address: {SHAPE}");
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(wrong());
        }
        let (place, query) = apart(text);
        let (mut kept, mut mode, mut roots) = (Vec::new(), None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", name)) => mode = Some(name),
                Some(("sslrootcert", file)) => roots = Some(plain(file)),
                _ => kept.push(pair),
            }
        }
        let (ssl, trust) = tls(mode.unwrap_or("prefer"))?;
        let address = format!("{place}?{}", kept.join("&"));
        let mut driver: tokio_postgres::Config = address.parse().map_err(|_| wrong())?;
        if driver.get_hosts().is_empty() && driver.get_hostaddrs().is_empty() {
            return Err(wrong());
        }
        driver.ssl_mode(ssl);
        quicken(&mut driver);
        Ok(Self {
            driver,
            trust,
            roots: roots.map(PathBuf::from),
        })
    }
}

/// The address without its parameters, and these.
fn apart(text: &str) -> (&str, &str) {
    let place = text.find('@').unwrap_or(0);
    let mark = text.get(place..).and_then(|rest| rest.find('?'));
    mark.and_then(|mark| Some((text.get(..place + mark)?, text.get(place + mark + 1..)?)))
        .unwrap_or((text, ""))
}

fn plain(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What a mode means. Where TLS is asked for it is also checked, or it would keep nobody out.
fn tls(mode: &str) -> Result<(SslMode, Trust), String> {
    match mode {
        "disable" => Ok((SslMode::Disable, Trust::Anyone)),
        "prefer" => Ok((SslMode::Prefer, Trust::Anyone)),
        "require" | "verify-ca" | "verify-full" => Ok((SslMode::Require, Trust::Verified)),
        _ => {
            Err("[ledger] postgres: sslmode is disable, prefer, require or verify-full".to_owned())
        }
    }
}

/// Nobody waits long for a host that is silent, unless the address says so.
fn quicken(driver: &mut tokio_postgres::Config) {
    if driver.get_connect_timeout().is_none() {
        driver.connect_timeout(CONNECT);
    }
    if driver.get_tcp_user_timeout().is_none() {
        driver.tcp_user_timeout(SILENCE);
    }
    if driver.get_application_name().is_none() {
        driver.application_name("waypost");
    }
    driver.keepalives_idle(SILENCE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Postgres {
        Postgres::parse(text).expect("an address")
    }

    #[test]
    fn modes_say_whether_tls_is_spoken_and_who_is_believed() {
        let modes = [
            ("", SslMode::Prefer, Trust::Anyone),
            ("?sslmode=disable", SslMode::Disable, Trust::Anyone),
            ("?sslmode=prefer", SslMode::Prefer, Trust::Anyone),
            ("?sslmode=require", SslMode::Require, Trust::Verified),
            ("?sslmode=verify-full", SslMode::Require, Trust::Verified),
        ];
        for (query, mode, trust) in modes {
            let read = parse(&format!("postgres://u:p@db.example/waypost{query}"));
            assert_eq!((read.driver.get_ssl_mode(), read.trust), (mode, trust));
        }
    }

    #[test]
    fn an_address_is_read_to_its_last_parameter() {
        let read = parse(
            "postgresql://u:p?%40x@db.example:6432/waypost?application_name=mine&sslrootcert=%2Fetc%2Fca.pem&sslmode=require",
        );
        assert_eq!(read.driver.get_password(), Some(b"p?@x".as_slice()));
        assert_eq!(read.driver.get_ports(), [6432]);
        assert_eq!(read.driver.get_dbname(), Some("waypost"));
        assert_eq!(read.driver.get_application_name(), Some("mine"));
        assert_eq!(read.roots, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(read.driver.get_connect_timeout(), Some(&CONNECT));
    }

    #[test]
    fn no_password_is_told() {
        let shown = format!("{:?}", parse("postgres://u:secret-canary@h/d"));
        assert!(!shown.contains("canary"), "{shown}");
        let bad = [
            "mysql://u:secret-canary@h/d",
            "host=h password=secret-canary",
            "postgres://u:secret@canary?word=x@h/d",
            "postgres://u:p@h:port-canary/d",
            "postgres://u:p@h/d?sslmode=canary",
            "postgres:///d?password=canary",
        ];
        for text in bad {
            let said = Postgres::parse(text).expect_err(text);
            assert!(
                !said.contains("canary") && said.contains("[ledger] postgres"),
                "{said}"
            );
        }
    }
}
