//! What must be true of every state, and when nothing is under way any more.

use super::{
    rules::Scope,
    state::{
        Attempt, Buyer, Caller, Fence, Grant, Hold, Holder, Money, Recovery, Session, Stands,
        State, Told,
    },
};

/// What is wrong with a state.
pub(crate) fn wrong(state: &State, scope: &Scope) -> Option<&'static str> {
    let buyers = || state.buyers.iter().zip(scope.wants);
    let held: u8 =
        buyers().filter(|(buyer, _)| buyer.hold != Hold::None).map(|(_, wants)| wants).sum();
    if state.obtainable() + held + state.sold != scope.units {
        return Some("units are not conserved");
    }
    if state.lied {
        return Some("told sold out while units could be had");
    }
    let stranded = |grant: &Grant| {
        grant.stands == Stands::Active && state.holders[usize::from(grant.holder)] == Holder::Dead
    };
    if state.grants.iter().any(stranded) {
        return Some("a dead holder has a grant");
    }
    buyers().find_map(|(buyer, _)| wrong_with(buyer))
}

fn wrong_with(buyer: &Buyer) -> Option<&'static str> {
    let sold = buyer.attempts.iter().filter(|attempt| **attempt == Attempt::Sold).count();
    if sold > 1 {
        return Some("paid twice for one order");
    }
    for (attempt, charge) in buyer.attempts.iter().zip(&buyer.charges) {
        let live = matches!(charge.stands, Money::Authorized | Money::Captured);
        if *attempt == Attempt::Sold && (!live || charge.void_owed) {
            return Some("an order whose own authorization is let go");
        }
        if charge.stands == Money::Captured && *attempt != Attempt::Sold {
            return Some("money taken without an order");
        }
    }
    if let Hold::Pinned(by) = buyer.hold
        && buyer.attempts[usize::from(by)] != Attempt::Pending
    {
        return Some("a hold is pinned by an attempt that has ended");
    }
    let own = buyer.hold != Hold::None || sold == 1;
    match buyer.told {
        Told::SoldOut if own => Some("told sold out, and has it"),
        Told::Order if sold == 0 => Some("an acknowledged order does not stand"),
        Told::Held if !buyer.held_once => Some("an acknowledged hold was never made"),
        _ => None,
    }
}

/// Nothing is under way: no hold is pinned, no payment open, no money set aside, every unit is sold
/// or free.
pub(crate) fn is_settled(state: &State, scope: &Scope) -> bool {
    let quiet = |buyer: &Buyer| {
        buyer.hold == Hold::None
            && buyer.session != Session::Completing
            && buyer.caller == Caller::Nobody
            && buyer.recovery == Recovery::None
            && !buyer.attempts.contains(&Attempt::Pending)
            && buyer
                .charges
                .iter()
                .all(|charge| !charge.on_the_way && charge.stands != Money::Authorized)
    };
    state.unallocated + state.sold == scope.units
        && state.buyers.iter().take(scope.wants.len()).all(quiet)
        && state.sent.iter().flatten().all(|sent| !sent.under_way)
        && state.fence == Fence::None
        && state.grants.iter().all(|grant| grant.stands != Stands::Uncommitted)
}
