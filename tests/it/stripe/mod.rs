//! Stripe, from the shopper to the books, against a fake of our own: the faults that others have
//! had with it, each by its name.

pub(crate) mod fake;
mod faults;
pub(crate) mod notifications;
mod reconciliation;
mod schema;

use doorbuster::{
    base::Clock,
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
    let shop = on.shop_paying_at(move |clock| Gateways::only(Arc::new(client(&url, clock)))).await;
    (shop, fake)
}

/// The shop's client of Stripe, which is at this address.
fn client(url: &str, clock: Arc<dyn Clock>) -> Stripe {
    let settings = StripeSettings {
        name: "stripe".into(),
        base: url.to_owned(),
        secret_key: "sk_test_shop".into(),
        webhook_secrets: vec![SECRET.into()],
        timeout: Duration::from_secs(5),
    };
    Stripe::new(settings, Client::new(&OutboundSettings::default()).expect("a client"), clock)
}
