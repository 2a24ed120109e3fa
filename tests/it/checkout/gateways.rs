//! Several gateways: which one is asked, and where everything about a payment goes after that.

use crate::shop::{
    On, TestShop,
    bank::{Bank, Call, Trouble},
    in_shops_on_both,
};

in_shops_on_both!(
    the_next_gateway_is_asked_where_the_first_cannot_have_acted,
    no_other_gateway_is_asked_where_the_first_may_have_acted,
);

fn spare(shop: &TestShop) -> &Bank {
    shop.spare.as_ref().expect("it has a second bank")
}

// breaks: a redirection that is not recorded, or a capture that goes to the first gateway
async fn the_next_gateway_is_asked_where_the_first_cannot_have_acted(on: On) {
    let shop = on.shop_with_spare().await;
    shop.stock("TEE", 1).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    shop.bank.next(Call::Authorize, Trouble::NotSent);
    assert!(ada.pays("success_token").await.says("\"completed\""));
    shop.debts_are_paid().await;
    assert!(shop.bank.charges().is_empty(), "the first one never heard of it");
    assert_eq!(spare(&shop).calls(Call::Capture), 1);
    assert_eq!(shop.bank.calls(Call::Capture), 0);
    let attempts = shop.store().list_attempts(None, 10).await.expect("the ledger answers");
    assert_eq!(attempts.len(), 1, "it is the same attempt");
    assert_eq!(attempts[0].gateway, "spare");
    shop.leaves().await;
}

// breaks: asking the next gateway after a fault of any kind, or after a decline
async fn no_other_gateway_is_asked_where_the_first_may_have_acted(on: On) {
    let shop = on.shop_with_spare().await;
    shop.stock("TEE", 9).await;
    for trouble in [Trouble::Unanswered, Trouble::Lost, Trouble::Refused] {
        let ada = shop.shopper();
        ada.adds("TEE", 1).await.text();
        shop.bank.next(Call::Authorize, trouble);
        ada.pays("success_token").await.text();
    }
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    // One call without an answer, and then none that arrives: what the first one did is unknown.
    shop.bank.next(Call::Authorize, Trouble::Unanswered);
    shop.bank.next(Call::Find, Trouble::NotSent);
    shop.bank.next(Call::Authorize, Trouble::NotSent);
    ada.pays("success_token").await.text();
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    assert!(ada.pays("fail_token").await.says("declined"));
    assert_eq!(spare(&shop).calls(Call::Authorize), 0);
    shop.debts_are_paid().await;
    shop.leaves().await;
}
