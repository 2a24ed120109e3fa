//! What judges payments in a shop that a test puts together by itself.

use doorbuster::{
    base::Clock,
    fraud::{
        Bench, Fraud,
        policy::{FraudMode, Policy},
        rules::Rules,
        schema::Schema,
        serving::{Serving, bundled},
        velocity::InProcessVelocity,
    },
};
use std::{sync::Arc, time::Duration};

use crate::shop::PATIENT_JUDGE_MS;

/// Entities that a test's shop remembers.
const REMEMBERED: usize = 10_000;

/// The bundled model, as a shop starts with it, and these rules under a policy.
pub(crate) fn judge(policy: Policy, clock: &Arc<dyn Clock>, rules: &Arc<Rules>) -> Arc<Fraud> {
    let serving = Serving::configured(None).expect("the bundled model");
    let policy = Policy { deadline: Duration::from_millis(PATIENT_JUDGE_MS), ..policy };
    let bench = bench(serving, policy, clock).with_rules(rules.clone());
    Arc::new(Fraud::start(Arc::new(bench), Vec::new()))
}

/// Nobody is judged.
pub(crate) fn nobody(clock: &Arc<dyn Clock>) -> Arc<Fraud> {
    let policy = Policy { mode: FraudMode::Off, ..Policy::default() };
    Arc::new(Fraud::start(Arc::new(bench(serving(), policy, clock)), Vec::new()))
}

fn serving() -> Serving {
    let schema = Schema::parse(bundled::SCHEMA).expect("a schema");
    Serving::of(&schema).expect("it holds")
}

fn bench(serving: Serving, policy: Policy, clock: &Arc<dyn Clock>) -> Bench {
    let local = InProcessVelocity::new(serving.layout.clone(), REMEMBERED);
    Bench::new(serving, local, None, policy, clock.clone())
}
