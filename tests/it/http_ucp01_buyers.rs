//! Buyers who come again over UCP 2026-01-11: their addresses are known.

use serde_json::{Value, json};

use super::{
    http_shop::Shop,
    http_storefront::{furnish, with},
    http_ucp01::{created, items, method, sent, update},
};

fn buyer(name: &str) -> Value {
    json!({"full_name": name, "email": format!("{name}@example.com")})
}

fn address(street: &str) -> Value {
    json!({"street_address": street, "address_locality": "Berlin", "postal_code": "10115",
           "address_country": "DE"})
}

/// A new session of this buyer that asks where to the goods may go.
async fn asks(shop: &Shop, name: &str) -> Value {
    let body = created(shop, &with(items(&[("EBOOK", 1), ("TEE", 1)]), "buyer", buyer(name))).await;
    let asked = update(shop, &body, &[("fulfillment", sent(Value::Null, None, None))]).await;
    let cancel = format!("{}/cancel", super::http_ucp01::path_of(&body));
    super::http_ucp01::say(shop, "POST", &cancel, &Value::Null).await;
    asked
}

fn ids(session: &Value) -> Vec<&str> {
    let destinations = method(session)["destinations"].as_array().expect("a list");
    destinations.iter().map(|one| one["id"].as_str().expect("an id")).collect()
}

#[actix_web::test]
async fn an_address_is_kept_for_the_next_time_under_the_id_it_got() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    assert!(ids(&asks(&shop, "ada").await).is_empty(), "nobody is known yet");
    let body = created(&shop, &with(items(&[("TEE", 1)]), "buyer", buyer("ada"))).await;
    let sends = |list: Value| [("fulfillment", sent(list, None, None))];
    let first = update(&shop, &body, &sends(json!([address("1 Main St")]))).await;
    let [id] = ids(&first)[..] else { panic!("one address: {first:#}") };
    assert_eq!(method(&first)["selected_destination_id"], id, "where there is no choice");
    let again = update(&shop, &body, &sends(json!([address("1 MAIN ST")]))).await;
    assert_eq!(ids(&again), [id]);
    let named = with(address("2 Main St"), "id", json!("dest_new"));
    let second = update(&shop, &body, &sends(json!([named]))).await;
    assert_eq!(ids(&second), ["dest_new"]);

    let known = asks(&shop, "ada").await;
    assert_eq!(ids(&known), [id, "dest_new"]);
    assert_eq!(method(&known)["selected_destination_id"], Value::Null, "the buyer chooses");
    assert_eq!(method(&known)["destinations"][0]["street_address"], "1 Main St");
    let body = created(&shop, &with(items(&[("TEE", 1)]), "buyer", buyer("ADA"))).await;
    let chosen = [("fulfillment", sent(Value::Null, Some("dest_new"), None))];
    let chosen = update(&shop, &body, &chosen).await;
    assert_eq!(method(&chosen)["selected_destination_id"], "dest_new");
    assert!(!method(&chosen)["groups"].as_array().expect("a list").is_empty());
    assert!(ids(&asks(&shop, "grace").await).is_empty(), "what one told is no other's");
}

#[actix_web::test]
async fn an_id_that_is_another_addresss_is_changed_and_the_choice_follows() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let body = created(&shop, &with(items(&[("TEE", 1)]), "buyer", buyer("ada"))).await;
    for street in ["1 Main St", "2 Main St"] {
        let list = json!([with(address(street), "id", json!("dest_1"))]);
        let change = [("fulfillment", sent(list, Some("dest_1"), Some("standard")))];
        let told = update(&shop, &body, &change).await;
        assert_eq!(method(&told)["selected_destination_id"], ids(&told)[0]);
        assert_eq!(
            (ids(&told)[0] == "dest_1", &told["status"]),
            (street == "1 Main St", &json!("ready_for_complete"))
        );
    }
    assert_eq!(ids(&asks(&shop, "ada").await).len(), 2);
}

#[actix_web::test]
async fn the_latest_addresses_are_kept_and_those_of_a_refused_request_are_not() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    let body = created(&shop, &with(items(&[("TEE", 1)]), "buyer", buyer("ada"))).await;
    for batch in 0..2 {
        let street = |number| address(&format!("{batch}{number:02} Main St"));
        let list: Vec<_> = (0..15).map(street).collect();
        update(&shop, &body, &[("fulfillment", sent(json!(list), None, None))]).await;
    }
    let known = asks(&shop, "ada").await;
    assert_eq!(ids(&known).len(), 20);
    assert_eq!(method(&known)["destinations"][0]["street_address"], "010 Main St");
    let refused = with(items(&[("TEE", 100)]), "buyer", buyer("bob"));
    let refused = with(refused, "fulfillment", sent(json!([address("1 Main St")]), None, None));
    let session = super::http_ucp01::SESSIONS;
    assert_eq!(super::http_ucp01::say(&shop, "POST", session, &refused).await.status, 400);
    assert!(ids(&asks(&shop, "bob").await).is_empty());
}
