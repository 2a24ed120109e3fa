//! What happens around the checkouts: grants come and go, replicas pause and die, the bank answers,
//! late commits land, the reconciler makes its rounds.

use super::{
    Step,
    buying::id,
    rules::{Rule, Scope},
    state::{
        Attempt, Caller, Entry, Fact, Fence, GRANTS, Grant, HOLDERS, Holder, Money, Recovery,
        Replica, Run, Source, Stands, State,
    },
};

type Next = Vec<(Step, State)>;

/// Late commits, and the end of connections that never commit.
pub(crate) fn late(state: &State, scope: &Scope, next: &mut Next) {
    for at in 0..state.sent.len() {
        if !state.sent[at].is_some_and(|sent| sent.under_way) {
            continue;
        }
        let mut after = *state;
        if after.commit_late(scope, at) {
            next.push((Step::LateCommit(id(at)), after));
        }
        let mut after = *state;
        if let Some(sent) = &mut after.sent[at] {
            sent.under_way = false;
        }
        next.push((Step::LateVanishes(id(at)), after));
    }
}

/// Grants are asked for, recalled, and closed by a fence.
pub(crate) fn grants(state: &State, scope: &Scope, next: &mut Next) {
    for replica in 0..scope.replicas {
        asks_for_a_grant(state, scope, replica, next);
    }
    for at in 0..scope.grants {
        let grant = state.grants[at];
        if grant.stands == Stands::Uncommitted {
            let mut after = *state;
            after.grants[at].stands = Stands::Closed;
            next.push((Step::GrantAborts(id(at)), after));
            if state.unallocated >= grant.granted {
                let mut after = *state;
                after.unallocated -= grant.granted;
                after.grants[at].stands = Stands::Active;
                for replica in &mut after.replicas {
                    if replica.holder == grant.holder && replica.run != Run::Down {
                        replica.memory[at] = grant.granted;
                    }
                }
                next.push((Step::GrantCommits(id(at)), after));
            }
        }
        if grant.stands == Stands::Active {
            let mut after = *state;
            after.close(at);
            next.push((Step::Recall(id(at)), after));
        }
    }
    fence(state, scope, next);
}

/// The transaction checks that its holder lives and takes the row `for key share`.
fn asks_for_a_grant(state: &State, scope: &Scope, replica: usize, next: &mut Next) {
    let holder = state.replicas[replica].holder;
    let lives = match state.holders[usize::from(holder)] {
        Holder::Live => true,
        // It waits for the fence.
        Holder::Locked => false,
        Holder::Dead | Holder::Unborn => !scope.has(Rule::GrantToTheLiving),
    };
    let free = (0..scope.grants).find(|at| state.grants[*at].stands == Stands::None);
    let Some(at) = free.filter(|_| lives && state.replicas[replica].run == Run::Running) else {
        return;
    };
    if state.is_asking(holder) {
        return;
    }
    for granted in scope.sizes {
        let mut after = *state;
        let stands = Stands::Uncommitted;
        after.grants[at] = Grant { holder, granted: *granted, consumed: 0, stands };
        next.push((Step::AskForGrant(id(replica), *granted), after));
    }
}

impl State {
    fn runs(&self, holder: u8) -> bool {
        let runs = |replica: &Replica| replica.holder == holder && replica.run == Run::Running;
        self.replicas.iter().any(runs)
    }

    /// Whether a grant's transaction has this holder's row locked.
    fn is_asking(&self, holder: u8) -> bool {
        let asks = |grant: &Grant| grant.holder == holder && grant.stands == Stands::Uncommitted;
        self.grants.iter().any(asks)
    }
}

/// A fence waits for grants in flight. It may come early, upon a process that runs.
fn fence(state: &State, scope: &Scope, next: &mut Next) {
    let active = |holder: u8| -> [bool; GRANTS] {
        std::array::from_fn(|at| {
            state.grants[at].holder == holder && state.grants[at].stands == Stands::Active
        })
    };
    let closes = match state.fence {
        Fence::None => {
            for holder in 0..HOLDERS {
                if state.holders[holder] != Holder::Live {
                    continue;
                }
                let holder = id(holder);
                let mut after = *state;
                if state.runs(holder) {
                    let Some(left) = state.left.fences.checked_sub(1) else { continue };
                    after.left.fences = left;
                }
                if scope.has(Rule::FenceInTwoStatements) {
                    after.fence = Fence::Marked(holder);
                    after.holders[usize::from(holder)] = Holder::Locked;
                    if state.is_asking(holder) {
                        continue;
                    }
                } else {
                    after.fence = Fence::Snapshot(holder, active(holder));
                }
                next.push((Step::Fence(holder), after));
            }
            return;
        }
        Fence::Marked(holder) => Some((holder, active(holder))),
        Fence::Snapshot(holder, seen) => (!state.is_asking(holder)).then_some((holder, seen)),
    };
    let Some((holder, closes)) = closes else { return };
    let mut after = *state;
    after.fence = Fence::None;
    after.holders[usize::from(holder)] = Holder::Dead;
    for (at, closes) in closes.into_iter().enumerate() {
        if closes && after.grants[at].stands == Stands::Active {
            after.close(at);
        }
    }
    next.push((Step::FenceCloses(holder), after));
}

/// Processes pause, go on, die, start again, and find themselves fenced. The first one has all the
/// trouble: they are alike.
pub(crate) fn replicas(state: &State, scope: &Scope, next: &mut Next) {
    for at in 0..scope.replicas {
        let replica = state.replicas[at];
        let has_trouble = at == 0;
        let mut to = |step, run, crash: bool, pause: bool| {
            let mut after = *state;
            after.replicas[at].run = run;
            after.left.crashes -= u8::from(crash);
            after.left.pauses -= u8::from(pause);
            if crash {
                after.forget_everything(at);
            }
            next.push((step, after));
        };
        if has_trouble && replica.run == Run::Running && state.left.pauses > 0 {
            to(Step::Pause(id(at)), Run::Paused, false, true);
        }
        if replica.run == Run::Paused {
            to(Step::Resume(id(at)), Run::Running, false, false);
        }
        if has_trouble && replica.run != Run::Down && state.left.crashes > 0 {
            to(Step::Crash(id(at)), Run::Down, true, false);
        }
        let fenced = state.holders[usize::from(replica.holder)] == Holder::Dead;
        let free = state.holders.iter().position(|holder| *holder == Holder::Unborn);
        let Some(free) = free else { continue };
        if replica.run == Run::Down || (replica.run == Run::Running && fenced) {
            let mut after = *state;
            (after.replicas[at].run, after.replicas[at].holder) = (Run::Running, id(free));
            after.holders[free] = Holder::Live;
            let starts = replica.run == Run::Down;
            let step = if starts { Step::Start(id(at)) } else { Step::BecomesHolder(id(at)) };
            next.push((step, after));
        }
    }
}

impl State {
    /// The process is gone, with its memory and whoever worked there.
    fn forget_everything(&mut self, replica: usize) {
        self.replicas[replica].memory = [0; GRANTS];
        for buyer in &mut self.buyers {
            if usize::from(buyer.at) == replica && buyer.caller != Caller::Nobody {
                buyer.caller = Caller::Nobody;
            }
        }
    }
}

/// Calls arrive at the bank, however late; debts are collected.
pub(crate) fn bank(state: &State, scope: &Scope, at: usize, next: &mut Next) {
    let who = id(at);
    for attempt in 0..usize::from(scope.attempts) {
        let charge = state.buyers[at].charges[attempt];
        let mut to = |step, stands, on_the_way| {
            let mut after = *state;
            after.buyers[at].charges[attempt].stands = stands;
            after.buyers[at].charges[attempt].on_the_way = on_the_way;
            if matches!(step, Step::CallIsLost(_)) {
                after.left.silences -= 1;
            }
            next.push((step, after));
        };
        if charge.on_the_way {
            if charge.stands == Money::Nothing {
                to(Step::BankAuthorizes(who), Money::Authorized, false);
                to(Step::BankDeclines(who), Money::Declined, false);
                if state.left.silences > 0 {
                    to(Step::CallIsLost(who), Money::Nothing, false);
                }
            } else {
                // One reference, one answer.
                to(Step::BankAnswersAgain(who), charge.stands, false);
            }
        }
        if charge.stands == Money::Authorized {
            if charge.void_owed {
                to(Step::BankVoids(who), Money::Voided, charge.on_the_way);
            } else if state.buyers[at].attempts[attempt] == Attempt::Sold {
                to(Step::BankCaptures(who), Money::Captured, charge.on_the_way);
            }
        }
    }
}

/// After the deadline: asks the bank what became of an attempt, then acts on it; and keeps an eye
/// on those the bank had never heard of.
pub(crate) fn reconciler(state: &State, scope: &Scope, at: usize, next: &mut Next) {
    let buyer = state.buyers[at];
    let who = id(at);
    for attempt in 0..usize::from(scope.attempts) {
        let stands = buyer.charges[attempt].stands;
        let pending = buyer.attempts[attempt] == Attempt::Pending;
        if buyer.recovery == Recovery::None && pending {
            let mut after = *state;
            after.buyers[at].recovery = Recovery::Heard(id(attempt), stands);
            next.push((Step::AskBank(who), after));
        }
        let watched = buyer.attempts[attempt] == Attempt::Unheard
            && scope.has(Rule::WatchTheUnheard)
            && !buyer.charges[attempt].void_owed;
        if watched && stands == Money::Authorized {
            let mut after = *state;
            after.buyers[at].charges[attempt].void_owed = true;
            next.push((Step::WatchFinds(who), after));
        }
    }
    if let Recovery::Heard(attempt, stands) = buyer.recovery {
        let mut after = *state;
        after.buyers[at].recovery = Recovery::None;
        match stands {
            Money::Authorized | Money::Captured => {
                let (version, source) = (buyer.version, Source::Direct);
                let fact = Fact::Place;
                let entry = Entry { decision: 0, fact, attempt, version, source };
                let _beaten = after.commit(scope, at, state.decided(at, entry));
            }
            Money::Declined | Money::Voided => {
                after.settle(scope, at, attempt, Attempt::Declined);
            }
            Money::Nothing => after.settle(scope, at, attempt, Attempt::Unheard),
        }
        next.push((Step::Reconcile(who), after));
    }
}
