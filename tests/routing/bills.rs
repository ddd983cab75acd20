//! Whatever prices, prompts, limits, modes and failures: what providers bill for a call stays within its cap.
//!
//! The providers here are as dear as they can be: each byte of a prompt is a token, each answer is as long as its limit
//! lets it be, and an attempt that fails is billed as if it had been answered, unless nothing was done for it.

use std::fmt::Write as _;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config as Cases, TestRunner};
use serde_json::{Value, json};
use waypost::app::{App, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, End, Exchange, Play};

use crate::support::{self, Reply};
use crate::world::{CHAT, answer, overloaded};

const CAP: &str = "x-waypost-max-cost-usd";
const MODES: [&str; 3] = ["clamp", "reject", "cut"];

/// How many providers there are, each with one model of its own price.
const PROVIDERS: usize = 12;
/// What none of them goes beyond, where no limit is said.
const MAX_OUTPUT: u64 = 20_000;
/// Tokens that a provider puts round a prompt, and round each message.
const ROUND: u64 = 300;

/// Pico-dollars for a token of input and of output.
type Rates = (u64, u64);

/// What a provider does with a call.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answers,
    Breaks,
    Babbles,
    Stops,
    HangsUp,
    Refuses,
    IsFull,
}

impl Does {
    const ALL: [Self; 7] = [
        Self::Answers,
        Self::Breaks,
        Self::Babbles,
        Self::Stops,
        Self::HangsUp,
        Self::Refuses,
        Self::IsFull,
    ];

    fn play(self) -> Play {
        match self {
            Self::Answers => answer().into(),
            Self::Breaks => Answer::json(500, r#"{"error":{"message":"Broken."}}"#).into(),
            Self::Babbles => Answer::json(200, "{}").into(),
            Self::Stops => answer().cut(1, End::Reset).into(),
            Self::HangsUp => Play::close(),
            Self::Refuses => overloaded().into(),
            Self::IsFull => Answer::json(429, r#"{"error":{"message":"Slowly."}}"#).into(),
        }
    }

    /// Whether it may have worked for the call.
    const fn bills(self) -> bool {
        !matches!(self, Self::Refuses | Self::IsFull)
    }
}

/// One call.
#[derive(Clone, Debug)]
struct Case {
    /// Whom it names, in order.
    named: Vec<usize>,
    /// Or whether a strategy chooses.
    open: bool,
    does: Vec<Does>,
    prompt: String,
    limit: Option<u64>,
    choices: u64,
    /// The cap in nano-dollars.
    cap: u64,
    mode: &'static str,
    /// How often each target is asked again; mostly not, as that takes time.
    retries: &'static str,
}

fn cases() -> impl Strategy<Value = Case> {
    let prompt =
        ("[a-z \u{e4}\u{4eca}]{0,40}", 1_usize..60).prop_map(|(word, times)| word.repeat(times));
    let named = vec(0..PROVIDERS, 1..5);
    let does = vec(select(&Does::ALL[..]), PROVIDERS);
    let limit = proptest::option::of(1_u64..30_000);
    // From a ten-thousandth of a cent to ten dollars, evenly by magnitude.
    let cap = (0_u32..7, 1_u64..10).prop_map(|(zeros, digit)| digit * 1_000 * 10_u64.pow(zeros));
    let asked = (named, any::<bool>(), does, prompt);
    let retries = prop_oneof![24 => Just("0"), 1 => Just("2")];
    let limits = (limit, 1_u64..4, cap, select(&MODES[..]), retries);
    (asked, limits).prop_map(
        |((named, open, does, prompt), (limit, choices, cap, mode, retries))| Case {
            named,
            open,
            does,
            prompt,
            limit,
            choices,
            cap,
            mode,
            retries,
        },
    )
}

impl Case {
    fn body(&self) -> Value {
        let model = if self.open {
            "auto".to_owned()
        } else {
            model(self.named[0])
        };
        let mut body = json!({"model": model, "n": self.choices,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": self.prompt}]});
        if let Some(limit) = self.limit {
            body["max_completion_tokens"] = json!(limit);
        }
        body
    }

    async fn send(&self, app: &App, cap: u64) -> Reply {
        let cap = dollars(cap);
        let list: Vec<String> = self.named.iter().skip(1).map(|at| model(*at)).collect();
        let list = list.join(",");
        let mut headers = vec![
            (CAP, cap.as_str()),
            ("x-waypost-cost-cap-mode", self.mode),
            ("x-waypost-retries", self.retries),
        ];
        if !self.open && !list.is_empty() {
            headers.push(("x-waypost-fallback", &list));
        }
        support::post(app.addr(), CHAT, &headers, &self.body()).await
    }

    /// What all attempts are billed, in pico-dollars.
    fn bill(&self, app: &App, from: usize, rates: &[Rates]) -> u128 {
        let seen = app.replay().unwrap().seen();
        let bills = seen.iter().skip(from).map(|attempt| {
            let at: usize = attempt.provider[1..].parse().unwrap();
            if !self.does[at].bills() {
                return 0;
            }
            let body = attempt.json();
            let texts = body["messages"].as_array().unwrap().iter();
            let texts = texts.map(|message| message["content"].as_str().unwrap().len() as u64 + 8);
            let limit = crate::world::limit(&body)
                .unwrap_or(MAX_OUTPUT)
                .min(MAX_OUTPUT);
            let (input, output) = rates[at];
            u128::from(input) * u128::from(texts.sum::<u64>() + ROUND)
                + u128::from(output) * u128::from(limit * body["n"].as_u64().unwrap_or(1))
        });
        bills.sum()
    }
}

fn model(at: usize) -> String {
    format!("p{at}/m{at}")
}

/// Nano-dollars as a decimal.
fn dollars(nano: u64) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

/// Nano-dollars of the decimal that a message names.
fn named_bound(message: &str) -> u64 {
    let (_, after) = message.split_once("worst case is $").unwrap();
    let (whole, parts) = after.split_once(['.', ' ']).unwrap();
    let parts: String = parts.chars().take_while(char::is_ascii_digit).collect();
    format!("{whole}{parts:0<9}").parse().unwrap()
}

/// Prices from nothing to a thousand dollars per million tokens.
fn prices(runner: &mut TestRunner) -> Vec<Rates> {
    let rate = (0_u32..7, 0_u64..1_000).prop_map(|(zeros, digits)| digits * 10_u64.pow(zeros));
    let all = vec((rate.clone(), rate), PROVIDERS);
    proptest::strategy::ValueTree::current(&all.new_tree(runner).unwrap())
}

async fn dear_house(rates: &[Rates]) -> App {
    let mut text = String::new();
    for (at, (input, output)) in rates.iter().enumerate() {
        let perm = |pico: &u64| format!("{}.{:06}", pico / 1_000_000, pico % 1_000_000);
        write!(
            text,
            "[providers.p{at}]\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\napi_key = \"k\"\n\
             [[models]]\nid = \"{}\"\nprice = {{ input = {}, output = {} }}\ncontext = 200000\n\
             max_output = {MAX_OUTPUT}\ncaps = {{ n = true }}\n",
            model(at),
            perm(input),
            perm(output)
        )
        .unwrap();
    }
    let config = Config::parse(&text, Path::new("waypost.toml"), &|_| None).unwrap();
    let all = (0..PROVIDERS).map(|at| Exchange::any(format!("p{at}"), answer()));
    support::app_in(all.collect(), config, Setting::default()).await
}

/// 200 calls; `WAYPOST_CASES` for as many as one likes.
#[test]
fn what_is_billed_stays_within_the_cap() {
    let count = std::env::var_os("WAYPOST_CASES");
    let count: u32 = count
        .and_then(|count| count.to_str()?.parse().ok())
        .unwrap_or(200);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (mut paid, mut refused) = (0, 0);
    for _ in 0..8 {
        let mut runner = TestRunner::new(Cases {
            failure_persistence: None,
            ..Cases::with_cases(count.div_ceil(8))
        });
        let rates = prices(&mut runner);
        let app = runtime.block_on(dear_house(&rates));
        let tally = std::cell::Cell::new((0, 0));
        runner
            .run(&cases(), |case| {
                let unfit = runtime.block_on(holds(&app, &rates, &case));
                let (fit, not) = tally.get();
                tally.set(if unfit {
                    (fit, not + 1)
                } else {
                    (fit + 1, not)
                });
                Ok(())
            })
            .unwrap();
        (paid, refused) = (paid + tally.get().0, refused + tally.get().1);
        runtime.block_on(app.stop());
    }
    let some = count / 10;
    assert!(
        paid > some && refused > some,
        "{paid} went, {refused} did not"
    );
}

/// Sends one call; says whether it was refused for its cap.
async fn holds(app: &App, rates: &[Rates], case: &Case) -> bool {
    let replay = app.replay().unwrap();
    let plays = case.does.iter().enumerate();
    replay.set(plays.map(|(at, does)| Exchange::any(format!("p{at}"), does.play())));
    let before = replay.seen().len();
    let reply = case.send(app, case.cap).await;
    let bill = case.bill(app, before, rates);
    let told = reply.text();
    assert!(
        bill <= u128::from(case.cap) * 1_000,
        "{bill} pico-dollars are above the cap: {rates:?} {told}"
    );
    let sent = replay.seen().len() > before;
    if reply.status != 402 {
        return false;
    }
    let error = reply.json()["error"].clone();
    assert_eq!(error["code"], "max_cost_unreachable", "{told}");
    if sent {
        // An earlier attempt may have cost what is not there for the next.
        return false;
    }
    let bound = named_bound(error["message"].as_str().unwrap());
    assert!(bound > case.cap, "{told}");
    let less = case.send(app, bound - 1).await;
    assert_eq!(
        less.status, 402,
        "less than the cheapest bound will do: {told}"
    );
    let enough = case.send(app, bound).await;
    assert!(
        enough.status != 402 || replay.seen().len() > before,
        "{told} {}",
        enough.text()
    );
    true
}
