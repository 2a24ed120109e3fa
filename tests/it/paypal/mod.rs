//! PayPal, from the shopper to the books, against a fake of our own: the faults that others have
//! had with it, each by its name.

mod acting;
pub(crate) mod fake;
mod faults;
mod forgeries;
mod money;
mod notifications;
mod orders;
mod schema;
mod validity;

use doorbuster::{
    base::{AttemptId, Clock, Money, OrderId, SystemChance, Timestamp},
    outbound::{Client, OutboundSettings},
    payment::{
        AuthorizeRequest, Credential, Gateways,
        paypal::{PayPal, PayPalSettings},
    },
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{sync::Arc, time::Duration};

use crate::shop::{On, TestShop};
use fake::Fake;

/// PayPal's name for the shop's webhook.
pub(crate) const WEBHOOK: &str = "5GP028458E2496506";

/// An empty shop whose money PayPal moves.
pub(crate) async fn shop(on: On) -> (TestShop, Fake) {
    let fake = Fake::start();
    let url = fake.url.clone();
    let shop = on.shop_paying_at(move |clock| Gateways::only(Arc::new(client(&url, clock)))).await;
    (shop, fake)
}

/// How the shop's account of PayPal is reached, at this address.
pub(crate) fn settings(url: &str) -> PayPalSettings {
    let root = include_bytes!("../fixtures/paypal/root.pem");
    let root = CertificateDer::from_pem_slice(root).expect("a certificate");
    PayPalSettings {
        name: "paypal".into(),
        url: Some(url.to_owned()),
        public_url: "https://shop.example".into(),
        client_id: fake::CLIENT.into(),
        client_secret: fake::SECRET.into(),
        webhook_id: Some(WEBHOOK.into()),
        sandbox: true,
        timeout: Duration::from_secs(5),
        roots: vec![root],
    }
}

/// The shop's client of PayPal, which is at this address.
pub(crate) fn client(url: &str, clock: Arc<dyn Clock>) -> PayPal {
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    PayPal::new(settings(url), client, clock).expect("a client")
}

/// When the shop asks, where it has no clock of its own.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-27T08:00:00Z").expect("a time")
}

/// A request for so many cents.
pub(crate) fn request(token: &str, minor: i64) -> AuthorizeRequest {
    let reference = AttemptId::new(now(), &SystemChance);
    AuthorizeRequest {
        reference,
        order: OrderId::from_uuid(reference.uuid()),
        amount: Money::from_minor(minor, "EUR".parse().expect("a currency")),
        credential: Credential::new(token.to_owned()),
        not_after: now().plus(Duration::from_secs(60)),
        authenticate: false,
        return_url: format!("https://shop.example/payments/return/{reference}"),
    }
}
