//! Seeds, each played twice.

use super::{chaos::Run, run, sabotage::Sabotage};
use crate::shop::full;

/// Seeds of one test, of several that run side by side.
fn seeds() -> u64 {
    if full() { 5000 } else { 500 }
}

#[track_caller]
fn assert_keeps_every_promise(from: u64) {
    for seed in from..from + seeds() {
        let first = run(seed, None, false);
        let second = run(seed, None, false);
        let same = first.hash == second.hash && first.events == second.events;
        assert!(same, "seed {seed} does not play the same twice: {first:?}, {second:?}");
        assert!(first.wrong.is_empty(), "seed {seed}: {:#?}", first.wrong);
    }
}

#[test]
fn seeds_of_the_first_part_keep_every_promise() {
    assert_keeps_every_promise(0);
}

#[test]
fn many() {
    let from: u64 = std::env::var("SEED").map_or(0, |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("COUNT").map_or(50, |seed| seed.parse().unwrap());
    let mut bad = Vec::new();
    let mut events = 0;
    let sab = [
        Sabotage::ConsumeFromClosed,
        Sabotage::ExpirePinned,
        Sabotage::AnswerEarly,
        Sabotage::FenceInOneStatement,
        Sabotage::ForgetEntries,
        Sabotage::ForgetRefusals,
        Sabotage::SettleTwice,
    ];
    let sab = std::env::var("SAB").ok().map(|at| sab[at.parse::<usize>().unwrap()]);
    for seed in from..from + count {
        let first = run(seed, sab, false);
        events += first.events;
        if std::env::var_os("TWICE").is_some() {
            let second = run(seed, None, false);
            if first.hash != second.hash {
                bad.push((seed, "DIFFERS".to_owned()));
            }
        }
        if let Some(wrong) = first.wrong.first() {
            bad.push((seed, wrong.clone()));
        }
    }
    eprintln!("{count} seeds, {events} events, {} bad", bad.len());
    for bad in bad {
        eprintln!("{bad:?}");
    }
}

#[test]
fn one() {
    let seed = std::env::var("SEED").map_or(0, |seed| seed.parse().unwrap());
    #[allow(clippy::disallowed_methods)]
    let t = std::time::Instant::now();
    let Run { hash, events, wrong, log } = run(seed, None, true);
    for line in log {
        eprintln!("{line}");
    }
    eprintln!("{hash} {events} {wrong:#?} {:?}", t.elapsed());
    let _ = Sabotage::AnswerEarly;
}
