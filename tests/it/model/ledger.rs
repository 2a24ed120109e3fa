//! The ledger's side: what an entry comes to, in one commit.

use super::{
    rules::{Rule, Scope},
    state::{
        Attempt, Caller, Entry, Fact, GRANTS, Hold, Outcome, Sent, Session, Source, Stands, State,
    },
};

impl State {
    /// Commits an entry: a recorded id answers what it recorded; otherwise it is judged. A refusal
    /// is recorded for a resubmission alone.
    pub(crate) fn commit(&mut self, scope: &Scope, buyer: usize, entry: Entry) -> Outcome {
        let sent = self.sent_at(buyer, entry);
        let recorded = sent.and_then(|at| self.sent[at]).and_then(|sent| sent.recorded);
        if let Some(recorded) = recorded.filter(|_| scope.has(Rule::EntryIds)) {
            return recorded;
        }
        let outcome = self.judge(scope, buyer, entry);
        let records = outcome == Outcome::Done || scope.has(Rule::RecordRefusals);
        if let Some(sent) = sent.and_then(|at| self.sent[at].as_mut()).filter(|_| records) {
            sent.recorded = Some(outcome);
        }
        outcome
    }

    /// The first sending of an entry arrives late. A refusal leaves no trace.
    pub(crate) fn commit_late(&mut self, scope: &Scope, at: usize) -> bool {
        let Some(Sent { buyer, entry, recorded, .. }) = self.sent[at] else { return false };
        if recorded.is_some() && scope.has(Rule::EntryIds) {
            return false;
        }
        let mut after = *self;
        if after.judge(scope, buyer.into(), entry) != Outcome::Done {
            return false;
        }
        *self = after;
        if let Some(sent) = &mut self.sent[at] {
            (sent.under_way, sent.recorded) = (false, Some(Outcome::Done));
        }
        true
    }

    pub(crate) fn sent_at(&self, buyer: usize, entry: Entry) -> Option<usize> {
        let same = |sent: &Sent| usize::from(sent.buyer) == buyer && sent.entry == entry;
        self.sent.iter().position(|sent| sent.as_ref().is_some_and(same))
    }

    /// The same as a decision of its own: nobody's entry is mistaken for one sent before.
    pub(crate) fn decided(&self, buyer: usize, mut entry: Entry) -> Entry {
        while self.sent_at(buyer, entry).is_some() {
            entry.decision += 1;
        }
        entry
    }

    /// Judges an entry and, if it may become true, makes it so.
    fn judge(&mut self, scope: &Scope, at: usize, entry: Entry) -> Outcome {
        let buyer = self.buyers[at];
        let wants = scope.wants[at];
        match entry.fact {
            Fact::Hold | Fact::Express => {
                if buyer.session != Session::None {
                    return Outcome::Conflict;
                }
            }
            Fact::Begin => {
                if buyer.session != Session::Open || buyer.version != entry.version {
                    return Outcome::Conflict;
                }
            }
            Fact::Place => return self.place(scope, at, entry.attempt),
        }
        if buyer.hold == Hold::None
            && let Err(refused) = self.take(scope, at, entry.source, wants)
        {
            return refused;
        }
        let buyer = &mut self.buyers[at];
        buyer.version += 1;
        buyer.held_once = true;
        if entry.fact == Fact::Hold {
            (buyer.session, buyer.hold) = (Session::Open, Hold::Free);
        } else {
            (buyer.session, buyer.hold) = (Session::Completing, Hold::Pinned(entry.attempt));
            buyer.attempts[usize::from(entry.attempt)] = Attempt::Pending;
        }
        Outcome::Done
    }

    fn take(&mut self, scope: &Scope, at: usize, from: Source, n: u8) -> Result<(), Outcome> {
        match from {
            Source::Grant(id) => {
                let grant = &mut self.grants[usize::from(id)];
                let active = grant.stands == Stands::Active || !scope.has(Rule::ConsumeFromActive);
                if !active || grant.consumed + n > grant.granted {
                    return Err(Outcome::GrantClosed);
                }
                grant.consumed += n;
            }
            Source::Direct => {
                let closes = self.closes(scope, at);
                let reach = |id: &usize| closes[*id] && self.grants[*id].stands == Stands::Active;
                let reach: Vec<usize> = (0..GRANTS).filter(reach).collect();
                let more: u8 = reach.iter().map(|id| self.grants[*id].left()).sum();
                if self.unallocated + more < n {
                    return Err(Outcome::Short);
                }
                for id in reach {
                    if self.unallocated < n {
                        self.close(id);
                    }
                }
                self.unallocated -= n;
            }
        }
        Ok(())
    }

    /// The grants a direct entry may close.
    fn closes(&self, scope: &Scope, at: usize) -> [bool; GRANTS] {
        match self.buyers[at].caller {
            _ if !scope.has(Rule::DirectClosesGrants) => [false; GRANTS],
            Caller::Looked(_, seen) => seen,
            _ => [true; GRANTS],
        }
    }

    /// Gives back what an active grant has left.
    pub(crate) fn close(&mut self, id: usize) {
        self.unallocated += self.grants[id].left();
        self.grants[id].stands = Stands::Closed;
    }

    /// T2: needs the attempt pending and the hold pinned by it.
    fn place(&mut self, scope: &Scope, at: usize, attempt: u8) -> Outcome {
        let buyer = &mut self.buyers[at];
        match buyer.attempts[usize::from(attempt)] {
            Attempt::Pending => {}
            Attempt::Sold => return Outcome::AlreadySold,
            _ => return Outcome::AlreadySettled,
        }
        if buyer.hold != Hold::Pinned(attempt) {
            return Outcome::Conflict;
        }
        buyer.attempts[usize::from(attempt)] = Attempt::Sold;
        (buyer.hold, buyer.session) = (Hold::None, Session::Ordered);
        buyer.version += 1;
        self.sold += scope.wants[at];
        Outcome::Done
    }

    /// The attempt came to nothing: the hold lives on unpinned, the session is open again.
    pub(crate) fn settle(&mut self, scope: &Scope, at: usize, attempt: u8, how: Attempt) {
        let buyer = &mut self.buyers[at];
        let pending = buyer.attempts[usize::from(attempt)] == Attempt::Pending;
        if !pending && scope.has(Rule::OnePendingWinner) {
            return;
        }
        buyer.attempts[usize::from(attempt)] = how;
        if buyer.hold == Hold::Pinned(attempt) {
            buyer.hold = Hold::Free;
        }
        buyer.session = Session::Open;
        buyer.version += 1;
    }

    /// Gives an unpinned hold's units back.
    pub(crate) fn release(&mut self, scope: &Scope, at: usize) {
        self.buyers[at].hold = Hold::None;
        self.unallocated += scope.wants[at];
    }
}
