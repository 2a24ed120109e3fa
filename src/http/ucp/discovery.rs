//! `GET /.well-known/ucp`: what is spoken here, and where.

use actix_web::{HttpResponse, http::header, web};

use crate::http::{door::Door, signed};

/// The profile changes with a deployment; platforms may keep it for five minutes.
const CACHE: &str = "public, max-age=300";

/// Shows the profile.
pub async fn get(door: web::Data<Door>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, CACHE))
        .body(signed::with_keys(&door, &door.answers.blocks().profile))
}
