//! What judges payments, and those who learn for it while the service runs.

use std::{sync::Arc, time::Duration};

use crate::{
    base::{Chain, Clock},
    checkout::Checkout,
    config::Config,
    fraud::{
        Bench,
        cases::Cases,
        features::{Layout, memory::DEFAULT_LIMIT},
        history::Span,
        learning::Learner,
        links::Links,
        models::{Follower, Models},
        policy::FraudMode,
        rebuild::{REMEMBERED_SPAN, Rebuilder},
        rules::{FeatureNames, Rules},
        schema::Schema,
        search::Search,
        serving::{Serving, bundled},
        velocity::{InProcessVelocity, RedisVelocity, VelocityLimits},
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
    (rules, cases): (&Arc<Rules>, Cases),
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
    let layout = serving.layout.clone();
    let redis = open_velocity(config, &layout, limits, clock)?;
    let local = InProcessVelocity::new(layout, DEFAULT_LIMIT);
    rules.know_features(FeatureNames::of(&serving.layout));
    let policy = settings.policy(config.mode);
    let bench = Bench::new(serving, local, None, policy, clock.clone());
    let bench = bench.with_rules(rules.clone()).with_cases(cases);
    let bench = bench.with_whereabouts(Whereabouts::open(settings.ip_databases())?);
    Ok(Arc::new(match redis {
        Some(redis) => bench.with_redis(Arc::new(redis.tended())),
        None => bench,
    }))
}

fn open_velocity(
    config: &Config,
    layout: &Arc<Layout>,
    limits: VelocityLimits,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<RedisVelocity>> {
    let Some(url) = &config.storage.redis else { return Ok(None) };
    Ok(Some(RedisVelocity::new(url.expose(), layout.clone(), limits, clock.clone())?))
}

/// Who tends the memory in Redis, where there is one. An empty ledger, and a short one, is looked
/// through at once, so that the first payments are judged on the whole of the past.
async fn open_rebuilder(
    config: &Config,
    desk: &Checkout,
    cases: &Cases,
) -> anyhow::Result<Option<Arc<Rebuilder>>> {
    let bench = desk.fraud.bench();
    let patient = VelocityLimits { wait: Duration::from_secs(5), ..VelocityLimits::default() };
    let layout = bench.serving().layout.clone();
    let writer = open_velocity(config, &layout, patient, &desk.clock)?;
    let Some((redis, writer)) = bench.redis().cloned().zip(writer) else { return Ok(None) };
    let both = (bench.clone(), cases.clone());
    let rebuilder = Rebuilder::new(both, (redis, writer), desk.clock.clone(), desk.chance.clone());
    let now = desk.now();
    let past = cases.history().count(Span::of(now.minus(REMEMBERED_SPAN), now)).await?;
    if past <= AT_ONCE_MAX
        && let Err(fault) = rebuilder.round().await
    {
        tracing::warn!(%fault, "what Redis remembers of the past is looked at later: {fault}");
    }
    Ok(Some(Arc::new(rebuilder)))
}

/// Judgements that are told Redis before the service starts: some seconds' work. More are told
/// beside it.
const AT_ONCE_MAX: u64 = 10_000;

/// Judgements read at once while memory is built again.
const REMEMBERED_PAGE: u32 = 2_000;

/// Without Redis the counts of the past are this process's own: it reads them from the ledger.
async fn remember_the_past(desk: &Checkout, cases: &Cases) -> anyhow::Result<()> {
    let bench = desk.fraud.bench();
    if bench.is_shared() || bench.policy.mode == FraudMode::Off {
        return Ok(());
    }
    let since = desk.now().minus(REMEMBERED_SPAN);
    let (mut cursor, mut count) = (None, 0);
    loop {
        let page = cases.list_past(since, cursor, REMEMBERED_PAGE).await?;
        let Some(last) = page.last() else { break };
        cursor = Some(last.row.id);
        count += bench.remember(&page);
    }
    if count > 0 {
        tracing::info!(count, "remembered payments judged before");
    }
    Ok(())
}

/// The past remembered, the registry of models, and those who follow it and the labels. Both have
/// caught up when this returns, as far as Redis lets them.
pub(super) async fn open_learning(
    config: &Config,
    database: &Database,
    desk: &Arc<Checkout>,
    cases: &Cases,
) -> anyhow::Result<Learning> {
    remember_the_past(desk, cases).await?;
    let rebuilder = open_rebuilder(config, desk, cases).await?;
    let models = Models::new(database.clone(), config.models(), desk.clock.clone());
    let (models, bench) = (Arc::new(models), desk.fraud.bench());
    let follower = Arc::new(Follower::new(models.clone(), bench.clone()));
    follower.follow().await?;
    let learner = Learner::new(bench.clone(), cases.history(), desk.clock.clone());
    if let Err(fault) = learner.round().await {
        tracing::warn!(%fault, "what labels teach is learned later: {fault}");
    }
    let (links, search, clock) = (cases.links(), cases.search(), desk.clock.clone());
    Ok(Learning { models, follower, learner: Arc::new(learner), rebuilder, links, search, clock })
}

/// Those who learn while the service runs.
pub(super) struct Learning {
    pub(super) models: Arc<Models>,
    pub(super) follower: Arc<Follower>,
    pub(super) learner: Arc<Learner>,
    pub(super) rebuilder: Option<Arc<Rebuilder>>,
    pub(super) links: Links,
    pub(super) search: Search,
    pub(super) clock: Arc<dyn Clock>,
}
