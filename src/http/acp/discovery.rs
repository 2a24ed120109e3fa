//! `GET /.well-known/acp.json`: what is spoken here, and where.

use actix_web::{HttpResponse, http::header, web};

use crate::http::door::Door;

/// The document changes with a deployment; platforms may keep it for five minutes.
const CACHE: &str = "public, max-age=300";

/// Shows the document.
pub async fn get(door: web::Data<Door>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, CACHE))
        .body(door.answers.acp().discovery.clone())
}
