//! Who may come in while it is crowded: no storefront keeps the others out.
//!
//! Alone, a caller may have every place. Once it is full, each has a fair share, the places divided
//! by those who have any: whoever has less than that may still come in, to an eighth more in all,
//! and whoever has as much is refused until places are free again. So a flood gives way as its own
//! requests end, and those beside it need not wait for that.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One in so many places is kept for callers who have less than their share. Small: it is load
/// beyond the limit that the operator chose.
const RESERVE: usize = 8;

/// Counts the requests inside, so that no more come in than can be finished. Remembers a caller
/// only while it has a place: there are never more of them than places.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    each: HashMap<Arc<str>, usize>,
}

impl Inside {
    /// Whether one more of this caller may come in.
    fn admits(&self, caller: &str, places: usize) -> bool {
        if self.all < places {
            return true;
        }
        let theirs = self.each.get(caller).copied();
        let callers = self.each.len() + usize::from(theirs.is_none());
        let share = (places / callers.max(1)).max(1);
        theirs.unwrap_or(0) < share && self.all < places + places.div_ceil(RESERVE)
    }
}

impl Gate {
    /// A place inside, unless it is full or this caller has had its share.
    pub fn enter(self: &Arc<Self>, caller: &Arc<str>, places: usize) -> Option<Place> {
        let mut inside = self.lock();
        if !inside.admits(caller, places) {
            return None;
        }
        inside.all += 1;
        *inside.each.entry(Arc::clone(caller)).or_default() += 1;
        Some(Place { gate: Arc::clone(self), caller: Arc::clone(caller) })
    }

    /// Whether this caller would be let in now.
    pub fn would_admit(&self, caller: &str, places: usize) -> bool {
        self.lock().admits(caller, places)
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Held for a few additions, which do not panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place inside; given back when dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    caller: Arc<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.gate.lock();
        inside.all -= 1;
        if let Some(theirs) = inside.each.get_mut(&self.caller) {
            *theirs -= 1;
            if *theirs == 0 {
                inside.each.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(count: usize) -> Vec<Arc<str>> {
        (0..count).map(|number| format!("key_{number}").into()).collect()
    }

    /// Lets as many in as may.
    fn flood(gate: &Arc<Gate>, caller: &Arc<str>, places: usize) -> Vec<Place> {
        std::iter::from_fn(|| gate.enter(caller, places)).collect()
    }

    #[test]
    fn alone_a_caller_may_have_every_place_and_no_more() {
        let (gate, names) = (Arc::new(Gate::default()), names(1));
        let places = flood(&gate, &names[0], 16);
        assert_eq!((places.len(), gate.inside()), (16, 16));
        assert!(!gate.would_admit(&names[0], 16));
        drop(places);
        assert_eq!(gate.inside(), 0);
        assert!(gate.would_admit(&names[0], 16) && gate.lock().each.is_empty());
    }

    #[test]
    fn a_flood_gives_way_to_others_and_takes_back_what_they_leave() {
        let (gate, names) = (Arc::new(Gate::default()), names(2));
        let (flood_er, other) = (&names[0], &names[1]);
        let mut floods = flood(&gate, flood_er, 16);
        let mut others = flood(&gate, other, 16);
        assert_eq!(others.len(), 2, "an eighth more at once");
        for _ in 0..100 {
            floods.pop();
            floods.extend(flood(&gate, flood_er, 16));
            others.extend(flood(&gate, other, 16));
        }
        assert_eq!((floods.len(), others.len()), (8, 8), "half each");
        others.clear();
        floods.extend(flood(&gate, flood_er, 16));
        assert_eq!(floods.len(), 16);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Comes(usize),
        Goes(usize),
    }

    proptest! {
        /// Whoever comes and goes: never more than the limit and its eighth, no caller below its
        /// share is refused while the eighth is free, none is remembered without a place.
        #[test]
        fn no_caller_keeps_the_others_out(
            places in 1_usize..40,
            steps in prop::collection::vec(
                prop_oneof![
                    3 => (0_usize..5).prop_map(Step::Comes),
                    2 => (0_usize..100).prop_map(Step::Goes),
                ],
                1..400,
            ),
        ) {
            let (gate, names) = (Arc::new(Gate::default()), names(5));
            let most = places + places.div_ceil(RESERVE);
            let mut inside: Vec<(usize, Place)> = Vec::new();
            for step in steps {
                match step {
                    Step::Goes(at) if !inside.is_empty() => {
                        inside.swap_remove(at % inside.len());
                    }
                    Step::Goes(_) => {}
                    Step::Comes(who) => {
                        let theirs = inside.iter().filter(|(other, _)| *other == who).count();
                        let mut callers: Vec<_> = inside.iter().map(|(other, _)| *other).collect();
                        callers.push(who);
                        callers.sort_unstable();
                        callers.dedup();
                        let below = theirs < (places / callers.len()).max(1);
                        let room = inside.len() < places || below && inside.len() < most;
                        let place = gate.enter(&names[who], places);
                        prop_assert_eq!(place.is_some(), room);
                        inside.extend(place.map(|place| (who, place)));
                    }
                }
                prop_assert!(inside.len() <= most);
                prop_assert_eq!(gate.inside(), inside.len());
                let holders: std::collections::HashSet<_> =
                    inside.iter().map(|(who, _)| *who).collect();
                prop_assert_eq!(gate.lock().each.len(), holders.len());
            }
        }
    }
}
