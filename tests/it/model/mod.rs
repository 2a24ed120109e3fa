//! The protocol of grants and payments as a small explicit model, explored to its end.
//!
//! The [`state`] is what the ledger, the bank and each process know; a step is one commit, one
//! call, one trouble. [`explore`] visits every state that any order of steps can reach and asks of
//! each what [`promises`] lists: units conserved, nobody told "sold out" in error, no order
//! without its money, no money without its order. And from each there must be a way to a settled
//! end: so no hold stays pinned for ever and no unit is stranded.
//!
//! The model knows one SKU, and a commit holds one entry: batches, baskets and keys are the
//! simulation's part. Each [`rules::Rule`] has a switch, and [`cases`] shows for each that without
//! it a promise breaks.

mod around;
mod buying;
mod cases;
mod explore;
mod ledger;
mod promises;
mod rules;
mod state;

use rules::Scope;
use state::{
    Buyer, Fence, GRANTS, Grant, HOLDERS, Holder, Left, REPLICAS, Replica, Run, Stands, State,
    UNKNOWNS,
};

/// What happens; the numbers say to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Create(u8, u8),
    Express(u8, u8),
    Complete(u8, u8),
    Cancel(u8),
    Expire(u8),
    Look(u8),
    Commit(u8),
    LoseCommit(u8),
    Resubmit(u8),
    LookUp(u8),
    AcknowledgeEarly(u8),
    Call(u8, u8),
    HearYes(u8),
    HearNo(u8),
    GiveUp(u8),
    Unpin(u8, u8),
    OweVoid(u8, u8),
    LateCommit(u8),
    LateVanishes(u8),
    AskForGrant(u8, u8),
    GrantCommits(u8),
    GrantAborts(u8),
    Recall(u8),
    Fence(u8),
    FenceCloses(u8),
    Pause(u8),
    Resume(u8),
    Crash(u8),
    Start(u8),
    BecomesHolder(u8),
    BankAuthorizes(u8),
    BankDeclines(u8),
    BankAnswersAgain(u8),
    CallIsLost(u8),
    BankVoids(u8),
    BankCaptures(u8),
    AskBank(u8),
    Reconcile(u8),
    WatchFinds(u8),
}

impl explore::Model for Scope {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        assert!(self.fits(), "a scope fits into the state");
        let mut holders = [Holder::Unborn; HOLDERS];
        holders[..self.replicas].fill(Holder::Live);
        let grant = Grant { holder: 0, granted: 0, consumed: 0, stands: Stands::None };
        State {
            unallocated: self.units,
            sold: 0,
            grants: [grant; GRANTS],
            holders,
            fence: Fence::None,
            replicas: std::array::from_fn::<_, REPLICAS, _>(|at| Replica {
                run: Run::Running,
                holder: buying::id(at),
                memory: [0; GRANTS],
            }),
            buyers: [Buyer::NEW; state::BUYERS],
            sent: [None; UNKNOWNS],
            left: Left {
                crashes: self.crashes,
                pauses: self.pauses,
                unknowns: self.unknowns,
                silences: self.silences,
                fences: self.fences,
            },
            lied: false,
        }
    }

    fn steps(&self, state: &State, next: &mut Vec<(Step, State)>) {
        for at in 0..self.wants.len() {
            buying::steps(state, self, at, next);
            around::bank(state, self, at, next);
            around::reconciler(state, self, at, next);
        }
        around::grants(state, self, next);
        around::replicas(state, self, next);
        around::late(state, self, next);
        let keeps_closed = !self.has(rules::Rule::ConsumeFromActive);
        for (_, state) in next {
            *state = state.tidied(keeps_closed);
        }
    }

    fn wrong(&self, state: &State) -> Option<&'static str> {
        promises::wrong(state, self)
    }

    fn is_settled(&self, state: &State) -> bool {
        promises::is_settled(state, self)
    }
}
