//! What was done under a key is known after a crash: it is never done twice.

use crate::house::{Provider, call_by, folder, start};

const KEY: &str = "idempotency-key: order-1\r\n";

#[test]
fn a_key_outlives_the_process_and_its_answer_does_not() {
    let provider = Provider::start();
    let folder = folder(&provider);
    let mut proxy = start(&folder);
    let by = |addr, model, line: &str| call_by(addr, model, line).unwrap();
    assert_eq!(by(proxy.addr, "fine", KEY).0, 200);
    assert_eq!(by(proxy.addr, "fine", KEY).0, 200);
    assert_eq!(provider.seen(), ["fine"]);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();

    let mut again = start(&folder);
    let (status, said) = by(again.addr, "fine", KEY);
    assert_eq!(status, 409, "{said}");
    assert!(
        said.contains("idempotency_result_lost") && said.contains("x-should-retry: false"),
        "{said}"
    );
    let (status, said) = by(again.addr, "another", KEY);
    assert_eq!(status, 422, "{said}");
    assert!(said.contains("idempotency_key_reused"), "{said}");
    assert_eq!(provider.seen(), ["fine"], "nothing was sent again");
    // Other hints are another request; a new key is a call of its own.
    let theirs = KEY.to_owned() + "x-waypost-ignore: nobody\r\n";
    assert_eq!(by(again.addr, "another", &theirs).0, 422);
    assert_eq!(
        by(again.addr, "another", "idempotency-key: order-2\r\n").0,
        200
    );
    assert_eq!(provider.seen(), ["fine", "another"]);
    again.child.kill().unwrap();
    again.child.wait().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
