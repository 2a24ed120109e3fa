//! Stored answers on their way out.

use actix_web::{HttpResponse, http::StatusCode, http::header};

use super::{kinds::Kind, problem::Problem};
use crate::{checkout::Reply, ledger::entry::StoredAnswer};

/// The answer to a command.
pub fn of_reply(reply: &Reply) -> Result<HttpResponse, Problem> {
    match reply {
        Reply::Done(answer) => write(answer),
        Reply::Replay(answer) => replay(answer),
    }
}

/// An answer given again: the same status and bytes, and a header that says so.
pub fn replay(answer: &StoredAnswer) -> Result<HttpResponse, Problem> {
    let mut response = write(answer)?;
    response.headers_mut().insert(
        header::HeaderName::from_static("idempotent-replayed"),
        header::HeaderValue::from_static("true"),
    );
    Ok(response)
}

/// An answer as stored.
pub fn write(answer: &StoredAnswer) -> Result<HttpResponse, Problem> {
    let body = answer.body.open().map_err(|error| Problem::fault(Kind::Internal, error))?;
    let status = StatusCode::from_u16(answer.status)
        .map_err(|error| Problem::fault(Kind::Internal, error))?;
    let mut response = HttpResponse::build(status);
    let media = if answer.status < 400 { "application/json" } else { "application/problem+json" };
    response.insert_header((header::CONTENT_TYPE, media));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if answer.version > 0 {
        response.insert_header((header::ETAG, format!("\"{}\"", answer.version)));
    }
    Ok(response.body(body.to_owned()))
}
