//! Hints: what is taken, what is refused, and that nothing is passed over.

use super::*;

fn read(headers: &[(&str, &str)], body: &str) -> Result<Hints, Error> {
    let body = format!(r#"{{"model":"m","messages":[{{}}]{body}}}"#);
    let request = Request::parse(body.into_bytes()).unwrap();
    Hints::read(headers.iter().copied(), &request, Unknown::Reject).map(|(hints, _)| hints)
}

#[test]
fn headers_win_over_the_body() {
    let body = r#","waypost":{"params":"strict","timeout_ms":500,"fallback":["a/b"]},"models":["m","x/y"]"#;
    let hints = read(&[("x-waypost-params", "drop")], body).unwrap();
    assert_eq!(hints.params, Mode::Drop);
    assert_eq!(hints.timeout, Some(Duration::from_millis(500)));
    assert_eq!(hints.fallback, Fallback::Models(vec!["a/b".into()]));
    let hints = read(&[], r#","models":["m","x/y"],"fallbacks":[]"#).unwrap();
    assert_eq!(hints.fallback, Fallback::Models(vec!["x/y".into()]));
    assert_eq!(
        read(&[("x-waypost-fallback", "off")], body)
            .unwrap()
            .fallback,
        Fallback::Off
    );
}

#[test]
fn nothing_is_ignored_in_silence() {
    let table = [
        (
            &[("x-waypost-tags", "a;b")][..],
            "",
            Code::InvalidValue,
            "x-waypost-tags",
        ),
        (
            &[("x-waypost-modle", "x")],
            "",
            Code::UnsupportedHint,
            "x-waypost-modle",
        ),
        (
            &[("x-waypost-params", "maybe")],
            "",
            Code::InvalidValue,
            "x-waypost-params",
        ),
        (
            &[("x-waypost-timeout-ms", "0")],
            "",
            Code::InvalidValue,
            "x-waypost-timeout-ms",
        ),
        (
            &[],
            r#","waypost":{"tags":["batch","a b"]}"#,
            Code::InvalidValue,
            "waypost.tags",
        ),
        (
            &[("x-waypost-rescue", "always")],
            "",
            Code::InvalidValue,
            "x-waypost-rescue",
        ),
        (
            &[],
            r#","waypost":{"nope":1}"#,
            Code::UnsupportedHint,
            "waypost.nope",
        ),
        (&[], r#","waypost":[]"#, Code::InvalidValue, "waypost"),
        (&[], r#","models":"a""#, Code::InvalidValue, "models"),
    ];
    for (headers, body, code, param) in table {
        let error = read(headers, body).unwrap_err();
        assert_eq!((error.code, error.param.as_deref()), (code, Some(param)));
    }
}

#[test]
fn what_is_done_for_a_stream_is_read_from_headers_and_body() {
    let body = r#","waypost":{"hedge":"off","rescue":"off","ttft_timeout_ms":500}"#;
    let hints = read(&[("x-waypost-stall-timeout-ms", "700")], body).unwrap();
    assert_eq!(
        (hints.hedge, hints.rescue),
        (Some(Hedge::Off), Some(Rescue::Off))
    );
    assert_eq!(hints.first_patience, Some(Duration::from_millis(500)));
    assert_eq!(hints.stall_patience, Some(Duration::from_millis(700)));
    let none = read(&[], "").unwrap();
    assert_eq!((none.hedge, none.rescue), (None, None));
}

#[test]
fn what_steers_the_choice_is_read_from_headers_and_body() {
    let body = r#","waypost":{"strategy":"fastest","max_cost_usd":0.02,"cost_cap_mode":"cut","only":["openai","a/b"],
        "ignore":"groq, x","seed":7,"dry_run":true,"session":"chat-1","retries":0}"#;
    let hints = read(&[("x-waypost-max-cost-usd", "0.5")], body).unwrap();
    assert_eq!(hints.strategy.as_deref(), Some("fastest"));
    assert_eq!(hints.max_cost, Money::parse("0.5"));
    assert_eq!(hints.cap_mode, Some(CapMode::Cut));
    assert_eq!(hints.only, ["openai", "a/b"]);
    assert_eq!(hints.ignore, ["groq", "x"]);
    assert_eq!((hints.seed, hints.run), (Some(7), Run::Dry));
    assert_eq!(hints.retries, Some(0));
    assert_eq!(hints.session.as_deref(), Some("chat-1"));
    let plain = read(&[("x-waypost-dry-run", "false")], body).unwrap();
    assert_eq!(
        (plain.run, plain.max_cost),
        (Run::Real, Money::parse("0.02"))
    );
}

#[test]
fn what_steers_the_choice_and_makes_no_sense_is_refused() {
    let rows = [
        ("x-waypost-max-cost-usd", "-1"),
        ("x-waypost-max-cost-usd", "cheap"),
        ("x-waypost-max-cost-usd", "1e-3"),
        ("x-waypost-max-cost-usd", "NaN"),
        ("x-waypost-cost-cap-mode", "soft"),
        ("x-waypost-only", "openai,,groq"),
        ("x-waypost-ignore", ""),
        ("x-waypost-seed", "-3"),
        ("x-waypost-dry-run", "yes"),
        ("x-waypost-session", ""),
        ("x-waypost-strategy", " "),
        ("x-waypost-retries", "11"),
        ("x-waypost-retries", "some"),
    ];
    for (name, value) in rows {
        let error = read(&[(name, value)], "").unwrap_err();
        let named = (error.code, error.param.as_deref());
        assert_eq!(named, (Code::InvalidValue, Some(name)), "{value}");
    }
}
