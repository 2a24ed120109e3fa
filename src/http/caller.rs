//! Who is asking.

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap, web};
use std::{future::Ready, sync::Arc};

use super::{door::Door, kinds::Kind, problem::Problem};

/// What a request shows to prove who sends it.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// The token of `Authorization: Bearer …`.
    pub bearer: Option<&'a str>,
    /// `X-API-Key`.
    pub api_key: Option<&'a str>,
}

/// Which part of the house a route belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// Checkout sessions and the express lane.
    Storefront,
    /// Products, stock, orders.
    BackOffice,
}

/// Who asks: an API key's id, or `anonymous`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// The request does not show a key that may do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefused {
    /// No key, or one we do not know.
    #[error("no valid API key was sent")]
    Unknown,
    /// A key without the needed scope.
    #[error("this key has no scope for this")]
    OutOfScope,
}

/// Tells callers apart and what they may do. Answers from memory: it is asked on every request.
pub trait Access: Send + Sync + 'static {
    /// Who asks, if they may be here.
    fn caller(&self, presented: Presented<'_>, area: Area) -> Result<Caller, AccessRefused>;
}

/// Everybody may do everything, as `anonymous`: for trying things out on one's own machine.
#[derive(Debug, Clone)]
pub struct OpenAccess(Caller);

impl Default for OpenAccess {
    fn default() -> Self {
        Self(Caller("anonymous".into()))
    }
}

impl Access for OpenAccess {
    fn caller(&self, _: Presented<'_>, _: Area) -> Result<Caller, AccessRefused> {
        Ok(self.0.clone())
    }
}

impl From<AccessRefused> for Problem {
    fn from(refused: AccessRefused) -> Self {
        match refused {
            AccessRefused::Unknown => Self::new(Kind::Unauthorized, "No valid API key was sent.")
                .suggest("Send it as `Authorization: Bearer …` or `X-API-Key: …`."),
            AccessRefused::OutOfScope => {
                Self::new(Kind::Forbidden, "The API key has no scope for this.")
            }
        }
    }
}

fn presented(headers: &HeaderMap) -> Presented<'_> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Presented {
        bearer: text("authorization").and_then(|value| value.strip_prefix("Bearer ")),
        api_key: text("x-api-key"),
    }
}

/// Who sends this request; the path tells the area.
pub fn caller_of(request: &HttpRequest, door: &Door) -> Result<Caller, Problem> {
    let back_office = request.path().starts_with("/v1/") && request.path() != "/v1/orders"
        || request.method() == actix_web::http::Method::GET && request.path() == "/v1/orders";
    let area = if back_office { Area::BackOffice } else { Area::Storefront };
    Ok(door.access.caller(presented(request.headers()), area)?)
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(door_of(request).and_then(|door| caller_of(request, door)))
    }
}

/// The door every route is mounted with.
pub fn door_of(request: &HttpRequest) -> Result<&web::Data<Door>, Problem> {
    request
        .app_data::<web::Data<Door>>()
        .ok_or_else(|| Problem::fault(Kind::Internal, "routes are mounted without their door"))
}
