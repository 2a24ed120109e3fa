//! Every metric, declared once: name, unit, help, buckets, labels. No other file names one.
//!
//! [`install`] makes the handles; before it, recording does nothing. A recording is one look at a
//! static and one atomic add, so hot paths may record freely; routes alone are looked up by name.

use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    marker::PhantomData,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

mod door;
mod fraud;
mod gateways;
mod http;
mod ledger;
mod outbox;

use super::labels::Label;
pub use super::labels::{
    ActorKind, ConnectionEnd, Delivered, DriftBar, GatewayCall, HoldResult, JudgedAs, JudgedOn,
    Method, Missing, PoolState, Refusal, Settlement, StatusClass, Step, StepOutcome, Swept,
    Verdict,
};
pub use door::{admission_in_flight, admission_refused, connection_closed};
pub use fraud::{
    assessed, attack_mode, fraud_challenger, fraud_degraded, fraud_features_drifted, fraud_guarded,
    fraud_latency, fraud_recalled, fraud_score_psi, review_queue, rule_matched,
};
use gateways::{GATEWAY_BREAKS, GATEWAY_CALLS, GATEWAY_DURATION, GATEWAY_OPEN};
pub use gateways::{gateway_call, gateway_open, payment_breaks};
pub use http::http_request;
use http::{HTTP_DURATION, HTTP_REQUESTS};
pub use ledger::{
    clock_jumped, clock_offset, ledger_commit_unknown, ledger_committed, ledger_judged,
    ledger_pool, ledger_queue_depth, ledger_retried, redis_up,
};
pub use outbox::{delivered, webhook_backlog};

/// Seconds from what memory answers to what a client gives up on.
const LATENCY: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Seconds of one commit: from a fast local disk to a database in trouble.
const COMMIT: &[f64] =
    &[0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1.0, 5.0];
/// Seconds of one judgement: from memory alone to a shared memory in trouble.
const JUDGING: &[f64] = &[
    0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01,
    0.02, 0.05, 0.1,
];
/// Entries in one commit: doubling, up to more than the writer takes at once.
const BATCH: &[f64] =
    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0];

/// What kind of figure a metric is.
#[derive(Clone, Copy)]
enum Kind {
    Count,
    Level,
    Spread(&'static [f64]),
}

use Kind::{Count, Level, Spread};

type Declaration = (&'static str, Kind, Unit, &'static str);

const DECLARED: &[Declaration] = &[
    (HTTP_REQUESTS, Count, Unit::Count, "Requests answered, by route, method and status class"),
    (HTTP_DURATION, Spread(LATENCY), Unit::Seconds, "From the request's head to the answer's end"),
    ("checkout_steps_total", Count, Unit::Count, "Checkout steps, by how they ended"),
    ("checkout_step_duration_seconds", Spread(LATENCY), Unit::Seconds, "Time one step took"),
    ("holds_total", Count, Unit::Count, "Holds taken, refused and given back"),
    ("units_sold_total", Count, Unit::Count, "Units in placed orders"),
    ("refusals_total", Count, Unit::Count, "Expected refusals, by reason"),
    ("live_actors", Level, Unit::Count, "Actors in memory"),
    ("mailbox_depth", Level, Unit::Count, "Messages that wait, summed over actors of a kind"),
    ("admission_in_flight", Level, Unit::Count, "Requests inside the door"),
    ("admission_refused_total", Count, Unit::Count, "Requests refused at the door: overload"),
    ("connections_closed_total", Count, Unit::Count, "Connections closed here, by reason"),
    ("ledger_batch_size", Spread(BATCH), Unit::Count, "Entries committed together"),
    ("ledger_commit_duration_seconds", Spread(COMMIT), Unit::Seconds, "From batch to durable"),
    ("ledger_queue_depth", Level, Unit::Count, "Facts that wait for the ledger writer"),
    ("ledger_retries_total", Count, Unit::Count, "Batches judged again after a conflict"),
    ("ledger_judged_total", Count, Unit::Count, "Batches, by the rows they were judged on"),
    ("ledger_unknown_commits_total", Count, Unit::Count, "Commits whose outcome had to be asked"),
    ("ledger_pool", Level, Unit::Count, "Database connections, by what they do"),
    ("redis_up", Level, Unit::Count, "1 when Redis takes writes; 0 means slower, never wrong"),
    ("clock_offset_seconds", Level, Unit::Seconds, "How far this process's clock was off"),
    ("clock_jumps_total", Count, Unit::Count, "Times this process's clock was put forward"),
    ("sweeper_swept_total", Count, Unit::Count, "Rows ended or removed by the sweeper"),
    ("sweeper_faults_total", Count, Unit::Count, "Sweeps that failed; the next one tries again"),
    ("sweeper_duration_seconds", Spread(LATENCY), Unit::Seconds, "Time one sweep took"),
    ("fraud_assessments_total", Count, Unit::Count, "Payments judged, by outcome"),
    ("fraud_degraded_total", Count, Unit::Count, "Judgements for which something was missing"),
    ("fraud_rule_matches_total", Count, Unit::Count, "Payments a rule matched, by rule and mode"),
    ("fraud_challenger_total", Count, Unit::Count, "Scores of the watched model, by verdict"),
    ("fraud_guarded_total", Count, Unit::Count, "Payments stopped as card testing"),
    ("fraud_duration_seconds", Spread(JUDGING), Unit::Seconds, "From asking to the judgement"),
    (
        "fraud_velocity_seconds",
        Spread(JUDGING),
        Unit::Seconds,
        "From asking Redis for the past to its answer",
    ),
    ("fraud_attack_mode", Level, Unit::Count, "1 while payments fail as when cards are tested"),
    ("fraud_score_psi", Level, Unit::Count, "Drift of the score since the training, last 7 days"),
    ("fraud_features_drifted", Level, Unit::Count, "Features that drifted further than a bar"),
    ("reconciler_settled_total", Count, Unit::Count, "Payment outcomes found out by asking"),
    ("reconciler_pending", Level, Unit::Count, "Payment attempts and operations still unsettled"),
    ("reconciler_faults_total", Count, Unit::Count, "Rounds that failed; the next one tries again"),
    (GATEWAY_CALLS, Count, Unit::Count, "Calls to payment gateways, by what came of them"),
    (GATEWAY_DURATION, Spread(LATENCY), Unit::Seconds, "From a call to a gateway to its answer"),
    (GATEWAY_BREAKS, Level, Unit::Count, "Payments that differ between a gateway and the ledger"),
    (GATEWAY_OPEN, Level, Unit::Count, "1 while a gateway that keeps failing is left alone"),
    ("webhook_deliveries_total", Count, Unit::Count, "Attempts to deliver, by what came of them"),
    ("webhooks_due", Level, Unit::Count, "Deliveries that will be tried"),
    ("fraud_cases_open", Level, Unit::Count, "Orders that wait for a person"),
    ("fraud_cases_overdue", Level, Unit::Count, "Those that somebody should have looked at"),
    ("fraud_cases_oldest_seconds", Level, Unit::Seconds, "How long the oldest of them waits"),
    ("webhooks_parked", Level, Unit::Count, "Deliveries given up; somebody has to look"),
    ("webhooks_oldest_seconds", Level, Unit::Seconds, "How long the oldest delivery waits"),
    ("saturation", Level, Unit::Count, "0 idle to 1 refusing: fullest of door, queue, commit"),
];

/// Handles of one metric, by the values of its label.
struct By<L, H>(Vec<H>, PhantomData<fn(L)>);

impl<L: Label, H> By<L, H> {
    fn new(make: impl Fn(&'static str, &'static str) -> H) -> Self {
        Self(L::ALL.iter().map(|value| make(L::NAME, value.text())).collect(), PhantomData)
    }

    fn of(&self, value: L) -> &H {
        &self.0[value.index()]
    }
}

fn counters<L: Label>(name: &'static str) -> By<L, Counter> {
    By::new(|label, value| counter!(name, label => value))
}

fn gauges<L: Label>(name: &'static str) -> By<L, Gauge> {
    By::new(|label, value| gauge!(name, label => value))
}

fn histograms<L: Label>(name: &'static str) -> By<L, Histogram> {
    By::new(|label, value| histogram!(name, label => value))
}

struct Meters {
    steps: Vec<By<StepOutcome, Counter>>,
    step_duration: By<Step, Histogram>,
    holds: By<HoldResult, Counter>,
    units_sold: Counter,
    refusals: By<Refusal, Counter>,
    live_actors: By<ActorKind, Gauge>,
    mailbox_depth: By<ActorKind, Gauge>,
    admission_in_flight: Gauge,
    admission_refused: Counter,
    connections_closed: By<ConnectionEnd, Counter>,
    batch_size: Histogram,
    commit_duration: Histogram,
    queue_depth: Gauge,
    retries: Counter,
    judged: By<JudgedOn, Counter>,
    unknown_commits: Counter,
    pool: By<PoolState, Gauge>,
    redis_up: Gauge,
    clock_offset: Gauge,
    clock_jumps: Counter,
    swept: By<Swept, Counter>,
    sweeper_faults: Counter,
    sweeper_duration: Histogram,
    assessed: By<JudgedAs, Counter>,
    challenger: By<Verdict, Counter>,
    degraded: By<Missing, Counter>,
    guarded: Counter,
    judging: Histogram,
    recalling: Histogram,
    attack_mode: Gauge,
    score_psi: Gauge,
    features_drifted: By<DriftBar, Gauge>,
    settled: By<Settlement, Counter>,
    reconciler_pending: Gauge,
    reconciler_faults: Counter,
    saturation: Gauge,
    delivered: By<Delivered, Counter>,
    webhooks_due: Gauge,
    cases_open: Gauge,
    cases_overdue: Gauge,
    cases_oldest: Gauge,
    webhooks_parked: Gauge,
    webhooks_oldest: Gauge,
}

impl Meters {
    fn new() -> Self {
        let steps = |step: &Step| {
            let step = step.text();
            By::new(
                |label, outcome| counter!("checkout_steps_total", "step" => step, label => outcome),
            )
        };
        Self {
            steps: Step::ALL.iter().map(steps).collect(),
            step_duration: histograms("checkout_step_duration_seconds"),
            holds: counters("holds_total"),
            units_sold: counter!("units_sold_total"),
            refusals: counters("refusals_total"),
            live_actors: gauges("live_actors"),
            mailbox_depth: gauges("mailbox_depth"),
            admission_in_flight: gauge!("admission_in_flight"),
            admission_refused: counter!("admission_refused_total"),
            connections_closed: counters("connections_closed_total"),
            batch_size: histogram!("ledger_batch_size"),
            commit_duration: histogram!("ledger_commit_duration_seconds"),
            queue_depth: gauge!("ledger_queue_depth"),
            retries: counter!("ledger_retries_total"),
            judged: counters("ledger_judged_total"),
            unknown_commits: counter!("ledger_unknown_commits_total"),
            pool: gauges("ledger_pool"),
            redis_up: gauge!("redis_up"),
            clock_offset: gauge!("clock_offset_seconds"),
            clock_jumps: counter!("clock_jumps_total"),
            swept: counters("sweeper_swept_total"),
            sweeper_faults: counter!("sweeper_faults_total"),
            sweeper_duration: histogram!("sweeper_duration_seconds"),
            assessed: counters("fraud_assessments_total"),
            challenger: counters("fraud_challenger_total"),
            degraded: counters("fraud_degraded_total"),
            guarded: counter!("fraud_guarded_total"),
            judging: histogram!("fraud_duration_seconds"),
            recalling: histogram!("fraud_velocity_seconds"),
            attack_mode: gauge!("fraud_attack_mode"),
            score_psi: gauge!("fraud_score_psi"),
            features_drifted: gauges("fraud_features_drifted"),
            settled: counters("reconciler_settled_total"),
            reconciler_pending: gauge!("reconciler_pending"),
            reconciler_faults: counter!("reconciler_faults_total"),
            saturation: gauge!("saturation"),
            delivered: counters("webhook_deliveries_total"),
            webhooks_due: gauge!("webhooks_due"),
            cases_open: gauge!("fraud_cases_open"),
            cases_overdue: gauge!("fraud_cases_overdue"),
            cases_oldest: gauge!("fraud_cases_oldest_seconds"),
            webhooks_parked: gauge!("webhooks_parked"),
            webhooks_oldest: gauge!("webhooks_oldest_seconds"),
        }
    }
}

static METERS: OnceLock<Meters> = OnceLock::new();
static EXPORTER: Mutex<Option<Exporter>> = Mutex::new(None);

/// Metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsFault {
    /// A bucket list does not hold.
    #[error("the metrics exporter refused its buckets: {0}")]
    Buckets(#[from] BuildError),
    /// Another library has set metrics up in this process.
    #[error("metrics are set up already, by somebody else")]
    Installed,
}

/// Writes metrics out.
#[derive(Clone)]
pub struct Exporter(PrometheusHandle);

impl Exporter {
    /// All metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// For routes that render by themselves.
    pub fn handle(&self) -> PrometheusHandle {
        self.0.clone()
    }

    /// Folds what histograms have collected. Call it every few seconds: between two renders they
    /// only grow.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// Sets metrics up for this process, buckets first. A second call returns the same exporter.
///
/// # Errors
/// When another library has set metrics up before.
pub fn install() -> Result<Exporter, MetricsFault> {
    let mut exporter = EXPORTER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(exporter) = &*exporter {
        return Ok(exporter.clone());
    }
    let mut builder = PrometheusBuilder::new();
    for (name, kind, ..) in DECLARED {
        if let Spread(buckets) = kind {
            builder = builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets)?;
        }
    }
    let recorder = builder.build_recorder();
    let installed = Exporter(recorder.handle());
    metrics::set_global_recorder(recorder).map_err(|_| MetricsFault::Installed)?;
    describe();
    METERS.get_or_init(Meters::new);
    Ok(exporter.insert(installed).clone())
}

fn describe() {
    for (name, kind, unit, help) in DECLARED {
        match kind {
            Count => metrics::describe_counter!(*name, *unit, *help),
            Level => metrics::describe_gauge!(*name, *unit, *help),
            Spread(_) => metrics::describe_histogram!(*name, *unit, *help),
        }
    }
}

fn record(with: impl FnOnce(&Meters)) {
    if let Some(meters) = METERS.get() {
        with(meters);
    }
}

/// A checkout step ended.
pub fn checkout_step(step: Step, outcome: StepOutcome, took: Duration) {
    record(|meters| {
        meters.steps[step.index()].of(outcome).increment(1);
        meters.step_duration.of(step).record(took);
    });
}

/// A hold was taken, refused or given back.
pub fn hold(result: HoldResult) {
    record(|meters| meters.holds.of(result).increment(1));
}

/// Units were sold.
pub fn units_sold(units: u64) {
    record(|meters| meters.units_sold.increment(units));
}

/// A caller was refused.
pub fn refused(reason: Refusal) {
    record(|meters| meters.refusals.of(reason).increment(1));
}

/// So many actors of a kind are in memory.
pub fn live_actors(kind: ActorKind, count: usize) {
    record(|meters| meters.live_actors.of(kind).set(count as f64));
}

/// So many messages wait for actors of a kind.
pub fn mailbox_depth(kind: ActorKind, depth: usize) {
    record(|meters| meters.mailbox_depth.of(kind).set(depth as f64));
}

/// The sweeper ended or removed rows.
pub fn swept(what: Swept, rows: u64) {
    record(|meters| meters.swept.of(what).increment(rows));
}

/// A sweep ended; `ok` is false when it failed.
pub fn sweep(ok: bool, took: Duration) {
    record(|meters| {
        meters.sweeper_duration.record(took);
        meters.sweeper_faults.increment(u64::from(!ok));
    });
}

/// The reconciler found an outcome out, or did not.
pub fn reconciled(result: Settlement) {
    record(|meters| meters.settled.of(result).increment(1));
}

/// So many attempts and operations are unsettled.
pub fn reconciler_pending(pending: usize) {
    record(|meters| meters.reconciler_pending.set(pending as f64));
}

/// A round of the reconciler failed.
pub fn reconciler_fault() {
    record(|meters| meters.reconciler_faults.increment(1));
}

/// How full this process is; see [`saturation`](super::saturation()).
pub fn saturation(share: f64) {
    record(|meters| meters.saturation.set(share));
}

#[cfg(test)]
mod tests;
