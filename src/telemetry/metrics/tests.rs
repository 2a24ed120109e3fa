//! What is declared is what is exported, and the other way round.

use super::*;
use std::collections::BTreeSet;

fn record_everything() {
    let took = Duration::from_millis(3);
    http_request("/v1/orders", Method::Post, 201, took);
    checkout_step(Step::Place, StepOutcome::Done, took);
    hold(HoldResult::SoldOut);
    units_sold(3);
    refused(Refusal::PaymentDeclined);
    live_actors(ActorKind::Sku, 2);
    live_actors(ActorKind::Sku, 1);
    mailbox_depth(ActorKind::Cart, 4);
    admission_in_flight(5);
    admission_refused();
    connection_closed(ConnectionEnd::TooMany);
    ledger_committed(17, took);
    ledger_queue_depth(6);
    ledger_retried();
    ledger_commit_unknown();
    ledger_pool(PoolState::Busy, 2);
    redis_up(true);
    clock_offset(took);
    clock_jumped();
    swept(Swept::Keys, 9);
    sweep(false, took);
    fraud_score_psi(0.02);
    fraud_features_drifted(DriftBar::Watch, 3);
    rule_matched("stop_testers", false);
    reconciled(Settlement::Unheard);
    reconciler_pending(1);
    reconciler_fault();
    saturation(0.5);
    gateway_call("stripe", GatewayCall::Failed, took);
    gateway_open("stripe", true);
    payment_breaks(2);
}

#[test]
fn every_declared_metric_is_exported_and_no_other() {
    let exporter = install().unwrap();
    record_everything();
    exporter.upkeep();
    let text = install().unwrap().render();
    for line in [
        "http_requests_total{route=\"/v1/orders\",method=\"POST\",status_class=\"2xx\"} 1",
        "http_request_duration_seconds_bucket{route=\"/v1/orders\",method=\"POST\",le=\"0.005\"} 1",
        "checkout_steps_total{step=\"place\",outcome=\"done\"} 1",
        "holds_total{result=\"sold_out\"} 1",
        "holds_total{result=\"granted\"} 0",
        "units_sold_total 3",
        "live_actors{kind=\"sku\"} 1",
        "ledger_batch_size_bucket{le=\"16\"} 0",
        "ledger_batch_size_bucket{le=\"32\"} 1",
        "ledger_pool{state=\"busy\"} 2",
        "redis_up 1",
        "sweeper_swept_total{what=\"keys\"} 9",
        "sweeper_faults_total 1",
        "fraud_score_psi 0.02",
        "fraud_features_drifted{bar=\"0.1\"} 3",
        "saturation 0.5",
        "gateway_calls_total{gateway=\"stripe\",outcome=\"failed\"} 1",
        "gateway_breaker_open{gateway=\"stripe\"} 1",
        "payment_breaks_open 2",
    ] {
        assert!(text.lines().any(|exported| exported == line), "no line {line}\n{text}");
    }
    let words = |start: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let declared: BTreeSet<_> = DECLARED.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(words("# TYPE "), declared);
    assert_eq!(words("# HELP "), declared);
    assert!(!text.contains("quantile="), "a histogram without buckets of its own: {text}");
}

#[test]
fn names_follow_the_conventions() {
    for (name, kind, unit, help) in DECLARED {
        assert_eq!(name.ends_with("_total"), matches!(kind, Count), "{name}");
        assert_eq!(name.ends_with("_seconds"), matches!(unit, Unit::Seconds), "{name}");
        assert!(!help.ends_with('.') && help.len() > 10, "{name}: {help}");
        if let Spread(buckets) = kind {
            assert!(buckets.is_sorted(), "{name}");
        }
    }
}
