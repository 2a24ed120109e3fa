//! Visits every state a model can reach, in the order of distance from the start.
//!
//! An explorer of our own rather than the crate `stateright`: what matters most here is that from
//! every state there is a way to a settled end, and that crate's checker, which forgets the edges
//! between states, cannot say it (its `eventually` overlooks cycles, its `sometimes` looks from the
//! start alone).

use std::{
    collections::{HashMap, HashSet},
    fmt::{Debug, Write},
    hash::{BuildHasherDefault, Hash, Hasher},
};

/// What may happen, from a start on.
pub(crate) trait Model {
    type State: Copy + Eq + Hash;
    type Step: Copy + Debug;

    fn start(&self) -> Self::State;

    /// Everything that may happen next.
    fn steps(&self, state: &Self::State, next: &mut Vec<(Self::Step, Self::State)>);

    /// What is wrong with a state.
    fn wrong(&self, state: &Self::State) -> Option<&'static str>;

    /// Whether nothing is under way any more.
    fn is_settled(&self, state: &Self::State) -> bool;
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Every reachable state is right, and a settled one can be reached from each.
    Holds { states: usize, settled: usize },
    /// The shortest way to a state that is wrong, or that never settles.
    Fails { what: &'static str, steps: Vec<String> },
    /// There are more states than were allowed for.
    TooMany,
}

/// Multiplies and rotates: states are small, and nobody attacks a test.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(23) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0.rotate_left(7) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The states found so far, and how each was first reached.
struct Found<S> {
    at: HashMap<S, u32, BuildHasherDefault<Mix>>,
    states: Vec<S>,
    from: Vec<u32>,
    edges: Vec<(u32, u32)>,
}

impl<S: Copy + Eq + Hash> Found<S> {
    fn meet(&mut self, state: S, from: u32) -> u32 {
        let next = u32::try_from(self.states.len()).expect("fewer than 2³² states");
        let at = *self.at.entry(state).or_insert(next);
        if at == next {
            self.states.push(state);
            self.from.push(from);
        }
        at
    }

    /// Those from which no settled state can be reached, the first found first.
    fn first_lost(&self, settled: impl Fn(&S) -> bool) -> Result<usize, usize> {
        let mut before = vec![Vec::new(); self.states.len()];
        for (from, to) in &self.edges {
            before[*to as usize].push(*from);
        }
        let mut saved: Vec<bool> = self.states.iter().map(settled).collect();
        let goals = saved.iter().filter(|saved| **saved).count();
        let mut open: Vec<usize> = (0..saved.len()).filter(|at| saved[*at]).collect();
        while let Some(at) = open.pop() {
            for from in &before[at] {
                if !std::mem::replace(&mut saved[*from as usize], true) {
                    open.push(*from as usize);
                }
            }
        }
        match saved.iter().position(|saved| !saved) {
            Some(lost) => Err(lost),
            None => Ok(goals),
        }
    }
}

/// Explores a model to its end, or until `at_most` states are known.
pub(crate) fn explore<M: Model>(model: &M, at_most: usize) -> Verdict {
    let mut found =
        Found { at: HashMap::default(), states: Vec::new(), from: Vec::new(), edges: Vec::new() };
    found.meet(model.start(), 0);
    let mut next = Vec::new();
    let mut at = 0;
    while at < found.states.len() {
        let state = found.states[at];
        if let Some(what) = model.wrong(&state) {
            return Verdict::Fails { what, steps: way(model, &found, at) };
        }
        if found.states.len() > at_most {
            return Verdict::TooMany;
        }
        next.clear();
        model.steps(&state, &mut next);
        let from = u32::try_from(at).expect("fewer than 2³² states");
        for (_, state) in &next {
            let to = found.meet(*state, from);
            if to != from {
                found.edges.push((from, to));
            }
        }
        at += 1;
    }
    match found.first_lost(|state| model.is_settled(state)) {
        Ok(settled) => Verdict::Holds { states: found.states.len(), settled },
        Err(lost) => Verdict::Fails { what: "it never settles", steps: way(model, &found, lost) },
    }
}

/// Whether a state like this can be reached. Goes deep first: what is far from the start is found
/// sooner.
pub(crate) fn reaches<M: Model>(
    model: &M,
    at_most: usize,
    like: impl Fn(&M::State) -> bool,
) -> bool {
    let start = model.start();
    let mut known: HashSet<M::State, BuildHasherDefault<Mix>> = HashSet::default();
    known.insert(start);
    let (mut open, mut next) = (vec![start], Vec::new());
    while let Some(state) = open.pop() {
        if like(&state) {
            return true;
        }
        assert!(known.len() <= at_most, "what is cut short tells nothing");
        model.steps(&state, &mut next);
        open.extend(next.drain(..).map(|(_, state)| state).filter(|state| known.insert(*state)));
    }
    false
}

/// The steps from the start to a state.
fn way<M: Model>(model: &M, found: &Found<M::State>, mut at: usize) -> Vec<String> {
    let mut steps = Vec::new();
    while at > 0 {
        let from = found.from[at] as usize;
        let mut next = Vec::new();
        model.steps(&found.states[from], &mut next);
        let step = next.iter().find(|(_, state)| *state == found.states[at]);
        let (step, _) = step.expect("it was reached by a step");
        let mut said = String::new();
        write!(said, "{step:?}").expect("text can be written");
        steps.push(said);
        at = from;
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up to a bound by ones and twos; `trap` has no way out, `wrong` must not be reached.
    struct Counter {
        bound: u8,
        trap: u8,
        wrong: u8,
    }

    impl Model for Counter {
        type State = u8;
        type Step = u8;

        fn start(&self) -> u8 {
            0
        }

        fn steps(&self, state: &u8, next: &mut Vec<(u8, u8)>) {
            let open = *state != self.trap;
            let fits = |by: &u8| open && state + by <= self.bound;
            next.extend([1, 2].into_iter().filter(fits).map(|by| (by, state + by)));
        }

        fn wrong(&self, state: &u8) -> Option<&'static str> {
            (*state == self.wrong).then_some("the number must not be")
        }

        fn is_settled(&self, state: &u8) -> bool {
            *state == self.bound
        }
    }

    const NEVER: u8 = 255;

    #[test]
    fn every_state_is_visited() {
        let counter = Counter { bound: 9, trap: NEVER, wrong: NEVER };
        assert!(matches!(explore(&counter, 100), Verdict::Holds { states: 10, settled: 1 }));
        assert!(matches!(explore(&counter, 5), Verdict::TooMany));
        assert!(reaches(&counter, 100, |state| *state == 7));
        assert!(!reaches(&counter, 100, |state| *state == 10));
    }

    #[test]
    fn the_shortest_way_to_what_is_wrong_is_told() {
        let counter = Counter { bound: 9, trap: NEVER, wrong: 5 };
        let Verdict::Fails { what, steps } = explore(&counter, 100) else { panic!("it fails") };
        assert_eq!((what, steps.len()), ("the number must not be", 3));
    }

    #[test]
    fn a_state_without_a_way_to_the_end_is_found() {
        let counter = Counter { bound: 9, trap: 4, wrong: NEVER };
        let Verdict::Fails { what, steps } = explore(&counter, 100) else { panic!("it fails") };
        assert_eq!((what, steps), ("it never settles", vec!["2".to_owned(), "2".to_owned()]));
    }
}
