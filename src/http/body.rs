//! Request bodies: read whole, within a size and a time. The server itself limits neither.

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    http::header,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;
use std::time::Duration;

use super::{kinds::Kind, problem::Problem};
use crate::base::Limits;

/// A body comes with its head, or on its heels. What takes longer is not waited for.
const SPARE: Duration = Duration::from_millis(20);

/// A body that has arrived; kept beside the request.
#[derive(Debug, Clone, Default)]
pub struct Body(pub Bytes);

/// Reads the body of a request.
pub async fn read(request: &mut ServiceRequest, limits: &Limits) -> Result<Bytes, Problem> {
    let declared = declared_length(request)?;
    if declared.is_some_and(|length| length > limits.body_bytes as u64) {
        return Err(too_large(limits));
    }
    let within = Duration::from_secs(limits.body_seconds);
    let collected = collect(request.take_payload(), limits);
    tokio::time::timeout(within, collected).await.unwrap_or_else(|_| {
        let text = format!("The body did not arrive within {} seconds.", limits.body_seconds);
        Err(Problem::new(Kind::BodyTimeout, text).limit(limits.body_seconds))
    })
}

/// Takes in a body that nobody will look at, if it is here already: a line with an unread body has
/// to be closed, and opening another costs both sides more than the refusal did.
pub async fn spare(request: &mut ServiceRequest, limits: &Limits) {
    let _unread = tokio::time::timeout(SPARE, collect(request.take_payload(), limits)).await;
}

/// Whether a body follows the head.
pub fn is_announced(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn declared_length(request: &ServiceRequest) -> Result<Option<u64>, Problem> {
    let Some(length) = request.headers().get(header::CONTENT_LENGTH) else { return Ok(None) };
    let number = length.to_str().ok().and_then(|text| text.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| Problem::new(Kind::MalformedRequest, "Content-Length is not a number."))
}

async fn collect(mut payload: Payload, limits: &Limits) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|_| Problem::new(Kind::MalformedRequest, "The body broke off."))?;
        let have = rest.as_ref().map_or(first.len(), BytesMut::len);
        if have + chunk.len() > limits.body_bytes {
            return Err(too_large(limits));
        }
        // Most bodies come in one chunk, which is then used as it is.
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&chunk),
            None if first.is_empty() => first = chunk,
            None => {
                let mut joined = BytesMut::from(&first[..]);
                joined.extend_from_slice(&chunk);
                rest = Some(joined);
            }
        }
    }
    Ok(rest.map_or(first, BytesMut::freeze))
}

fn too_large(limits: &Limits) -> Problem {
    let most = limits.body_bytes;
    Problem::new(Kind::BodyTooLarge, format!("A body may have at most {most} bytes."))
        .limit(most as u64)
}
