//! The tariff behaves the same on both databases.

use doorbuster::{
    base::Timestamp,
    pricing::{ItemKind, Tariffs, TariffsRefused},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::bench::Bench;

async fn save(
    tariffs: &Tariffs,
    kind: ItemKind,
    document: &Value,
    now: Timestamp,
) -> Result<u64, TariffsRefused> {
    let item = kind.read(document).expect("it makes sense");
    tariffs.save(&item, document, "ada", now).await.map(|row| row.version)
}

fn percent(id: &str, code: Option<&str>) -> Value {
    let benefit = json!({"kind": "percent", "basis_points": 500});
    let mut document = json!({"id": id, "title": "Five percent", "benefit": benefit});
    if let Some(code) = code {
        document["code"] = code.into();
    }
    document
}

async fn what_is_kept_is_found_replaced_and_removed(bench: Bench) {
    let (here, there) =
        (Tariffs::new(bench.database.clone()), Tariffs::new(bench.database.clone()));
    let now = bench.now();
    assert!(here.current().is_empty() && here.list(ItemKind::Discounts).is_empty());
    let first = save(&here, ItemKind::Discounts, &percent("five", Some("FIVE")), now).await;
    assert_eq!(first.expect("saved"), 1);
    let rate = json!({"id": "std", "title": "Standard", "service": "standard",
        "amount_minor": 490, "currency": "EUR", "countries": ["DE"]});
    assert_eq!(save(&here, ItemKind::ShippingRates, &rate, now).await.expect("saved"), 2);
    assert!(here.current().delivers() && !there.current().delivers());
    there.follow().await.expect("reachable");
    assert_eq!(there.current(), here.current());
    let row = there.find(ItemKind::ShippingRates, "std").expect("it is there");
    assert_eq!((row.version, row.updated_at, &row.body), (2, now, &rate));

    let replaced = percent("five", None);
    assert_eq!(save(&there, ItemKind::Discounts, &replaced, now).await.expect("saved"), 3);
    here.follow().await.expect("reachable");
    assert_eq!(here.find(ItemKind::Discounts, "five").expect("it is there").body, replaced);
    here.remove(ItemKind::Discounts, "five", "ada", now).await.expect("removed");
    here.remove(ItemKind::Discounts, "five", "ada", now).await.expect("as good");
    there.follow().await.expect("reachable");
    assert_eq!(there.list(ItemKind::Discounts), []);
    assert_eq!(there.list(ItemKind::ShippingRates).len(), 1);
}

async fn a_code_has_one_discount_whoever_asks_first(bench: Bench) {
    let now = bench.now();
    let replicas: Vec<_> = (0..4).map(|_| Tariffs::new(bench.database.clone())).collect();
    let wanted = (0..8).map(|number: usize| {
        let (replica, id) = (&replicas[number % replicas.len()], format!("d{number}"));
        async move { save(replica, ItemKind::Discounts, &percent(&id, Some("ONE")), now).await }
    });
    let told = join_all(wanted).await;
    let kept: Vec<_> = told.iter().filter(|told| told.is_ok()).collect();
    assert_eq!(kept.len(), 1, "{told:?}");
    let taken =
        |told: &Result<u64, TariffsRefused>| matches!(told, Err(TariffsRefused::CodeTaken(_)));
    assert!(told.iter().all(|told| told.is_ok() || taken(told)), "{told:?}");
}

macro_rules! on_both {
    ($($scenario:ident $sqlite:ident $postgres:ident;)*) => {$(
        #[tokio::test]
        async fn $sqlite() {
            $scenario(Bench::sqlite().await).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $scenario(Bench::postgres().await).await;
        }
    )*};
}

on_both! {
    what_is_kept_is_found_replaced_and_removed kept_on_sqlite kept_on_postgres;
    a_code_has_one_discount_whoever_asks_first codes_on_sqlite codes_on_postgres;
}

#[tokio::test]
async fn behind_a_pooler() {
    what_is_kept_is_found_replaced_and_removed(Bench::pooled().await).await;
}
