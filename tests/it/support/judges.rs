//! What judges payments in a shop that a test puts together by itself.

use doorbuster::{
    base::Clock,
    fraud::{
        Bench, Fraud,
        model::Model,
        policy::{FraudMode, Policy},
        schema::Schema,
        serving::{Serving, Versioned, bundled},
        velocity::InProcessVelocity,
    },
};
use std::sync::Arc;

/// Entities that a test's shop remembers.
const REMEMBERED: usize = 10_000;

/// The bundled model under a policy.
pub(crate) fn judge(policy: Policy, clock: &Arc<dyn Clock>) -> Arc<Fraud> {
    let model = Arc::new(Model::from_bytes(bundled::MODEL).expect("a model"));
    let live = Versioned { version: bundled::VERSION.into(), model };
    start(serving().with_live(Some(live)).expect("its features"), policy, clock)
}

/// Nobody is judged.
pub(crate) fn nobody(clock: &Arc<dyn Clock>) -> Arc<Fraud> {
    start(serving(), Policy { mode: FraudMode::Off, ..Policy::default() }, clock)
}

fn serving() -> Serving {
    let schema = Schema::parse(bundled::SCHEMA).expect("a schema");
    Serving::of(&schema).expect("it holds")
}

fn start(serving: Serving, policy: Policy, clock: &Arc<dyn Clock>) -> Arc<Fraud> {
    let local = InProcessVelocity::new(serving.layout.clone(), REMEMBERED);
    let bench = Bench::new(serving, local, None, policy, clock.clone());
    Arc::new(Fraud::start(Arc::new(bench), Vec::new()))
}
