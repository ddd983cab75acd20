//! Prices, read as files write them.

use super::*;

#[test]
fn rates_are_exact() {
    for (text, pico) in [
        ("1", 1_000_000),
        ("0.003", 3_000),
        ("0.000001", 1),
        ("10.50", 10_500_000),
        ("0", 0),
    ] {
        assert_eq!(Rate::parse(text), Some(Rate(pico)), "{text}");
    }
    assert_eq!(Rate(3_000).to_string(), "0.003");
    assert_eq!(Rate(12_500_000).to_string(), "12.5");
    for bad in [
        "",
        ".5",
        "-1",
        "1e3",
        "0.0000001",
        "1,5",
        "inf",
        "99999999999999999",
    ] {
        assert_eq!(Rate::parse(bad), None, "{bad}");
    }
}

#[test]
fn factors_are_on_every_rate_and_rounded_up() {
    assert_eq!(Rate::pico(1).times(Factor(11_000)), Rate::pico(2));
    assert_eq!(
        Rate::pico(u64::MAX).times(Factor(20_000)),
        Rate::pico(u64::MAX)
    );
    let text = "input = 3\noutput = 15\ncache_read = 0.3\ncache_write = { 5m = 3.75 }\naudio_input = 1\n\
        bands = [{ from = 10, input = 6, output = 30 }]\nscheduled = [{ from = \"2027-01-01\", input = 4, output = 20 }]\n\
        extra = { web_search_per_1k = 10 }\ntrust = \"high\"\nsource = \"a list\"\n\
        [peak]\nwindows = [\"01:00-04:00\"]\nweekdays = [1]\ninput = 5\noutput = 25\n";
    let price: Price = toml::from_str(text).unwrap();
    let dearer = price.times(Factor(11_000));
    let shown = |rate: Rate| rate.to_string();
    let rates = &dearer.rates;
    assert_eq!(
        [
            rates.input,
            rates.output,
            rates.cache_read.unwrap(),
            rates.cache_write["5m"],
            rates.audio_input.unwrap()
        ]
        .map(shown),
        ["3.3", "16.5", "0.33", "4.125", "1.1"]
    );
    assert_eq!(shown(dearer.bands[0].rates.output), "33");
    assert_eq!(shown(dearer.scheduled[0].rates.input), "4.4");
    assert_eq!(shown(dearer.peak.unwrap().rates.output), "27.5");
    assert_eq!(dearer.extra, price.extra);
}

#[test]
fn numbers_of_every_kind_are_read() {
    #[derive(Deserialize)]
    struct Three {
        a: Rate,
        b: Rate,
        c: Rate,
        f: Factor,
    }
    let three: Three = toml::from_str("a = 0.1\nb = 2\nc = \"0.15\"\nf = 1.6667").unwrap();
    assert_eq!(
        (three.a, three.b, three.c),
        (Rate(100_000), Rate(2_000_000), Rate(150_000))
    );
    assert_eq!(
        (three.f.as_parts(), three.f.to_string().as_str()),
        (16_667, "1.6667")
    );
    assert!(toml::from_str::<Rates>("input = -0.1\noutput = 1").is_err());
}

#[test]
fn hours_are_minutes_of_a_day() {
    let peak: Peak =
        toml::from_str("windows = [\"01:00-04:30\"]\nweekdays = [1]\ninput = 1\noutput = 2")
            .unwrap();
    assert_eq!(peak.windows, [Window { from: 60, to: 270 }]);
    assert!(
        toml::from_str::<Peak>("windows = [\"4-1\"]\nweekdays = []\ninput = 1\noutput = 2")
            .is_err()
    );
}
