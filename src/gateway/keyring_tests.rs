//! Keys are found by their secrets, bound to all that they were made from, and refused in the same words.

use super::*;
use crate::account::{Money, Period};

const NOW: u64 = 1_795_608_000;

fn key(name: &str, from: Option<&str>, rights: Rights) -> Key {
    Key {
        name: name.to_owned(),
        hash: Hash::of(&format!("secret of {name}")),
        made_from: from.map(str::to_owned),
        rights,
    }
}

fn spending(nano: u64) -> Rights {
    let period = Period::Day;
    Rights {
        budget: Some(Budget {
            most: Money::nano(nano),
            period,
        }),
        ..Rights::default()
    }
}

fn until(expires: u64) -> Rights {
    Rights {
        expires: Some(expires),
        ..Rights::default()
    }
}

fn found(ring: &Keyring, name: &str) -> Result<Arc<Holder>, String> {
    let found = ring.caller(Some(&format!("secret of {name}")), NOW);
    found.map(Option::unwrap).map_err(|error| error.message)
}

#[test]
fn whatever_is_wrong_with_a_key_is_said_in_the_same_words() {
    let own = vec![
        key("good", None, until(NOW + 1)),
        key("old", None, until(NOW)),
    ];
    let ring = Keyring::new(Door::Keyed, own, &[]);
    assert_eq!(&*found(&ring, "good").unwrap().name, "good");
    let unknown = found(&ring, "nobody").unwrap_err();
    assert_eq!(found(&ring, "old").unwrap_err(), unknown);
    assert_eq!(
        ring.caller(None, NOW).unwrap_err().code,
        Code::InvalidApiKey
    );
    let open = Keyring::new(Door::Open, Vec::new(), &[]);
    assert!(open.caller(Some("anything"), NOW).unwrap().is_none());
}

#[test]
fn what_a_made_key_does_counts_for_its_makers_too() {
    let own = vec![
        key("root", None, spending(100)),
        key("team", Some("root"), spending(900)),
    ];
    let ring = Keyring::new(Door::Keyed, own, &[]);
    let lost = ring.hold(&[
        key("dev", Some("team"), Rights::default()),
        key("orphan", Some("gone"), Rights::default()),
        key("ring", Some("ring"), Rights::default()),
    ]);
    assert_eq!(lost, ["orphan", "ring"]);
    let dev = found(&ring, "dev").unwrap();
    let purses = ring.dues(Some(&dev), None).unwrap();
    let purses: Vec<_> = purses.iter().map(|due| &*due.purse).collect();
    assert_eq!(purses, ["key:team", "key:root"]);
    // A key that its maker no longer has ends with it.
    ring.hold(&[]);
    assert!(found(&ring, "dev").is_err() && found(&ring, "team").is_ok());
}

#[test]
fn a_stored_key_does_not_take_the_place_of_a_configured_one() {
    let ring = Keyring::new(Door::Keyed, vec![key("ci", None, spending(1))], &[]);
    let mut other = key("ci", None, Rights::default());
    other.hash = Hash::of("another secret");
    ring.hold(&[other]);
    assert!(found(&ring, "ci").unwrap().rights.budget.is_some());
    assert!(ring.caller(Some("another secret"), NOW).is_err());
}

#[test]
fn dues_are_those_of_key_tenant_and_all() {
    let tenant = Tenant {
        name: "acme".to_owned(),
        budget: spending(5).budget,
        ..Tenant::default()
    };
    let all = spending(9).budget;
    let ring = Keyring::new(
        Door::Keyed,
        vec![key("ci", None, spending(1))],
        &[Arc::new(tenant)],
    )
    .together(all, Unpriced::Refuse);
    let ci = found(&ring, "ci").unwrap();
    let named = |dues: Option<Arc<[Due]>>| {
        let dues = dues.unwrap();
        let names = dues.iter().map(|due| whose(&due.purse));
        names.collect::<Vec<_>>()
    };
    let full = ["the key 'ci'", "the tenant 'acme'", "all calls"];
    assert_eq!(named(ring.dues(Some(&ci), Some("acme"))), full);
    assert_eq!(named(ring.dues(None, Some("zeta"))), ["all calls"]);
    let open = Keyring::new(Door::Open, Vec::new(), &[]);
    assert!(open.dues(None, Some("acme")).is_none());
}
