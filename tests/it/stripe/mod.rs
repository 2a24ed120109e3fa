//! Stripe, from the shopper to the books, against a fake of our own: the faults that others have
//! had with it, each by its name.

pub(crate) mod fake;
mod faults;
mod notifications;

use doorbuster::{
    outbound::{Client, OutboundSettings},
    payment::{
        Gateways,
        stripe::{Stripe, StripeSettings},
    },
};
use std::{sync::Arc, time::Duration};

use crate::shop::{On, TestShop};
use fake::Fake;

/// The signing secret of the shop's endpoint.
pub(crate) const SECRET: &str = "whsec_of_the_shop";

/// An empty shop whose money Stripe moves.
pub(crate) async fn shop(on: On) -> (TestShop, Fake) {
    let fake = Fake::start();
    let url = fake.url.clone();
    let shop = on
        .shop_paying_at(move |clock| {
            let settings = StripeSettings {
                name: "stripe".into(),
                base: url,
                secret_key: "sk_test_shop".into(),
                webhook_secrets: vec![SECRET.into()],
                timeout: Duration::from_secs(5),
            };
            let client = Client::new(&OutboundSettings::default()).expect("a client");
            Gateways::only(Arc::new(Stripe::new(settings, client, clock)))
        })
        .await;
    (shop, fake)
}
