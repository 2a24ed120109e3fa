//! The worlds that are explored, and what breaks in them when a rule is left out.

use super::{
    explore::{Verdict, explore, reaches},
    rules::{Rule, Scope},
    state::{Attempt, Holder, Run, State, Told},
};
use crate::shop::full;

/// More than any scope here has; what is cut short proves nothing.
const STATES_MAX: usize = 8_000_000;

/// Two buyers and a grant, and all that can happen to stock; nobody pays.
const STOCK: Scope = Scope {
    wants: &[1, 2],
    units: 3,
    grants: 1,
    sizes: &[1, 2],
    replicas: 2,
    attempts: 0,
    express: false,
    crashes: 1,
    pauses: 0,
    unknowns: 1,
    silences: 0,
    fences: 0,
    without: None,
};

/// A process that pauses for long, is fenced, and goes on; another that is fenced though it runs.
const PAUSE: Scope = Scope { crashes: 0, pauses: 1, fences: 1, unknowns: 0, ..STOCK };

/// Two grants.
const GRANTS: Scope =
    Scope { wants: &[1, 1], units: 2, grants: 2, sizes: &[1], crashes: 1, unknowns: 0, ..STOCK };

/// One buyer who pays, twice if need be, and all that can happen to money.
const MONEY: Scope = Scope {
    wants: &[1],
    units: 1,
    grants: 0,
    sizes: &[],
    attempts: 2,
    express: true,
    silences: 1,
    ..STOCK
};

/// Two buyers who pay for the same last unit, which a grant may have.
const LAST: Scope = Scope {
    wants: &[1, 1],
    units: 1,
    grants: 1,
    sizes: &[1],
    attempts: 1,
    express: false,
    crashes: 0,
    unknowns: 1,
    silences: 0,
    ..STOCK
};

#[track_caller]
fn assert_holds(scope: &Scope) {
    match explore(scope, STATES_MAX) {
        Verdict::Holds { states, settled } => {
            eprintln!("{states} states, {settled} of them settled");
        }
        Verdict::Fails { what, steps } => panic!("{what}:\n  {}", steps.join("\n  ")),
        Verdict::TooMany => panic!("more than {STATES_MAX} states"),
    }
}

/// Without the rule the promise breaks, and these steps belong to the shortest way there.
#[track_caller]
fn assert_needs(scope: &Scope, rule: Rule, broken: &str, by: &[&str]) {
    let verdict = explore(&scope.without(rule), STATES_MAX);
    let Verdict::Fails { what, steps } = verdict else {
        panic!("nothing breaks without {rule:?}: {verdict:?}");
    };
    eprintln!("without {rule:?} {what}:\n  {}", steps.join("\n  "));
    assert_eq!(what, broken, "{steps:#?}");
    for step in by {
        assert!(steps.iter().any(|taken| taken.starts_with(step)), "no {step} in {steps:#?}");
    }
}

#[track_caller]
fn assert_reaches(scope: &Scope, like: impl Fn(&State) -> bool) {
    assert!(reaches(scope, STATES_MAX, like), "no state is like this");
}

#[test]
fn stock_is_conserved_through_crashes_and_unknown_commits() {
    assert_holds(&STOCK);
    if full() {
        assert_holds(&Scope { grants: 2, ..STOCK });
        assert_holds(&Scope { unknowns: 2, sizes: &[2], ..STOCK });
        assert_holds(&Scope { wants: &[1, 1, 2], sizes: &[2], crashes: 0, ..STOCK });
    }
}

#[test]
fn a_paused_process_sells_nothing_that_others_sold() {
    assert_holds(&PAUSE);
    if full() {
        assert_holds(&Scope { unknowns: 1, ..PAUSE });
    }
}

#[test]
fn two_grants_strand_nothing() {
    assert_holds(&GRANTS);
    if full() {
        assert_holds(&Scope { unknowns: 1, fences: 1, ..GRANTS });
    }
}

#[test]
fn money_and_order_never_part() {
    assert_holds(&MONEY);
    if full() {
        assert_holds(&Scope { unknowns: 2, ..MONEY });
        assert_holds(&Scope { crashes: 2, silences: 2, ..MONEY });
    }
}

#[test]
fn the_last_unit_goes_to_one_of_two() {
    assert_holds(&Scope { grants: 0, ..LAST });
    assert_holds(&Scope { unknowns: 0, ..LAST });
    if full() {
        assert_holds(&LAST);
        assert_holds(&Scope { grants: 0, crashes: 1, unknowns: 0, ..LAST });
    }
}

#[test]
fn everything_can_be_sold_also_after_troubles() {
    let sold_out = |state: &State| state.sold == 2;
    let two = Scope { units: 2, ..LAST };
    assert_reaches(&two, sold_out);
    assert_reaches(&two, |state| sold_out(state) && state.left.unknowns == 0);
    let trouble = Scope { crashes: 1, unknowns: 0, ..two };
    let dead = |state: &State| state.holders.contains(&Holder::Dead);
    assert_reaches(&trouble, |state| sold_out(state) && dead(state));
    let paused = Scope { pauses: 1, unknowns: 0, ..two };
    let runs = |state: &State| state.replicas.iter().all(|replica| replica.run == Run::Running);
    assert_reaches(&paused, |state| sold_out(state) && dead(state) && runs(state));
    let told = |state: &State| state.buyers.iter().any(|buyer| buyer.told == Told::SoldOut);
    assert_reaches(&LAST, |state| state.sold == 1 && told(state));
}

#[test]
fn consuming_from_a_closed_grant_sells_units_twice() {
    let by = ["GrantCommits", "Recall", "Commit"];
    assert_needs(&STOCK, Rule::ConsumeFromActive, "units are not conserved", &by);
}

#[test]
fn fencing_in_one_statement_strands_a_grant() {
    let by = ["AskForGrant", "Fence(", "GrantCommits", "FenceCloses"];
    assert_needs(&GRANTS, Rule::FenceInTwoStatements, "a dead holder has a grant", &by);
}

#[test]
fn a_grant_to_the_dead_is_stranded() {
    let by = ["FenceCloses", "AskForGrant", "GrantCommits"];
    assert_needs(&PAUSE, Rule::GrantToTheLiving, "a dead holder has a grant", &by);
}

#[test]
fn acknowledging_before_the_commit_loses_holds_and_orders() {
    let rule = Rule::AcknowledgeAfterCommit;
    let by = ["AcknowledgeEarly"];
    assert_needs(&STOCK, rule, "an acknowledged hold was never made", &by);
    let orders_only = Scope { express: true, attempts: 1, ..MONEY }.without(rule);
    let lost = |state: &State| {
        let [ada, ..] = state.buyers;
        ada.told == Told::Order && !ada.attempts.contains(&Attempt::Sold)
    };
    assert_reaches(&orders_only, lost);
}

#[test]
fn a_pinned_hold_that_expires_leaves_a_payment_without_its_units() {
    let by = ["Complete", "Expire", "BankAuthorizes"];
    let one_by_one = Scope { express: false, ..MONEY };
    assert_needs(&one_by_one, Rule::PinsOutliveTime, "it never settles", &by);
}

#[test]
fn looking_an_unknown_outcome_up_voids_an_order_of_ones_own() {
    let by = ["LoseCommit", "LookUp", "LateCommit", "OweVoid"];
    let broken = "an order whose own authorization is let go";
    assert_needs(&MONEY, Rule::Resubmit, broken, &by);
}

#[test]
fn a_refusal_that_is_not_recorded_is_overtaken_by_the_late_commit() {
    let by = ["LoseCommit", "Resubmit", "LateCommit"];
    assert_needs(&LAST, Rule::RecordRefusals, "told sold out, and has it", &by);
}

#[test]
fn an_entry_without_an_id_is_judged_twice() {
    let by = ["LoseCommit", "LateCommit", "Resubmit"];
    let held_twice = "told sold out, and has it";
    assert_needs(&LAST, Rule::EntryIds, held_twice, &by);
}

#[test]
fn a_direct_entry_that_closes_no_grant_tells_a_false_sold_out() {
    let by = ["GrantCommits", "Commit"];
    let broken = "told sold out while units could be had";
    assert_needs(&STOCK, Rule::DirectClosesGrants, broken, &by);
}

#[test]
fn a_snapshot_from_before_the_lock_tells_a_false_sold_out() {
    let by = ["Look", "GrantCommits", "Commit"];
    let broken = "told sold out while units could be had";
    assert_needs(&STOCK, Rule::FreshSnapshot, broken, &by);
}

#[test]
fn two_ends_of_one_attempt_lose_the_order() {
    let by = ["AskBank", "BankAuthorizes", "Reconcile"];
    let broken = "an acknowledged order does not stand";
    assert_needs(&MONEY, Rule::OnePendingWinner, broken, &by);
}

#[test]
fn voiding_what_somebody_else_sold_leaves_an_order_without_money() {
    let by = ["Reconcile", "Commit", "OweVoid"];
    let broken = "an order whose own authorization is let go";
    assert_needs(&MONEY, Rule::SoldIsNotVoided, broken, &by);
}

#[test]
fn an_attempt_nobody_watches_keeps_a_late_authorization_for_ever() {
    let by = ["AskBank", "BankAuthorizes"];
    assert_needs(&MONEY, Rule::WatchTheUnheard, "it never settles", &by);
}

#[test]
fn a_call_before_its_attempt_is_recorded_sets_money_aside_for_ever() {
    let by = ["Call", "BankAuthorizes"];
    assert_needs(&MONEY, Rule::PinBeforeTheCall, "it never settles", &by);
}
