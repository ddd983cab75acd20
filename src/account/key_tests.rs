//! Hashes are known again and say nothing; what is made from a key is never more than the key.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::*;

#[test]
fn a_hash_is_that_of_the_standard_and_is_read_again() {
    let hash = Hash::of("abc");
    let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hash.to_string(), text);
    assert_eq!(Hash::parse(text), Some(hash));
    assert!(hash.is(&Hash::parse(text).unwrap()) && !hash.is(&Hash::of("abd")));
    let digits = text.strip_prefix(MARK).unwrap();
    let signed = format!("{MARK}+a{}", digits.strip_prefix("ba").unwrap());
    let short = text.strip_suffix('d').unwrap();
    for bad in [digits, short, "sha256:", "sha256:zz", &signed] {
        assert_eq!(Hash::parse(bad), None, "{bad}");
    }
    assert_eq!(format!("{hash:?}"), "Hash(…)");
}

#[test]
fn a_secret_is_all_of_its_bits() {
    let shown = secret([0xa5; 32]);
    assert_eq!(shown, format!("wp-{}", "a5".repeat(32)));
}

#[test]
fn names_are_plain() {
    assert!(is_name("ci-2.main_x"));
    for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
        assert!(!is_name(bad), "{bad}");
    }
}

#[test]
fn a_tenant_is_only_called_for_where_the_maker_may() {
    let bound = |tenant: Option<&str>, tenants: &[&str]| Rights {
        tenant: tenant.map(str::to_owned),
        tenants: tenants.iter().map(|name| (*name).to_owned()).collect(),
        ..Rights::default()
    };
    let acme = bound(Some("acme"), &[]);
    assert_eq!(
        bound(None, &[]).within(&acme).unwrap().tenant.as_deref(),
        Some("acme")
    );
    assert_eq!(
        bound(Some("zeta"), &[]).within(&acme).unwrap_err().tenant,
        "zeta"
    );
    assert!(bound(Some("zeta"), &[]).within(&bound(None, &[])).is_err());
    assert!(
        bound(Some("zeta"), &[])
            .within(&bound(None, &[ANY]))
            .is_ok()
    );
    assert_eq!(bound(None, &[ANY]).within(&acme).unwrap().tenants, ["acme"]);
}

#[test]
fn rights_are_written_and_read() {
    let rights = Rights {
        models: vec![vec!["m".to_owned()]],
        tenants: vec![ANY.to_owned()],
        unpriced: Unpriced::Allow,
        ..Rights::default()
    };
    let text = serde_json::to_string(&rights).unwrap();
    assert_eq!(serde_json::from_str::<Rights>(&text).unwrap(), rights);
    assert!(serde_json::from_str::<Rights>("{\"more\":1}").is_err());
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn names() -> impl Strategy<Value = Vec<String>> {
    vec((0..4_usize).prop_map(|at| NAMES[at].to_owned()), 0..4)
}

fn rights() -> impl Strategy<Value = Rights> {
    let tenants = prop_oneof![names(), Just(vec![ANY.to_owned()])];
    let tenant = option::of((0..4_usize).prop_map(|at| NAMES[at].to_owned()));
    let rest = (vec(names(), 0..3), option::of(names()), any::<[bool; 2]>());
    (option::of(0..9_u64), rest, tenant, tenants).prop_map(|(expires, rest, tenant, tenants)| {
        let (models, strategies, [priced, quiet]) = rest;
        Rights {
            expires,
            models,
            strategies,
            tenant,
            tenants,
            unpriced: if priced {
                Unpriced::Refuse
            } else {
                Unpriced::Allow
            },
            metadata: if quiet { Telling::Off } else { Telling::Usual },
            ..Rights::default()
        }
    })
}

proptest! {
    /// Whatever is asked of a key that was made from another, both may do it, and it may do all that both may.
    #[test]
    fn a_made_key_may_what_both_may(own in rights(), maker in rights()) {
        let Ok(both) = own.within(&maker) else {
            let tenant = own.tenant.as_deref().unwrap();
            assert!(!maker.may_name(tenant));
            return Ok(());
        };
        for name in NAMES {
            let uses = |rights: &Rights| rights.may_use(|listed| listed == name);
            assert_eq!(uses(&both), uses(&own) && uses(&maker));
            assert_eq!(both.may_ask(name), own.may_ask(name) && maker.may_ask(name));
            assert!(!both.may_name(name) || maker.may_name(name));
        }
        for now in 0..10 {
            assert_eq!(both.holds(now), own.holds(now) && maker.holds(now));
        }
        assert!(both.tenant.is_some() || maker.tenant.is_none());
        assert!(both.unpriced == Unpriced::Refuse || maker.unpriced == Unpriced::Allow);
    }
}
