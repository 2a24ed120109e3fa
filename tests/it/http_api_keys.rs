//! API keys over the API: one takes over from another, and nothing is lost.

use actix_web::test::TestRequest;
use doorbuster::access::Scope;
use serde_json::{Value, json};

use super::{
    http_answer::Answer,
    http_shop::{Shop, fresh_key},
    http_ucp::{SESSIONS, cart, pay},
    http_v1::order,
};

impl Shop {
    /// Asks as whoever has this key, under this idempotency key.
    async fn posts_as(&self, key: &str, once: &str, path: &str, body: &Value) -> Answer {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("x-api-key", key))
            .insert_header(("idempotency-key", once))
            .insert_header(("content-type", "application/json"))
            .insert_header(("ucp-agent", "profile=\"https://platform.example/profile\""))
            .set_payload(body.to_string());
        self.send(request).await
    }

    async fn reads_as(&self, key: &str, path: &str) -> Answer {
        let request = TestRequest::get().uri(path).insert_header(("x-api-key", key));
        let agent = ("ucp-agent", "profile=\"https://platform.example/profile\"");
        self.send(request.insert_header(agent)).await
    }

    async fn makes(&self, admin: &str, wish: &Value) -> Value {
        let made = self.posts_as(admin, &fresh_key(), "/v1/keys", wish).await;
        assert_eq!(made.status, 201, "{}", made.json());
        made.json()
    }
}

fn text(made: &Value) -> String {
    made["key"].as_str().expect("its text").to_owned()
}

// breaks: let `Caller` be known by the key's own id
#[actix_web::test]
async fn what_one_key_opened_another_of_its_storefront_goes_on_with() {
    let (shop, admin) = Shop::open().await.with_key_for(Scope::Admin).await;
    let first = shop.makes(&admin, &json!({"label": "web", "scopes": ["checkout"]})).await;
    let storefront = first["storefront"].clone();
    assert_eq!(storefront, first["id"], "its first key names a storefront");
    let next = json!({"label": "web, next", "scopes": ["checkout"], "storefront": storefront});
    let next = shop.makes(&admin, &next).await;
    let other = shop.makes(&admin, &json!({"label": "app", "scopes": ["checkout"]})).await;
    let [old, new, other] = [&first, &next, &other].map(text);

    let opened = shop.posts_as(&old, &fresh_key(), SESSIONS, &cart(&[("TEE", 1)])).await;
    let id = opened.json()["id"].as_str().expect("an id").to_owned();
    let once = fresh_key();
    let placed =
        shop.posts_as(&old, &once, "/v1/orders", &order(&[("CAP", 1)], "success_token")).await;
    assert_eq!(placed.status, 201, "{}", placed.json());

    let ended = format!("/v1/keys/{}/revoke", first["id"].as_str().expect("an id"));
    let ended = shop.posts_as(&admin, &fresh_key(), &ended, &json!({})).await;
    assert!(ended.status == 200 && ended.json()["revoked_at"].is_string(), "{}", ended.json());
    assert_eq!(shop.reads_as(&old, &format!("{SESSIONS}/{id}")).await.status, 401);

    assert_eq!(shop.reads_as(&new, &format!("{SESSIONS}/{id}")).await.status, 200);
    assert_eq!(shop.reads_as(&other, &format!("{SESSIONS}/{id}")).await.status, 404);
    let again =
        shop.posts_as(&new, &once, "/v1/orders", &order(&[("CAP", 1)], "success_token")).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "no second order");
    assert_eq!(again.json()["id"], placed.json()["id"]);
    let complete = format!("{SESSIONS}/{id}/complete");
    let paid = shop.posts_as(&new, &fresh_key(), &complete, &pay("success_token")).await;
    assert_eq!(paid.json()["status"], "completed", "{}", paid.json());
}

// breaks: store the answer of `create` with the text; end the last admin's key
#[actix_web::test]
async fn a_key_is_shown_once_listed_with_its_use_and_made_by_admins_alone() {
    let (shop, admin) = Shop::open().await.with_key_for(Scope::Admin).await;
    let wish = json!({"label": "till", "scopes": ["backoffice:write", "checkout"],
                      "expires_at": "2099-01-01T00:00:00Z"});
    let once = fresh_key();
    let made = shop.posts_as(&admin, &once, "/v1/keys", &wish).await.json();
    let again = shop.posts_as(&admin, &once, "/v1/keys", &wish).await;
    assert_eq!((&again.json()["id"], &again.json()["key"]), (&made["id"], &Value::Null));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let listed = shop.reads_as(&admin, "/v1/keys").await.json();
    let of = |id: &Value| {
        listed["items"].as_array().and_then(|all| all.iter().find(|key| key["id"] == *id))
    };
    let till = of(&made["id"]).expect("it is listed");
    assert_eq!(
        (&till["used_at"], &till["expires_at"]),
        (&Value::Null, &json!("2099-01-01T00:00:00.000000Z"))
    );
    assert!(listed["items"][0]["used_at"].is_string(), "the admin's own was used: {listed}");
    assert!(!listed.to_string().contains(text(&made).rsplit('_').next().expect("a secret")));
    let own = format!("/v1/keys/{}/revoke", listed["items"][0]["id"].as_str().expect("an id"));
    let refused = shop.posts_as(&admin, &fresh_key(), &own, &json!({})).await;
    refused.problem(409, "last_admin_key");
    for path in ["/v1/keys", "/v1/keys/key_0/revoke"] {
        let refused = shop.posts_as(&text(&made), &fresh_key(), path, &wish).await;
        refused.problem(403, "forbidden");
    }
    assert_eq!(shop.reads_as(&text(&made), "/v1/keys").await.status, 403);
    let nobody = format!("key_{:032x}", 1);
    for (wish, at) in [
        (json!({"label": "", "scopes": ["admin"]}), "/label"),
        (json!({"label": "a\nb", "scopes": ["admin"]}), "/label"),
        (json!({"label": "x", "scopes": []}), "/scopes"),
        (json!({"label": "x", "scopes": ["root"]}), "/scopes/0"),
        (
            json!({"label": "x", "scopes": ["admin"], "expires_at": "2001-01-01T00:00:00Z"}),
            "/expires_at",
        ),
        (json!({"label": "x", "scopes": ["admin"], "storefront": nobody}), "/storefront"),
    ] {
        let refused = shop.posts_as(&admin, &fresh_key(), "/v1/keys", &wish).await;
        assert_eq!(refused.status, 422, "{wish}: {}", refused.json());
        assert_eq!(refused.json()["pointer"], at, "{}", refused.json());
    }
}
