//! Models are registered, watched and put in force, the same on both databases.

use doorbuster::{
    base::{Clock, ManualClock, Timestamp},
    fraud::{
        Bench as Judges,
        memory::Memory,
        models::{
            Follower, GateTerms, ModelState, Models, ModelsRefused, OpenMemory, Promoted, Wish,
        },
        policy::Policy,
        serving::{Serving, bundled},
        velocity::InProcessVelocity,
    },
};
use std::{sync::Arc, time::Duration};

use crate::support::{bench::Bench, models};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn serving() -> Serving {
    Serving::configured(None).expect("the bundled model")
}

/// Opens memories that are whole, in this process.
fn memories() -> OpenMemory {
    Box::new(|set| {
        let local = InProcessVelocity::new(set.remembered.clone(), 1_000);
        Ok(Arc::new(Memory::new(set.clone(), local, None, Timestamp::from_micros(0))))
    })
}

// breaks: let `Gate::judge` lack nothing
async fn a_model_is_watched_then_live_then_taken_back(bench: Bench) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let open = |people| {
        let models = Models::new(bench.database.clone(), "nowhere".into(), clock.clone());
        Arc::new(models.with_gate(GateTerms { orders: 0, people, ..GateTerms::default() }))
    };
    let (registry, serving) = (open(1), serving());
    let local = InProcessVelocity::new(serving.layout.clone(), 1_000);
    let judges =
        Arc::new(Judges::new(serving.clone(), local, None, Policy::default(), clock.clone()));
    let configured = serving.version().map(str::to_owned);
    let follower = Follower::new(open(1), judges.clone(), memories());
    assert!(!follower.follow().await.expect("follows"), "nothing was changed");
    for (name, share) in [("one", 0.001), ("two", 0.002)] {
        let bundle = models::bundle(bundled::SCHEMA, share);
        let row = registry.add(&bundle, name, "ada").await.expect("added");
        assert_eq!(row.state, ModelState::Candidate);
        registry.add(&bundle, name, "ada").await.expect("the same again");
        clock.advance(DAY);
    }
    let other = registry.add(&models::bundle(bundled::SCHEMA, 0.5), "two", "ada").await;
    assert!(matches!(other, Err(ModelsRefused::Taken(_))));
    let wish = Wish { by: "ada", reason: "it is better", waived: false };
    let promote = async |name: &str| registry.promote(name, wish).await;
    let serves = async || {
        follower.follow().await.expect("follows");
        let serving = judges.serving();
        (serving.version().map(str::to_owned), serving.challenger().map(str::to_owned))
    };
    let some = |name: &str| Some(name.to_owned());
    let lacking = promote("one").await.expect_err("nobody has watched it").to_string();
    assert!(lacking.contains("not watched") && lacking.contains("override"), "{lacking}");
    registry.watch("one", ("ada", "")).await.expect("watched");
    registry.watch("one", ("ada", "")).await.expect("watched already");
    assert_eq!(serves().await, (configured.clone(), some("one")));
    let lacking = promote("one").await.expect_err("too soon").to_string();
    assert!(lacking.contains("0 of 7 days"), "{lacking}");
    clock.advance(DAY * 7);
    promote("one").await.expect("live");
    assert_eq!(serves().await, (some("one"), None));
    registry.watch("two", ("ada", "")).await.expect("watched");
    registry.unwatch("two", ("ada", "too slow")).await.expect("no longer");
    assert!(registry.unwatch("two", ("ada", "")).await.is_err());
    let hurry = Wish { waived: true, reason: "", ..wish };
    assert!(matches!(registry.promote("two", hurry).await, Err(ModelsRefused::NoReason)));
    let hurry = Wish { reason: "an attack that the old one lets through", ..hurry };
    registry.promote("two", hurry).await.expect("live");
    assert_eq!(serves().await, (some("two"), None));
    let last = registry.changes("two").await.expect("reads").remove(0);
    assert_eq!((last.to, last.by.as_str()), (ModelState::Live, "ada"));
    assert_eq!(last.reason, "an attack that the old one lets through");
    assert_eq!(last.evidence.expect("what was known")["override"], true);
    assert!(matches!(promote("two").await, Err(ModelsRefused::IsLive(_))));
    assert!(matches!(promote("three").await, Err(ModelsRefused::NoSuchModel(_))));
    let back = registry.rollback(("ada", "")).await.expect("goes back").expect("a live one");
    assert_eq!((back.version.as_str(), back.state), ("one", ModelState::Live));
    assert_eq!(serves().await, (some("one"), None));
    let rows = registry.list().await.expect("lists");
    assert_eq!(rows[0].state, ModelState::Retired, "{rows:?}");
    bench
        .by_hand("update model_files set body = 'AAAA' where version = 'two'")
        .await
        .expect("hand");
    assert!(matches!(registry.watch("two", ("ada", "")).await, Err(ModelsRefused::Files { .. })));
}

// breaks: let `approve` take the one who asked
async fn two_people_have_to_want_a_model_to_go_live(bench: Bench) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let models = Models::new(bench.database.clone(), "nowhere".into(), clock.clone());
    let terms = GateTerms { days: 0, orders: 0, ..GateTerms::default() };
    let registry = models.with_gate(terms);
    registry.add(&models::bundle(bundled::SCHEMA, 0.001), "one", "ada").await.expect("added");
    registry.watch("one", ("ada", "")).await.expect("watched");
    let wish = Wish { by: "ada", reason: "it is better", waived: false };
    let approve = async |by: &str| registry.approve("one", by).await;
    assert!(matches!(approve("grace").await, Err(ModelsRefused::NotAsked(_))));
    let nobody = registry.promote("one", Wish { by: "anonymous", ..wish }).await;
    assert!(matches!(nobody, Err(ModelsRefused::Nobody)));
    let asked = registry.promote("one", wish).await.expect("asked");
    assert!(matches!(asked, Promoted::Asked(..)));
    assert!(matches!(approve("ada").await, Err(ModelsRefused::SamePerson)));
    assert!(matches!(approve("anonymous").await, Err(ModelsRefused::Nobody)));
    clock.advance(DAY * 8);
    assert!(matches!(approve("grace").await, Err(ModelsRefused::NotAsked(_))), "a week ago");
    registry.promote("one", wish).await.expect("asked again");
    assert_eq!(approve("grace").await.expect("live").state, ModelState::Live);
    let last = registry.changes("one").await.expect("reads").remove(0);
    assert_eq!((last.by.as_str(), last.approved_by.as_deref()), ("ada", Some("grace")));
    assert_eq!(registry.request("one").await.expect("reads"), None, "it was answered");
}

// breaks: let `with_live` count anew for the same model
async fn watching_a_model_leaves_the_live_ones_drift_as_it_was_counted(bench: Bench) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let open = || Models::new(bench.database.clone(), "nowhere".into(), clock.clone());
    let serving = serving();
    let local = InProcessVelocity::new(serving.layout.clone(), 1_000);
    let judges =
        Arc::new(Judges::new(serving.clone(), local, None, Policy::default(), clock.clone()));
    let follower = Follower::new(Arc::new(open()), judges.clone(), memories());
    let unknown = vec![-1.0; serving.layout.features.len()];
    judges.serving().note(clock.now(), &unknown, Some(500));
    let counted = || judges.drift().map(|reading| reading.orders);
    assert_eq!(counted(), Some(1));
    let registry = open();
    registry.add(&models::bundle(bundled::SCHEMA, 0.001), "one", "ada").await.expect("added");
    registry.watch("one", ("ada", "")).await.expect("watched");
    assert!(follower.follow().await.expect("follows"));
    assert_eq!(counted(), Some(1), "and so do those who watch it no longer");
    registry.unwatch("one", ("ada", "")).await.expect("no longer");
    assert!(follower.follow().await.expect("follows"));
    assert_eq!(counted(), Some(1));
}

macro_rules! on_both {
    ($($scenario:ident $sqlite:ident $postgres:ident;)*) => {$(
        #[tokio::test]
        async fn $sqlite() {
            $scenario(Bench::sqlite().await).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $scenario(Bench::postgres().await).await;
        }
    )*};
}

on_both! {
    a_model_is_watched_then_live_then_taken_back models_on_sqlite models_on_postgres;
    two_people_have_to_want_a_model_to_go_live people_on_sqlite people_on_postgres;
    watching_a_model_leaves_the_live_ones_drift_as_it_was_counted drift_on_sqlite drift_on_postgres;
}
