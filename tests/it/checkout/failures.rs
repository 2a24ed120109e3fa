//! Each step fails once, before it acts or after, and once more is repeated.

use doorbuster::{
    checkout::NoticeCode,
    ledger::{
        Fact,
        entry::OperationWrite,
        row::{OperationState, SessionState},
    },
};

use crate::shop::{
    On, TestShop,
    bank::{Call, Trouble},
    in_shops_on_both,
    troubles::Failing,
};

in_shops_on_both!(
    a_step_that_fails_before_it_acts_leaves_a_clean_slate,
    a_step_whose_success_is_not_heard_of_still_counts_once,
    a_step_that_meets_another_batch_is_judged_again,
    the_express_lane_leaves_nothing_when_it_fails,
    a_void_that_fails_stays_owed,
    a_capture_whose_record_is_lost_is_not_taken_twice,
    every_request_sent_again_gets_the_same_bytes,
    a_key_belongs_to_one_request,
    an_authorization_the_bank_refuses_is_a_decline,
    a_call_that_never_arrives_is_made_again,
    a_call_cut_off_after_one_without_an_answer_declines_nothing,
);

/// The steps that ask somebody who may fail. The first of all, judging, asks nobody: what breaks in
/// it is in `judged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    Authorize,
    Place,
    Capture,
}

impl Step {
    const FALLIBLE: [Self; 4] = [Self::Begin, Self::Authorize, Self::Place, Self::Capture];
}

fn begins(fact: &Fact) -> bool {
    matches!(fact, Fact::Session(write) if write.attempt.is_some())
}

fn places(fact: &Fact) -> bool {
    matches!(fact, Fact::Place(_))
}

fn finishes_a_debt(fact: &Fact) -> bool {
    matches!(fact, Fact::Operation(OperationWrite { state: OperationState::Done, .. }))
}

fn fail(shop: &TestShop, step: Step, failing: Failing) {
    let trouble = if failing == Failing::After { Trouble::Unanswered } else { Trouble::NotSent };
    match step {
        Step::Begin => shop.commits.next(begins, failing),
        Step::Authorize => shop.bank.next(Call::Authorize, trouble),
        Step::Place => shop.commits.next(places, failing),
        Step::Capture => shop.bank.next(Call::Capture, trouble),
    }
}

async fn a_step_that_fails_before_it_acts_leaves_a_clean_slate(on: On) {
    for step in &Step::FALLIBLE {
        let step = *step;
        let shop = on.shop().await;
        shop.stock("TEE", 3).await;
        let ada = shop.shopper();
        ada.adds("TEE", 2).await.text();
        fail(&shop, step, Failing::Before);
        let told = ada.pays_as("pay", "success_token").await;
        match step {
            Step::Begin => {
                assert!(told.refusal().contains("unreachable"));
                assert_eq!(ada.state().await, SessionState::Open);
            }
            Step::Authorize => {
                assert!(told.says("\"status\""), "{}", told.text());
                assert!(ada.was_told(NoticeCode::PaymentUnavailable).await);
                assert_eq!(shop.bank.charges().len(), 0);
            }
            Step::Place => {
                assert!(told.refusal().contains("unreachable"));
                assert_eq!(ada.state().await, SessionState::Completing);
                shop.after(1).await;
                assert_eq!(ada.state().await, SessionState::Completed);
                assert!(ada.pays_as("pay", "success_token").await.is_replay());
            }
            Step::Capture => {
                assert!(told.says("\"completed\""), "{}", told.text());
                shop.after(1).await;
                assert_eq!(shop.captures(), 1);
            }
        }
        if matches!(step, Step::Begin | Step::Authorize) {
            assert_eq!((shop.orders().await, shop.level("TEE").await.held), (0, 2), "{step:?}");
            ada.cancels().await.text();
            assert_eq!(shop.captures(), 0);
        } else {
            assert_eq!((shop.orders().await, shop.level("TEE").await.sold), (1, 2), "{step:?}");
        }
        shop.assert_clean_slate().await;
        shop.closes().await;
    }
}

async fn a_step_whose_success_is_not_heard_of_still_counts_once(on: On) {
    for step in &Step::FALLIBLE {
        let step = *step;
        let shop = on.shop().await;
        shop.stock("TEE", 3).await;
        let ada = shop.shopper();
        ada.adds("TEE", 2).await.text();
        fail(&shop, step, Failing::After);
        let told = ada.pays_as("pay", "success_token").await;
        assert!(told.says("\"completed\""), "{step:?}: {}", told.text());
        shop.after(1).await;
        let again = ada.pays_as("pay", "success_token").await;
        assert!(again.is_replay());
        assert_eq!(again.text(), told.text());
        let expected = [
            "cart_1 completed: 2 x TEE",
            "TEE: on hand 3, held 0, sold 2",
            "payment captured: EUR 39.80",
            "order.placed",
            "payment.captured",
        ];
        shop.assert_state(&expected).await;
        shop.assert_clean_slate().await;
        shop.closes().await;
    }
}

async fn a_step_that_meets_another_batch_is_judged_again(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 3).await;
    for which in [begins, places, finishes_a_debt] {
        shop.commits.next(which, Failing::Again);
        assert!(shop.shopper().buys(&[("TEE", 1)]).await.says("\"placed\""));
        shop.debts_are_paid().await;
    }
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn the_express_lane_leaves_nothing_when_it_fails(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 3).await;
    shop.commits.next(begins, Failing::Before);
    let ada = shop.shopper();
    assert!(ada.buys_as("a", &[("TEE", 1)], "success_token").await.refusal().contains("unreach"));
    assert!(ada.look().await.is_err(), "there is no session");
    shop.bank.next(Call::Authorize, Trouble::NotSent);
    let bob = shop.shopper();
    assert!(bob.buys_as("b", &[("TEE", 1)], "success_token").await.says("nothing was charged"));
    let cleo = shop.shopper();
    assert!(cleo.buys_as("c", &[("TEE", 1)], "fail_token").await.says("declined"));
    assert_eq!(shop.level("TEE").await.unallocated, 3);
    shop.assert_clean_slate().await;
    assert!(ada.buys_as("a", &[("TEE", 1)], "success_token").await.says("\"placed\""));
    shop.debts_are_paid().await;
    shop.closes().await;
}

async fn a_void_that_fails_stays_owed(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    super::rivals::a_late_call_is_let_go(&shop, &ada, Some(Trouble::Unanswered)).await;
    shop.after(1).await;
    assert_eq!(shop.bank.calls(Call::Void), 2, "asked again, and let go once");
    assert_eq!(shop.bank.open_authorizations(), 0);
    ada.cancels().await.text();
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_capture_whose_record_is_lost_is_not_taken_twice(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    shop.commits.next(finishes_a_debt, Failing::Before);
    let ada = shop.shopper();
    assert!(ada.buys(&[("TEE", 1)]).await.says("\"placed\""));
    shop.after(1).await;
    assert!(shop.bank.calls(Call::Capture) >= 2, "the debt was collected again");
    assert_eq!(shop.captures(), 1);
    let state = shop.state().await;
    assert_eq!(state.matches("payment.captured").count(), 1, "told once:\n{state}");
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn every_request_sent_again_gets_the_same_bytes(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    let ada = shop.shopper();
    let created = ada.wants_as("create", &[("TEE", 1)]).await;
    // Sent again, a create names a fresh checkout: the key finds the first one.
    let again = shop.shopper().wants_as("create", &[("TEE", 1)]).await;
    assert_eq!((again.is_replay(), again.text()), (true, created.text()));
    let updated = ada.wants_as("update", &[("TEE", 2)]).await;
    let declined = ada.pays_as("first", "fail_token").await;
    let placed = ada.pays_as("second", "success_token").await;
    shop.debts_are_paid().await;
    for round in 0..2 {
        let again = ada.wants_as("update", &[("TEE", 2)]).await;
        assert_eq!((again.is_replay(), again.text()), (true, updated.text()), "round {round}");
        let again = ada.pays_as("first", "fail_token").await;
        assert_eq!((again.is_replay(), again.text()), (true, declined.text()), "round {round}");
        let again = ada.pays_as("second", "success_token").await;
        assert_eq!((again.is_replay(), again.text()), (true, placed.text()), "round {round}");
    }
    let bob = shop.shopper();
    let bought = bob.buys_as("buy", &[("TEE", 1)], "success_token").await;
    let again = shop.shopper().buys_as("buy", &[("TEE", 1)], "success_token").await;
    assert_eq!((again.is_replay(), again.text()), (true, bought.text()));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (2, 2));
    assert_eq!(shop.level("TEE").await.sold, 3);
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_key_belongs_to_one_request(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    let ada = shop.shopper();
    ada.wants_as("mine", &[("TEE", 1)]).await.text();
    let told = ada.pays_with_another_body("mine").await;
    assert!(told.refusal().contains("another request"), "{told:?}");
    assert_eq!((shop.orders().await, shop.bank.calls(Call::Authorize)), (0, 0));
    shop.closes().await;
}

async fn an_authorization_the_bank_refuses_is_a_decline(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.bank.next(Call::Authorize, Trouble::Refused);
    assert!(ada.pays("success_token").await.says("account_closed"));
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn a_call_that_never_arrives_is_made_again(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.bank.next(Call::Authorize, Trouble::Lost);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert_eq!(shop.bank.calls(Call::Authorize), 2, "the bank had heard of nothing");
    assert_eq!(shop.bank.charges().len(), 1);
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

/// Found by the simulation: what is known not to have been sent tells nothing of an earlier call.
async fn a_call_cut_off_after_one_without_an_answer_declines_nothing(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.bank.next(Call::Authorize, Trouble::Unanswered);
    shop.bank.next(Call::Find, Trouble::Lost);
    shop.bank.next(Call::Authorize, Trouble::NotSent);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert_eq!(shop.bank.charges().len(), 1);
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}
