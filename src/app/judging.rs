//! What judges payments, and those who learn for it while the service runs.

use std::{sync::Arc, time::Duration};

use crate::{
    base::{Chain, Clock},
    checkout::{Checkout, signals_of},
    config::{Config, SecretUrl},
    fraud::{
        Bench,
        cases::Cases,
        feature_set::FeatureSet,
        features::memory::DEFAULT_LIMIT,
        learning::Learner,
        links::Links,
        memory::{Memory, Redis},
        models::{Follower, Models},
        rates::install,
        rules::{FeatureNames, Rules},
        schema::Schema,
        schemas::Schemas,
        search::Search,
        serving::{Serving, bundled},
        tend::Tender,
        velocity::{InProcessVelocity, RedisVelocity, VelocityFault, VelocityLimits},
        whereabouts::Whereabouts,
    },
    ledger::Database,
};

/// What judges payments. A model that cannot be loaded leaves payments without a score, which the
/// policy answers for; a service that does not start would sell nothing.
pub(super) fn open_fraud(
    config: &Config,
    limits: VelocityLimits,
    clock: &Arc<dyn Clock>,
    (rules, cases, database): (&Arc<Rules>, Cases, &Database),
) -> anyhow::Result<Arc<Bench>> {
    let settings = &config.fraud;
    let folder = settings.model.as_deref();
    let serving = settings.serving().or_else(|fault| {
        tracing::error!(
            ?folder,
            fault = %Chain(&fault),
            "the fraud model cannot be loaded; payments are judged without a score"
        );
        Serving::of(&Schema::parse(bundled::SCHEMA)?).map_err(anyhow::Error::from)
    })?;
    let memory = MemoryOpener::of(config, limits, clock).open(serving.set())?;
    rules.know_features(FeatureNames::of(&serving.layout));
    install(settings.rates.as_deref())?;
    let policy = settings.policy(config.mode);
    let schemas = Arc::new(Schemas::of(database.clone()));
    let bench = Bench::over(serving, memory, policy, clock.clone());
    let bench = bench.with_rules(rules.clone()).with_past(cases, schemas, signals_of);
    Ok(Arc::new(bench.with_whereabouts(Whereabouts::open(settings.ip_databases())?)))
}

/// Opens what is remembered for a set of features.
struct MemoryOpener {
    redis: Option<SecretUrl>,
    limits: VelocityLimits,
    clock: Arc<dyn Clock>,
}

impl MemoryOpener {
    fn of(config: &Config, limits: VelocityLimits, clock: &Arc<dyn Clock>) -> Self {
        Self { redis: config.storage.redis.clone(), limits, clock: clock.clone() }
    }

    /// A memory that has to be told of the past first.
    fn open(&self, set: &Arc<FeatureSet>) -> Result<Arc<Memory>, VelocityFault> {
        let layout = &set.remembered;
        let local = InProcessVelocity::new(layout.clone(), DEFAULT_LIMIT);
        let now = self.clock.now();
        let Some(url) = &self.redis else {
            return Ok(Arc::new(Memory::new(set.clone(), local.to_be_built(), None, now)));
        };
        let patient = VelocityLimits { wait: Duration::from_secs(5), ..VelocityLimits::default() };
        let open =
            |limits| RedisVelocity::new(url.expose(), layout.clone(), limits, self.clock.clone());
        let shared = Arc::new(open(self.limits)?.tended());
        let redis = Redis { shared, writer: Arc::new(open(patient)?) };
        Ok(Arc::new(Memory::new(set.clone(), local, None, now).with_redis(redis)))
    }
}

/// The registry of models and those who follow it, the memories, and the labels. All have caught up
/// when this returns, as far as Redis lets them.
pub(super) async fn open_learning(
    config: &Config,
    limits: VelocityLimits,
    database: &Database,
    (desk, cases): (&Arc<Checkout>, &Cases),
) -> anyhow::Result<Learning> {
    let (bench, clock) = (desk.fraud.bench(), desk.clock.clone());
    bench.schemas().keep(bench.serving().set(), desk.now()).await?;
    let models = Models::new(database.clone(), config.models(), clock.clone());
    let models = Arc::new(models.with_gate(config.fraud.gate()));
    let opener = MemoryOpener::of(config, limits, &clock);
    let open = Box::new(move |set: &Arc<FeatureSet>| opener.open(set));
    let follower = Arc::new(Follower::new(models.clone(), bench.clone(), open));
    follower.follow().await?;
    let tender = Arc::new(Tender::new(bench.clone(), clock.clone(), desk.chance.clone()));
    tender.start().await?;
    let learner = Learner::new(bench.clone(), cases.history(), clock.clone());
    if let Err(fault) = learner.round().await {
        tracing::warn!(%fault, "what labels teach is learned later: {fault}");
    }
    let (links, search, cases) = (cases.links(), cases.search(), cases.clone());
    let learner = Arc::new(learner);
    Ok(Learning { models, follower, learner, tender, links, search, cases, clock })
}

/// Those who learn while the service runs.
pub struct Learning {
    /// The registry of models.
    pub models: Arc<Models>,
    /// Puts in force what it says.
    pub follower: Arc<Follower>,
    /// Hands labels to the memories.
    pub learner: Arc<Learner>,
    /// Tends the memories of past payments.
    pub tender: Arc<Tender>,
    pub(super) links: Links,
    pub(super) search: Search,
    pub(super) cases: Cases,
    pub(super) clock: Arc<dyn Clock>,
}
