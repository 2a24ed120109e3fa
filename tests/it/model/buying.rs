//! What a checkout's caller does next: hold, pin, call the gateway, sell, or undo.

use super::{
    Step,
    rules::{Rule, Scope},
    state::{
        Attempt, Buyer, Caller, Entry, Fact, GRANTS, Hold, Money, Outcome, Run, Sent, Session,
        Source, Stands, State, Told,
    },
};

type Next = Vec<(Step, State)>;

/// Everything buyer `at` and its caller may do.
pub(crate) fn steps(state: &State, scope: &Scope, at: usize, next: &mut Next) {
    let buyer = state.buyers[at];
    let running = state.replicas[usize::from(buyer.at)].run == Run::Running;
    if buyer.caller == Caller::Nobody {
        for replica in 0..scope.replicas {
            if state.replicas[replica].run == Run::Running {
                begins(state, scope, at, replica, next);
            }
        }
    } else if running {
        goes_on(state, scope, at, next);
    }
    if buyer.hold == Hold::Free && buyer.session == Session::Open {
        let mut after = *state;
        after.release(scope, at);
        next.push((Step::Expire(id(at)), after));
        if buyer.caller == Caller::Nobody {
            after.buyers[at].session = Session::Ended;
            after.buyers[at].version += 1;
            next.push((Step::Cancel(id(at)), after));
        }
    }
    if let Hold::Pinned(_) = buyer.hold
        && !scope.has(Rule::PinsOutliveTime)
    {
        let mut after = *state;
        after.release(scope, at);
        next.push((Step::Expire(id(at)), after));
    }
}

pub(crate) fn id(at: usize) -> u8 {
    u8::try_from(at).expect("few of everything")
}

/// A request comes in at a replica.
fn begins(state: &State, scope: &Scope, at: usize, replica: usize, next: &mut Next) {
    let buyer = state.buyers[at];
    let attempt = buyer.attempts.iter().position(|attempt| *attempt == Attempt::None);
    let attempt = attempt.map(id).filter(|attempt| *attempt < scope.attempts);
    let entry = |fact, attempt, source| {
        let entry = Entry { decision: 0, fact, attempt, version: buyer.version, source };
        state.decided(at, entry)
    };
    let source = take_from_memory(state, scope, at, replica);
    let mut push = |step, entry| {
        let mut after = *state;
        after.buyers[at].at = id(replica);
        after.buyers[at].told = Told::Nothing;
        after.buyers[at].caller = Caller::Writes(entry);
        next.push((step, after));
    };
    match (buyer.session, attempt) {
        (Session::None, attempt) if buyer.told != Told::SoldOut => {
            push(Step::Create(id(at), id(replica)), entry(Fact::Hold, 0, source));
            if let Some(attempt) = attempt.filter(|_| scope.express) {
                let entry = entry(Fact::Express, attempt, source);
                push(Step::Express(id(at), id(replica)), entry);
            }
        }
        (Session::Open, Some(attempt)) => {
            let source = if buyer.hold == Hold::Free { Source::Direct } else { source };
            push(Step::Complete(id(at), id(replica)), entry(Fact::Begin, attempt, source));
        }
        _ => {}
    }
}

/// A grant that memory believes has the units, those in flight subtracted; else the ledger.
fn take_from_memory(state: &State, scope: &Scope, at: usize, replica: usize) -> Source {
    let memory = state.replicas[replica].memory;
    let has =
        |grant: &usize| memory[*grant] >= scope.wants[at] + state.in_flight(scope, replica, *grant);
    (0..scope.grants).find(has).map_or(Source::Direct, |grant| Source::Grant(id(grant)))
}

impl State {
    /// Units of a grant that this replica's entries use and whose commit is not known to it.
    fn in_flight(&self, scope: &Scope, replica: usize, grant: usize) -> u8 {
        let uses = |(at, buyer): (usize, &Buyer)| match buyer.caller {
            Caller::Writes(entry) | Caller::Unsure(entry)
                if usize::from(buyer.at) == replica
                    && entry.source == Source::Grant(id(grant))
                    && buyer.hold == Hold::None =>
            {
                scope.wants[at]
            }
            _ => 0,
        };
        self.buyers.iter().enumerate().take(scope.wants.len()).map(uses).sum()
    }

    /// A reply tells what the entry's grant has left; a closed one is forgotten.
    fn remember(&mut self, replica: usize, source: Source) {
        if let Source::Grant(grant) = source {
            let left = self.grants[usize::from(grant)].left();
            self.replicas[replica].memory[usize::from(grant)] = left;
        }
    }
}

/// The caller's next step.
fn goes_on(state: &State, scope: &Scope, at: usize, next: &mut Next) {
    let who = id(at);
    match state.buyers[at].caller {
        Caller::Nobody => {}
        Caller::Writes(entry) => writes(state, scope, at, entry, next),
        Caller::Looked(entry, _) => {
            next.push((Step::Commit(who), answered(state, scope, at, entry)))
        }
        Caller::Unsure(entry) => resolves(state, scope, at, entry, next),
        Caller::Calls(attempt) => {
            let mut after = *state;
            after.buyers[at].charges[usize::from(attempt)].on_the_way = true;
            after.buyers[at].caller = Caller::Waits(attempt);
            next.push((Step::Call(who, attempt), after));
        }
        Caller::Waits(attempt) => waits(state, at, attempt, next),
        Caller::Settles(attempt) => {
            let mut after = *state;
            after.settle(scope, at, attempt, Attempt::Declined);
            after.buyers[at].caller = Caller::Nobody;
            next.push((Step::Unpin(who, attempt), after));
        }
        Caller::Voids(attempt) => {
            let mut after = *state;
            after.buyers[at].charges[usize::from(attempt)].void_owed = true;
            after.buyers[at].caller = Caller::Nobody;
            next.push((Step::OweVoid(who, attempt), after));
        }
    }
}

fn writes(state: &State, scope: &Scope, at: usize, entry: Entry, next: &mut Next) {
    let who = id(at);
    if entry.source == Source::Direct && !scope.has(Rule::FreshSnapshot) {
        let mut after = *state;
        let seen: [bool; GRANTS] =
            std::array::from_fn(|grant| state.grants[grant].stands == Stands::Active);
        after.buyers[at].caller = Caller::Looked(entry, seen);
        next.push((Step::Look(who), after));
    } else {
        next.push((Step::Commit(who), answered(state, scope, at, entry)));
    }
    if state.left.unknowns > 0 {
        let mut after = *state;
        after.left.unknowns -= 1;
        after.buyers[at].caller = Caller::Unsure(entry);
        let free = after.sent.iter().position(Option::is_none).expect("a place for each unknown");
        after.sent[free] = Some(Sent { buyer: who, entry, under_way: true, recorded: None });
        next.push((Step::LoseCommit(who), after));
    }
    if !scope.has(Rule::AcknowledgeAfterCommit) && matches!(entry.fact, Fact::Hold | Fact::Place) {
        let mut after = *state;
        after.buyers[at].told = if entry.fact == Fact::Hold { Told::Held } else { Told::Order };
        next.push((Step::AcknowledgeEarly(who), after));
    }
    if !scope.has(Rule::PinBeforeTheCall) && matches!(entry.fact, Fact::Begin | Fact::Express) {
        let mut after = *state;
        after.buyers[at].charges[usize::from(entry.attempt)].on_the_way = true;
        next.push((Step::Call(who, entry.attempt), after));
    }
}

/// The outcome was unknown: the same id is sent again.
fn resolves(state: &State, scope: &Scope, at: usize, entry: Entry, next: &mut Next) {
    if scope.has(Rule::Resubmit) {
        next.push((Step::Resubmit(id(at)), answered(state, scope, at, entry)));
        return;
    }
    // Without the rule: a look, and what is not there is taken not to have happened.
    let mut after = *state;
    let sent = state.sent_at(at, entry).and_then(|sent| state.sent[sent]);
    match sent.and_then(|sent| sent.recorded) {
        Some(outcome) => acts(&mut after, scope, at, entry, outcome),
        None => {
            after.buyers[at].caller = match entry.fact {
                Fact::Place => Caller::Voids(entry.attempt),
                Fact::Hold | Fact::Begin | Fact::Express => Caller::Nobody,
            }
        }
    }
    next.push((Step::LookUp(id(at)), after));
}

/// The entry is committed, and the caller acts on the outcome.
fn answered(state: &State, scope: &Scope, at: usize, entry: Entry) -> State {
    let mut after = *state;
    let obtainable = state.obtainable();
    let outcome = after.commit(scope, at, entry);
    if outcome == Outcome::Short && obtainable >= scope.wants[at] {
        let recorded = state.sent_at(at, entry).and_then(|sent| state.sent[sent]);
        // A recorded refusal was the truth when it was recorded.
        after.lied |= recorded.is_none_or(|sent| sent.recorded.is_none());
    }
    acts(&mut after, scope, at, entry, outcome);
    after
}

fn acts(state: &mut State, scope: &Scope, at: usize, entry: Entry, outcome: Outcome) {
    let replica = usize::from(state.buyers[at].at);
    state.remember(replica, entry.source);
    let directly = state.decided(at, Entry { source: Source::Direct, ..entry });
    let buyer = &mut state.buyers[at];
    buyer.caller = match (entry.fact, outcome) {
        (Fact::Hold, Outcome::Done) => {
            buyer.told = Told::Held;
            Caller::Nobody
        }
        (Fact::Begin | Fact::Express, Outcome::Done) => Caller::Calls(entry.attempt),
        (Fact::Place, Outcome::Done) => {
            buyer.told = Told::Order;
            Caller::Nobody
        }
        // Decided again, directly, under another id.
        (Fact::Hold | Fact::Begin | Fact::Express, Outcome::GrantClosed) => {
            Caller::Writes(directly)
        }
        (Fact::Hold | Fact::Begin | Fact::Express, Outcome::Short) => {
            buyer.told = Told::SoldOut;
            Caller::Nobody
        }
        (Fact::Place, Outcome::AlreadySold) if scope.has(Rule::SoldIsNotVoided) => {
            buyer.told = Told::Order;
            Caller::Nobody
        }
        (Fact::Place, _) => Caller::Voids(entry.attempt),
        // Somebody else wrote the session: the next request sees it as it stands.
        (Fact::Hold | Fact::Begin | Fact::Express, _) => Caller::Nobody,
    };
}

/// The gateway answers, or does not.
fn waits(state: &State, at: usize, attempt: u8, next: &mut Next) {
    let charge = state.buyers[at].charges[usize::from(attempt)];
    let mut then = |step, caller| {
        let mut after = *state;
        after.buyers[at].caller = caller;
        next.push((step, after));
    };
    let who = id(at);
    if !charge.on_the_way {
        match charge.stands {
            Money::Authorized | Money::Captured => {
                let version = state.buyers[at].version;
                let (fact, source) = (Fact::Place, Source::Direct);
                let entry = Entry { decision: 0, fact, attempt, version, source };
                then(Step::HearYes(who), Caller::Writes(state.decided(at, entry)));
            }
            Money::Declined => then(Step::HearNo(who), Caller::Settles(attempt)),
            Money::Nothing | Money::Voided => {}
        }
    }
    then(Step::GiveUp(who), Caller::Nobody);
}
