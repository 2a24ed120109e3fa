//! `GET /.well-known/ucp`: what is spoken here, and where.

use actix_web::{HttpResponse, http::header, web};
use serde_json::Value;

use crate::http::door::Door;

/// The profile changes with a deployment; platforms may keep it for five minutes.
const CACHE: &str = "public, max-age=300";

/// Shows the profile.
pub async fn get(door: web::Data<Door>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, CACHE))
        .body(profile(&door.answers.blocks().profile, &door.trust.keys.jwks(door.clock.now())))
}

/// The profile with the keys that are published now.
fn profile(block: &Value, keys: &[Value]) -> String {
    let mut profile = block.clone();
    profile["signing_keys"] = keys.into();
    profile.to_string()
}
