//! Who is asking, and what the route needs of them.

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::Method,
    web,
};
use std::{future::Ready, sync::Arc};

use super::{
    door::Door,
    kinds::Kind,
    problem::Problem,
    ucp01::{
        self,
        root::{self, AtRoot},
    },
};
use crate::access::{AccessRefused, Scope};

/// Who asks: an API key's id, or `anonymous`. Kept beside the request once they may be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// Lets a request in whose caller may do what the route needs. Whoever only watches, or reads a
/// page, needs nothing.
pub async fn admit(request: &ServiceRequest, door: &Door) -> Result<(), Problem> {
    let at_root = request.app_data::<AtRoot>().is_some() && !root::is_for_people(request.head());
    let Some(needed) = needed(request.method(), request.path(), at_root) else { return Ok(()) };
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let caller = door.access.caller(text("authorization"), text("x-api-key")).await?;
    caller.may(needed)?;
    request.extensions_mut().insert(Caller(caller.id.into()));
    Ok(())
}

/// The scope a route needs. What is told of an order gives money back: that is the back office's.
pub(super) fn needed(method: &Method, path: &str, at_root: bool) -> Option<Scope> {
    let root = if at_root { path } else { "" };
    let first = path.strip_prefix(ucp01::BASE_PATH).unwrap_or(root);
    if first.starts_with("/orders/") && *method == Method::PUT {
        return Some(Scope::BackofficeWrite);
    }
    if first.starts_with("/testing/") {
        // Its secret lets in, and nothing else.
        return None;
    }
    let is_shopping = ["/ucp/", "/acp/"].iter().any(|base| path.starts_with(base))
        || ["/checkout-sessions", "/orders/"].iter().any(|base| root.starts_with(base));
    if is_shopping || (path == "/v1/orders" && *method == Method::POST) {
        Some(Scope::Checkout)
    } else if path.starts_with("/v1/") {
        Some(if method.is_safe() { Scope::BackofficeRead } else { Scope::BackofficeWrite })
    } else {
        None
    }
}

impl From<AccessRefused> for Problem {
    fn from(refused: AccessRefused) -> Self {
        let kind = match &refused {
            AccessRefused::KeyMissing | AccessRefused::KeyInvalid => Kind::Unauthorized,
            AccessRefused::ScopeMissing { .. } => Kind::Forbidden,
            AccessRefused::Ledger(fault) => return fault.clone().into(),
        };
        Self::new(kind, super::refusal::sentence(&refused))
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(caller_of(request))
    }
}

/// The caller who was let in.
pub fn caller_of(request: &HttpRequest) -> Result<Caller, Problem> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Problem::fault(Kind::Internal, "the route asks for no scope"))
}

/// The door every route is mounted with.
pub fn door_of(request: &HttpRequest) -> Result<&web::Data<Door>, Problem> {
    request
        .app_data::<web::Data<Door>>()
        .ok_or_else(|| Problem::fault(Kind::Internal, "routes are mounted without their door"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_needs_what_its_work_needs() {
        let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
        for (method, path, expected) in [
            (&post, "/ucp/checkout-sessions", Some(Scope::Checkout)),
            (&get, "/ucp/orders/ord_1", Some(Scope::Checkout)),
            (&post, "/acp/checkout_sessions", Some(Scope::Checkout)),
            (&get, "/.well-known/acp.json", None),
            (&post, "/v1/orders", Some(Scope::Checkout)),
            (&get, "/v1/orders", Some(Scope::BackofficeRead)),
            (&post, "/v1/orders/ord_1/lines/1/ship", Some(Scope::BackofficeWrite)),
            (&put, "/v1/products/TEE", Some(Scope::BackofficeWrite)),
            (&get, "/v1/stock", Some(Scope::BackofficeRead)),
            (&get, "/healthz", None),
            (&get, "/.well-known/ucp", None),
            (&get, "/ucp/2026-01-11/orders/ord_1", Some(Scope::Checkout)),
            (&put, "/ucp/2026-01-11/orders/ord_1", Some(Scope::BackofficeWrite)),
            (&put, "/ucp/2026-01-11/checkout-sessions/chk_1", Some(Scope::Checkout)),
            (&post, "/ucp/2026-01-11/testing/simulate-shipping/ord_1", None),
            (&get, "/orders/ord_1", None),
        ] {
            assert_eq!(needed(method, path, false), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_version_at_the_root_needs_there_what_it_needs_below_its_path() {
        let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
        for (method, path, expected) in [
            (&get, "/orders/ord_1", Some(Scope::Checkout)),
            (&put, "/orders/ord_1", Some(Scope::BackofficeWrite)),
            (&post, "/checkout-sessions", Some(Scope::Checkout)),
            (&post, "/testing/simulate-shipping/ord_1", None),
            (&get, "/v1/orders", Some(Scope::BackofficeRead)),
            (&get, "/policies/terms", None),
        ] {
            assert_eq!(needed(method, path, true), expected, "{method} {path}");
        }
    }
}
