//! Frames under every split and every flipped byte. The writer here is the tests' own.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test may fail by overflow"
)]

use proptest::prelude::*;

use super::*;

/// A frame of text headers and a payload.
pub(crate) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    raw(&head, payload)
}

/// An event of this type.
pub(crate) fn event(kind: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frame(&headers, payload.as_bytes())
}

fn raw(head: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(head.len() + payload.len() + 16).unwrap();
    let mut out = total.to_be_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn told(pieces: &[&[u8]]) -> (Vec<String>, Result<bool, Broken>) {
    let mut framer = Framer::default();
    let mut found = Vec::new();
    for piece in pieces {
        let pushed = framer.push(piece, |frame| {
            let payload = String::from_utf8_lossy(frame.payload);
            found.push(format!("{}/{}/{payload}", frame.message, frame.kind));
            true
        });
        if let Err(broken) = pushed {
            return (found, Err(broken));
        }
    }
    (found, Ok(framer.is_within()))
}

fn three() -> Vec<u8> {
    let exception = [
        (":exception-type", "throttlingException"),
        (":message-type", "exception"),
    ];
    [
        event("messageStart", r#"{"role":"assistant"}"#),
        event("contentBlockDelta", "é"),
        frame(&exception, b"{}"),
    ]
    .concat()
}

const THREE: [&str; 3] = [
    r#"event/messageStart/{"role":"assistant"}"#,
    "event/contentBlockDelta/é",
    "exception/throttlingException/{}",
];

#[test]
fn the_published_vectors_are_read() {
    // The specification's own: an empty message, and a payload without headers.
    let empty = [
        0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff,
    ];
    let payload = [
        &[0, 0, 0, 0x1d, 0, 0, 0, 0, 0xfd, 0x52, 0x8c, 0x5a][..],
        b"{'foo':'bar'}",
        &[0xc3, 0x65, 0x39, 0x36],
    ]
    .concat();
    assert_eq!(told(&[&empty]), (vec!["//".to_owned()], Ok(false)));
    assert_eq!(told(&[&payload]).0, ["//{'foo':'bar'}"]);
}

#[test]
fn every_cut_in_two_and_byte_by_byte_gives_the_same() {
    // E-07: the prelude itself may be split.
    let bytes = three();
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(told(&single).0, THREE);
    for at in 0..=bytes.len() {
        let (left, right) = bytes.split_at(at);
        let (found, end) = told(&[left, right]);
        assert_eq!(
            (found.as_slice(), end),
            (&THREE.map(str::to_owned)[..], Ok(false)),
            "{at}"
        );
    }
}

#[test]
fn a_flipped_byte_anywhere_is_an_error() {
    let bytes = three();
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut bad = bytes.clone();
            bad[at] ^= bit;
            let (found, end) = told(&[&bad]);
            assert!(end.is_err(), "byte {at}");
            assert!(THREE.iter().zip(&found).all(|(good, found)| good == found));
            assert!(found.len() < THREE.len());
        }
    }
}

#[test]
fn headers_of_every_type_are_passed_over_and_odd_ones_refused() {
    let mut head = Vec::new();
    let values: [&[u8]; 9] = [
        &[0],
        &[1],
        &[2, 9],
        &[3, 0, 1],
        &[4, 0, 0, 0, 1],
        &[5, 0, 0, 0, 0, 0, 0, 0, 1],
        &[6, 0, 2, 7, 7],
        &[8, 0, 0, 0, 0, 0, 0, 0, 1],
        &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    for value in values {
        head.extend_from_slice(&[1, b'x']);
        head.extend_from_slice(value);
    }
    head.extend_from_slice(b"\x0d:message-type\x07\x00\x05event");
    assert_eq!(told(&[&raw(&head, b"p")]).0, ["event//p"]);
    for bad in [
        &[1, b'x', 10][..],
        &[9, b'x'],
        &[1, b'x', 7, 0, 9, b'a'],
        &[1, b'x', 7, 0, 1, 0xff],
    ] {
        assert_eq!(told(&[&raw(bad, b"")]).1, Err(Broken::Shape));
    }
}

#[test]
fn lengths_are_bounded_before_anything_is_kept() {
    let prelude = |total: u32, headers: u32| {
        let mut out = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out
    };
    assert_eq!(told(&[&prelude(0x0100_0001, 0)]).1, Err(Broken::TooLong));
    assert_eq!(told(&[&prelude(15, 0)]).1, Err(Broken::Shape));
    assert_eq!(told(&[&prelude(100, 85)]).1, Err(Broken::Shape));
    assert_eq!(
        told(&[b"{\"message\":\"no frames\"}"]).1,
        Err(Broken::Checksum)
    );
    assert_eq!(told(&[&prelude(100, 80)]).1, Ok(true));
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in proptest::collection::vec(1_usize..40, 1..40)) {
        let bytes = three();
        let mut rest = bytes.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, tail) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        prop_assert_eq!(told(&pieces).0, THREE);
    }
}
