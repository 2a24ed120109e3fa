//! The sandbox over a real socket.

use std::path::PathBuf;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    base::{AnchoredClock, Clock, Money, OrderId, Timestamp},
    outbound::{Client, OutboundSettings},
    payment::{
        Authorized, Credential, Decline, Found, Moved,
        remote::RemoteSandbox,
        sandbox::{SandboxSettings, read_book},
    },
};

/// A sandbox behind a real socket, and a client of it.
struct Shop {
    folder: TempDir,
    clock: Arc<dyn Clock>,
    gateway: RemoteSandbox,
    address: SocketAddr,
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::from_system());
        let settings = SandboxSettings { slow_ms: 30, ..SandboxSettings::default() };
        let sandbox = Sandbox::open(folder.path().join("book"), settings, clock.clone());
        let sandbox = Arc::new(sandbox.expect("a book"));
        let (server, address) = serve(sandbox, ([127, 0, 0, 1], 0).into()).expect("a port");
        actix_web::rt::spawn(server);
        let client = Client::new(&OutboundSettings::default()).expect("a client");
        let timeout = Duration::from_millis(300);
        let gateway = RemoteSandbox::new(&format!("http://{address}/"), client, timeout);
        Self { folder, clock, gateway, address }
    }

    fn book(&self) -> PathBuf {
        self.folder.path().join("book")
    }

    async fn pays(&self, number: u128, token: &str) -> Result<Authorized, GatewayFault> {
        let request = AuthorizeRequest {
            reference: reference(number),
            order: OrderId::from_uuid(Uuid::from_u128(number)),
            amount: euros(100),
            credential: Credential::new(token.into()),
            not_after: self.clock.now().plus(Duration::from_secs(10)),
            authenticate: false,
            return_url: String::new(),
        };
        self.gateway.authorize(&request).await
    }
}

fn reference(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

fn lookup(number: u128) -> Lookup {
    Lookup {
        reference: reference(number),
        order: OrderId::from_uuid(Uuid::from_u128(number)),
        amount: euros(100),
        not_after: Timestamp::from_micros(i64::MAX),
        known: None,
    }
}

fn euros(minor: i64) -> Money {
    Money::from_minor(minor, "EUR".parse().expect("a currency"))
}

#[actix_web::test]
async fn tokens_mean_the_same_over_http() {
    let shop = Shop::open();
    for (number, token) in [(1, "success_token"), (2, "slow_token")] {
        let answer = shop.pays(number, token).await;
        assert!(matches!(answer, Ok(Authorized::Approved { .. })), "{token}: {answer:?}");
    }
    let declined = Authorized::Declined(Decline::read("declined"));
    assert_eq!(shop.pays(3, "fail_token").await, Ok(declined));
    let challenged = shop.pays(4, "challenge_token").await;
    assert!(matches!(challenged, Ok(Authorized::Challenged { .. })), "{challenged:?}");
    let flaky = shop.pays(5, "flaky_token").await;
    assert!(matches!(flaky, Err(GatewayFault::Unknown(_))), "{flaky:?}");
    assert!(matches!(shop.pays(5, "flaky_token").await, Ok(Authorized::Approved { .. })));
    assert_eq!(read_book(shop.book()).expect("a book").len(), 5);
}

#[actix_web::test]
async fn the_lost_token_acts_and_keeps_the_line_silent() {
    let shop = Shop::open();
    let lost = shop.pays(1, "lost_token").await;
    assert!(matches!(lost, Err(GatewayFault::Unknown(_))), "{lost:?}");
    let found = shop.gateway.find(&lookup(1)).await;
    assert!(
        matches!(found, Ok(Found::Answered { answer: Authorized::Approved { .. }, .. })),
        "{found:?}"
    );
    assert_eq!(shop.gateway.find(&lookup(2)).await, Ok(Found::Nothing));
}

#[actix_web::test]
async fn money_moves_and_refusals_travel() {
    let shop = Shop::open();
    let Ok(Authorized::Approved { authorization, .. }) = shop.pays(1, "success_token").await else {
        panic!("approved")
    };
    let [paid, beyond] = [100, 101].map(|minor| MoneyRequest {
        part: 0,
        reference: reference(1),
        authorization: authorization.clone(),
        amount: euros(minor),
    });
    let refused = shop.gateway.capture(&beyond).await;
    assert!(matches!(refused, Err(GatewayFault::Refused(_))), "{refused:?}");
    assert_eq!(shop.gateway.capture(&paid).await, Ok(Moved::Done));
    assert!(matches!(shop.gateway.void(&paid).await, Err(GatewayFault::Refused(_))));
    assert_eq!(shop.gateway.refund(&paid).await, Ok(Moved::Done));
    let late = AuthorizeRequest {
        reference: reference(2),
        order: OrderId::from_uuid(Uuid::from_u128(2)),
        amount: euros(100),
        credential: Credential::new("success_token".into()),
        not_after: shop.clock.now().minus(Duration::from_secs(1)),
        authenticate: false,
        return_url: String::new(),
    };
    let late = shop.gateway.authorize(&late).await;
    assert!(matches!(late, Err(GatewayFault::NotSent(_))), "{late:?}");
}

#[actix_web::test]
async fn malformed_requests_are_told_so_and_the_list_of_charges_is_open() {
    let shop = Shop::open();
    shop.pays(1, "success_token").await.expect("approved");
    let client = Client::new(&OutboundSettings::default()).expect("a client");
    let at = |path: &str| format!("http://{}{path}", shop.address);
    let later = Duration::from_secs(5);
    let nonsense = serde_json::json!({ "amount": "a lot" });
    let answer = client.post_json::<_, ()>(&at("/authorize"), &nonsense, later).await;
    let Err(crate::outbound::OutboundFault::Status(409, body)) = answer else {
        panic!("{answer:?}")
    };
    assert!(body.contains("malformed request"), "{body}");
    let charges: serde_json::Value = client.get_json(&at("/charges"), later).await.expect("JSON");
    assert_eq!(charges[0]["attempts"], 1);
}

#[test]
fn a_public_address_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(AnchoredClock::from_system());
    let sandbox = Sandbox::open(folder.path().join("book"), SandboxSettings::default(), clock);
    let refused = serve(Arc::new(sandbox.expect("a book")), ([0, 0, 0, 0], 0).into());
    assert!(refused.is_err_and(|error| error.to_string().contains("loopback")));
}
