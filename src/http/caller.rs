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
    ucp01::{self, root::AtRoot},
};
use crate::access::{AccessRefused, Scope};

/// Who asks: an API key's id, or `anonymous`. Kept beside the request once they may be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// What people call the key that asks: who a reviewer is. Not there where access is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(pub Arc<str>);

/// Whose things a caller is shown. Kept beside the request once they may be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sees {
    /// Everybody's.
    All,
    /// Those of this storefront, which is theirs.
    Own(Arc<str>),
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Everybody: it is a page, it is watched, or it asks for a secret of its own.
    Nothing,
    /// Who has a key that allows this.
    Key(Scope),
    /// Who has a key that allows the first, and for what is its own, who has one for the second.
    Either(Scope, Scope),
}

/// Lets a request in whose caller may do what the route needs.
///
/// The route is the pattern that the router will match, on the path as the router reads it: how the
/// path was spelled, percent-encoded or not, changes nothing. Where nothing is mounted, and where
/// nobody has said who may use a route, nobody is let in.
pub async fn admit(
    request: &ServiceRequest,
    pattern: Option<&str>,
    door: &Door,
) -> Result<(), Problem> {
    let at_root = AtRoot::speaks(request.request());
    let needed = pattern.and_then(|pattern| needed(request.method(), pattern, at_root));
    let needed = needed.ok_or_else(nothing_here)?;
    let (Need::Key(scope) | Need::Either(scope, _)) = needed else { return Ok(()) };
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let caller = door.access.caller(text("authorization"), text("x-api-key")).await?;
    let id: Arc<str> = caller.id.as_str().into();
    let sees = match (caller.may(scope), needed) {
        (Err(_), Need::Either(_, own)) if caller.may(own).is_ok() => Sees::Own(id.clone()),
        (allowed, _) => allowed.map(|()| Sees::All)?,
    };
    if let Some(name) = &caller.name {
        request.extensions_mut().insert(Named(name.as_str().into()));
    }
    request.extensions_mut().insert(sees);
    request.extensions_mut().insert(Caller(id));
    Ok(())
}

/// The pattern of the resource that the router will choose. `match_pattern` of the request would
/// look for the path as it was spelled, until the router has been there.
pub(super) fn pattern(request: &ServiceRequest) -> Option<String> {
    request.resource_map().match_pattern(request.match_info().as_str())
}

/// What is answered where nothing is.
pub(super) fn nothing_here() -> Problem {
    Problem::new(Kind::NotFound, "There is nothing at this address.")
}

/// Who may use the route of this pattern; `None` where nobody has said. What is told of an order
/// gives money back: that is the back office's. `at_root` is whether UCP 2026-01-11 answers at the
/// root of the shop.
pub(super) fn needed(method: &Method, pattern: &str, at_root: bool) -> Option<Need> {
    let below = |base: &str| pattern.strip_prefix(base).filter(|rest| rest.starts_with('/'));
    let checkout = Some(Need::Key(Scope::Checkout));
    if let Some(rest) = below(ucp01::BASE_PATH).or(at_root.then_some(pattern)) {
        match (rest, method) {
            ("/orders/{id}", &Method::PUT) => return Some(Need::Key(Scope::BackofficeWrite)),
            ("/orders/{id}", _) => return checkout,
            _ => {}
        }
    }
    match pattern {
        "/healthz"
        | "/readyz"
        | "/metrics"
        | "/.well-known/ucp"
        | "/.well-known/ucp/2026-04-08"
        | "/.well-known/ucp/2026-01-11"
        | "/.well-known/acp.json"
        | "/openapi.json"
        | "/docs"
        | "/docs/postman.json"
        | "/docs/{guide}"
        | "/policies/{name}"
        | "/problems/{code}"
        | "/orders/{id}"
        | "/checkouts/{id}"
        // A buyer who comes back has no key; a gateway signs what it tells.
        | "/payments/return/{attempt}"
        | "/webhooks/{gateway}" => Some(Need::Nothing),
        // Their secret lets in, and nothing else.
        "/testing/simulate-shipping/{id}" | "/ucp/2026-01-11/testing/simulate-shipping/{id}" => {
            Some(Need::Nothing)
        }
        "/v1/orders" if *method == Method::POST => checkout,
        // A storefront finds what became of its own payments.
        "/v1/assessments" => Some(Need::Either(Scope::BackofficeRead, Scope::Checkout)),
        _ if below("/v1/cases").is_some() && !method.is_safe() => Some(Need::Key(Scope::Cases)),
        // Whoever makes keys makes one that may do everything.
        "/v1/keys" => Some(Need::Key(Scope::Admin)),
        _ if below("/v1/keys").is_some() => Some(Need::Key(Scope::Admin)),
        _ if below("/ucp").is_some() || below("/acp").is_some() => checkout,
        // At the root of the shop, where that version is.
        "/checkout-sessions" => checkout,
        _ if below("/checkout-sessions").is_some() => checkout,
        _ if below("/v1").is_some() && method.is_safe() => Some(Need::Key(Scope::BackofficeRead)),
        _ if below("/v1").is_some() => Some(Need::Key(Scope::BackofficeWrite)),
        _ => None,
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

impl FromRequest for Sees {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sees = request.extensions().get::<Self>().cloned();
        let missing = || Problem::fault(Kind::Internal, "the route asks for no scope");
        std::future::ready(sees.ok_or_else(missing))
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
        let key = |scope| Some(Need::Key(scope));
        for (method, pattern, expected) in [
            (&post, "/ucp/checkout-sessions", key(Scope::Checkout)),
            (&get, "/ucp/orders/{id}", key(Scope::Checkout)),
            (&post, "/acp/checkout_sessions", key(Scope::Checkout)),
            (&get, "/.well-known/acp.json", Some(Need::Nothing)),
            (&post, "/v1/orders", key(Scope::Checkout)),
            (&get, "/v1/orders", key(Scope::BackofficeRead)),
            (&post, "/v1/orders/{id}/lines/{line}/{kind}", key(Scope::BackofficeWrite)),
            (&put, "/v1/products/{sku}", key(Scope::BackofficeWrite)),
            (&get, "/v1/stock", key(Scope::BackofficeRead)),
            (&get, "/v1/cases/{order}", key(Scope::BackofficeRead)),
            (&post, "/v1/cases/{order}/{action}", key(Scope::Cases)),
            (&get, "/v1/assessments", Some(Need::Either(Scope::BackofficeRead, Scope::Checkout))),
            (&get, "/v1/keys", key(Scope::Admin)),
            (&post, "/v1/keys/{id}/revoke", key(Scope::Admin)),
            (&get, "/healthz", Some(Need::Nothing)),
            (&get, "/.well-known/ucp", Some(Need::Nothing)),
            (&get, "/ucp/2026-01-11/orders/{id}", key(Scope::Checkout)),
            (&put, "/ucp/2026-01-11/orders/{id}", key(Scope::BackofficeWrite)),
            (&put, "/ucp/2026-01-11/checkout-sessions/{id}", key(Scope::Checkout)),
            (&get, "/orders/{id}", Some(Need::Nothing)),
        ] {
            assert_eq!(needed(method, pattern, false), expected, "{method} {pattern}");
        }
    }

    #[test]
    fn a_version_at_the_root_needs_there_what_it_needs_below_its_path() {
        let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
        let key = |scope| Some(Need::Key(scope));
        for (method, pattern, expected) in [
            (&get, "/orders/{id}", key(Scope::Checkout)),
            (&put, "/orders/{id}", key(Scope::BackofficeWrite)),
            (&post, "/checkout-sessions", key(Scope::Checkout)),
            (&post, "/testing/simulate-shipping/{id}", Some(Need::Nothing)),
            (&get, "/v1/orders", key(Scope::BackofficeRead)),
            (&get, "/policies/{name}", Some(Need::Nothing)),
        ] {
            assert_eq!(needed(method, pattern, true), expected, "{method} {pattern}");
        }
    }

    // breaks: let the last arm of `needed` answer `Some(Need::Nothing)`
    #[test]
    fn a_route_of_which_nobody_said_who_may_use_it_is_nobodys() {
        for pattern in ["", "/", "/v1", "/v2/orders", "/ucpx/orders/{id}", "/admin", "/metricsx"] {
            for method in [Method::GET, Method::PUT] {
                assert_eq!(needed(&method, pattern, false), None, "{pattern}");
                assert_eq!(needed(&method, pattern, true), None, "{pattern}");
            }
        }
    }
}
