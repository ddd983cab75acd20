//! Every figure there is, with its name, its words and its labels. Names of OpenTelemetry's conventions for generative
//! AI are used where there are some; they carry that convention's labels.

use prometheus::{
    CounterVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

/// Labels of our own figures.
const TARGET: [&str; 2] = ["provider", "model"];
/// Labels of the convention's figures.
const OTEL: [&str; 3] = [
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
];

/// All figures, shared by every configuration of a house.
#[derive(Clone, Debug)]
pub struct Figures {
    pub(super) registry: Registry,
    pub(super) calls: Calls,
    pub(super) spans: Spans,
    pub(super) states: States,
}

/// Counts.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) requests: IntCounterVec,
    pub(super) refusals: IntCounterVec,
    pub(super) attempts: IntCounterVec,
    pub(super) retries: IntCounterVec,
    pub(super) fallbacks: IntCounterVec,
    pub(super) tokens: IntCounterVec,
    pub(super) cost: CounterVec,
    pub(super) reloads: IntCounterVec,
    pub(super) spans: IntCounterVec,
    pub(super) rescues: IntCounterVec,
}

/// Times and sizes.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    pub(super) usage: HistogramVec,
    pub(super) duration: HistogramVec,
    pub(super) first: HistogramVec,
    pub(super) each: HistogramVec,
    pub(super) rate: HistogramVec,
    pub(super) overhead: Histogram,
}

/// What is so now.
#[derive(Clone, Debug)]
pub(super) struct States {
    pub(super) reload_failed: IntGauge,
    pub(super) breakers: IntGaugeVec,
    pub(super) under_way: IntGaugeVec,
    pub(super) in_flight: IntGauge,
    pub(super) queued: IntGauge,
    pub(super) connections: IntGauge,
    pub(super) bodies: IntGauge,
    pub(super) pending: IntGauge,
    pub(super) away: IntGauge,
    pub(super) tasks: IntGauge,
}

/// Whether a configuration was taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// It was.
    Done,
    /// It was not; the one before stays.
    Refused,
}

impl Figures {
    /// All figures at nothing.
    ///
    /// # Errors
    /// Where a name or a label is not one: a defect of ours, which tests rule out.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let build = gauges(&registry, "waypost_build_info", BUILD, &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            calls: Calls::new(&registry)?,
            spans: Spans::new(&registry)?,
            states: States::new(&registry)?,
            registry,
        })
    }

    /// A call was turned away at the door.
    pub fn refused(&self, code: &'static str) {
        self.calls.refusals.with_label_values(&[code]).inc();
    }

    /// So many spans were sent, or dropped.
    pub fn spans(&self, became: &'static str, count: u64) {
        self.calls.spans.with_label_values(&[became]).inc_by(count);
    }

    /// What the proxy itself took of a call.
    pub(super) fn overhead(&self, own: std::time::Duration) {
        self.spans.overhead.observe(own.as_secs_f64());
    }

    /// A configuration came.
    pub fn reloaded(&self, how: Reload) {
        let (word, failed) = match how {
            Reload::Done => ("done", 0),
            Reload::Refused => ("refused", 1),
        };
        self.calls.reloads.with_label_values(&[word]).inc();
        self.states.reload_failed.set(failed);
    }
}

impl Calls {
    fn new(all: &Registry) -> Result<Self, prometheus::Error> {
        let cost = CounterVec::new(Opts::new("waypost_cost_usd_total", COST), &TARGET)?;
        all.register(Box::new(cost.clone()))?;
        Ok(Self {
            requests: counters(all, "waypost_requests_total", REQUESTS, &with("outcome"))?,
            refusals: counters(all, "waypost_refusals_total", REFUSALS, &["code"])?,
            attempts: counters(all, "waypost_attempts_total", ATTEMPTS, &TARGET)?,
            retries: counters(all, "waypost_retries_total", RETRIES, &TARGET)?,
            fallbacks: counters(all, "waypost_fallbacks_total", FALLBACKS, &TARGET)?,
            tokens: counters(all, "waypost_tokens_total", TOKENS, &with("type"))?,
            cost,
            rescues: counters(all, "waypost_rescues_total", RESCUES, &["how", "outcome"])?,
            reloads: counters(all, "waypost_config_reloads_total", RELOADS, &["result"])?,
            spans: counters(all, "waypost_spans_total", TRACED, &["result"])?,
        })
    }
}

impl Spans {
    fn new(all: &Registry) -> Result<Self, prometheus::Error> {
        let [operation, provider, model] = OTEL;
        let usage = [operation, provider, model, "gen_ai_token_type"];
        let opts = HistogramOpts::new("waypost_overhead_seconds", OVERHEAD);
        let overhead = Histogram::with_opts(opts.buckets(OVERHEADS.to_vec()))?;
        all.register(Box::new(overhead.clone()))?;
        let (duration, first, each) = (
            "gen_ai_server_request_duration_seconds",
            "gen_ai_server_time_to_first_token_seconds",
            "gen_ai_server_time_per_output_token_seconds",
        );
        let rate = "waypost_output_tokens_per_second";
        Ok(Self {
            usage: times(all, ("gen_ai_client_token_usage", USAGE), &usage, &SIZES)?,
            duration: times(all, (duration, DURATION), &OTEL, &SECONDS)?,
            first: times(all, (first, FIRST), &OTEL, &FIRSTS)?,
            each: times(all, (each, EACH), &OTEL, &EACHES)?,
            rate: times(all, (rate, RATE), &TARGET, &RATES)?,
            overhead,
        })
    }
}

impl States {
    fn new(all: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            reload_failed: gauge(all, "waypost_config_reload_failed", FAILED)?,
            breakers: gauges(all, "waypost_breaker_state", BREAKERS, &TARGET)?,
            under_way: gauges(all, "waypost_attempts_in_flight", UNDER_WAY, &TARGET)?,
            in_flight: gauge(all, "waypost_requests_in_flight", IN_FLIGHT)?,
            queued: gauge(all, "waypost_requests_queued", QUEUED)?,
            connections: gauge(all, "waypost_connections", CONNECTIONS)?,
            bodies: gauge(all, "waypost_request_body_bytes", BODIES)?,
            pending: gauge(all, "waypost_ledger_pending", PENDING)?,
            away: gauge(all, "waypost_ledger_away", AWAY)?,
            tasks: gauge(all, "waypost_tasks", TASKS)?,
        })
    }
}

fn with(label: &'static str) -> [&'static str; 3] {
    let [provider, model] = TARGET;
    [provider, model, label]
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(counters.clone()))?;
    Ok(counters)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(gauges.clone()))?;
    Ok(gauges)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    let gauge = IntGauge::new(name, help)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

fn times(
    registry: &Registry,
    (name, help): (&str, &str),
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, prometheus::Error> {
    let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    let times = HistogramVec::new(opts, labels)?;
    registry.register(Box::new(times.clone()))?;
    Ok(times)
}

const REQUESTS: &str =
    "Calls by how they ended: answered, client_gone, repeated, or the code of the error.";
const REFUSALS: &str =
    "Calls turned away before anything was read of them, by the code of the error.";
const ATTEMPTS: &str = "Requests sent to a provider.";
const RETRIES: &str = "Requests sent to a target again within the same call.";
const FALLBACKS: &str = "Calls that went on from this target to another one.";
const RESCUES: &str = "Streams that died or fell silent, and others were asked: by how those were to carry on, and by \
                       how it ended: carried_on, not_needed, failed, client_gone.";
const TOKENS: &str =
    "Tokens as billed: input, cached_input, cache_write, output (reasoning included), reasoning.";
const COST: &str =
    "Dollars, where the price is known. For graphs: the ledger is exact to the nano-dollar.";
const USAGE: &str = "Tokens of a call, input and output.";
const DURATION: &str =
    "Seconds from the head of a request to the end of its answer, of answered calls.";
const FIRST: &str = "Seconds from the head of a request to the first event of its streamed answer.";
const EACH: &str = "Seconds per output token after the first, of streamed answers.";
const RATE: &str = "Output tokens per second after the first, of streamed answers.";
const OVERHEAD: &str =
    "Seconds that the proxy itself takes before the first request leaves for a provider.";
const RELOADS: &str = "Configurations that came while it served, done or refused.";
const TRACED: &str = "Spans for the collector: sent, or dropped.";
const FAILED: &str = "1 where the last configuration that came was refused.";
const BREAKERS: &str =
    "0 closed, 1 half open: on trial or returning, 2 open. Targets that were called.";
const UNDER_WAY: &str = "Attempts under way. Targets that were called.";
const IN_FLIGHT: &str = "Calls under way.";
const QUEUED: &str = "Calls that wait for a place.";
const CONNECTIONS: &str = "Connections of clients.";
const BODIES: &str = "Bytes of request bodies in memory.";
const PENDING: &str =
    "Places of the ledger in use: attempts without a committed row, and calls that hold one.";
const AWAY: &str = "1 where rows cannot be committed; they are kept and tried again.";
const TASKS: &str = "Tasks of the runtime that are alive.";
const BUILD: &str = "The version.";

/// Buckets of the convention.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const FIRSTS: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
const EACHES: [f64; 13] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
];
const SIZES: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// Buckets of our own.
const RATES: [f64; 12] = [
    5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0,
];
const OVERHEADS: [f64; 12] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1.0,
];
