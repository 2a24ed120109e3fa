//! What pages of other origins may read: cross-origin resource sharing, as the Fetch standard has
//! it. Off unless origins are configured; discovery is for everybody to read.
//!
//! A key is a header that a page has to send itself, so nothing here is about credentials that a
//! browser would add.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
        },
    },
};

const METHODS: &str = "GET, HEAD, POST, PUT, DELETE";

/// Headers of requests that some route reads.
const REQUEST_HEADERS: &str = "accept, accept-language, api-version, authorization, \
     content-digest, content-type, idempotency-key, if-match, request-id, request-signature, \
     signature, signature-input, timestamp, traceparent, tracestate, ucp-agent, x-api-key, \
     x-request-id";

/// Headers of answers that a storefront acts upon.
const ANSWER_HEADERS: &str = "content-digest, etag, idempotency-key, idempotent-replayed, \
     location, request-id, retry-after, signature, signature-input, x-request-id";

/// How long a browser keeps what a preflight said: a changed configuration is known soon.
const PREFLIGHT_KEPT_SECONDS: &str = "600";

/// Where what everybody may read stands.
const DISCOVERY: &str = "/.well-known/";

/// The origins whose pages may read answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    is_any: bool,
    origins: Vec<String>,
}

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin; write `https://shop.example.com`, without a path, several with commas \
     between, or `*` for every one"
)]
pub struct NoOrigin(String);

impl Cors {
    /// Origins with commas or spaces between; `*` is every one.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn parse(text: &str) -> Result<Self, NoOrigin> {
        let mut cors = Self::default();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            match word {
                "*" => cors.is_any = true,
                word if is_origin(word) => cors.origins.push(word.to_ascii_lowercase()),
                word => return Err(NoOrigin(word.to_owned())),
            }
        }
        Ok(cors)
    }

    /// Whether every page may read.
    pub const fn is_any(&self) -> bool {
        self.is_any
    }

    fn is_off(&self) -> bool {
        !self.is_any && self.origins.is_empty()
    }

    /// What this request's answer says of who may read it.
    pub fn grant(&self, request: &ServiceRequest) -> Grant {
        let origin = request.headers().get(ORIGIN);
        if self.is_any || request.match_info().as_str().starts_with(DISCOVERY) {
            let everybody = HeaderValue::from_static("*");
            return Grant { origin: origin.map(|_| everybody), varies: false };
        }
        let named = origin.filter(|origin| {
            let text = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            self.origins.contains(&text)
        });
        Grant { origin: named.cloned(), varies: !self.is_off() }
    }
}

/// `https://shop.example.com:8443`: a scheme, a host and perhaps a port.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_of_host))
}

/// Which page may read an answer.
#[derive(Debug, Clone)]
pub struct Grant {
    origin: Option<HeaderValue>,
    varies: bool,
}

impl Grant {
    /// The answer to a browser that asks whether it may ask, where it may.
    pub fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || self.origin.is_none() {
            return None;
        }
        let mut answer = HttpResponse::NoContent().finish();
        let headers = answer.headers_mut();
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_KEPT_SECONDS),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Some(answer)
    }

    /// Says so in the headers of an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        if let Some(origin) = &self.origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let shown = HeaderValue::from_static(ANSWER_HEADERS);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, shown);
        }
        if self.varies {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cors;

    // breaks: let `is_origin` take whatever begins with a scheme
    #[test]
    fn origins_are_read_or_refused_by_name() {
        let cors = Cors::parse("https://shop.example, http://LOCALHOST:3000").expect("origins");
        assert_eq!(cors.origins, ["https://shop.example", "http://localhost:3000"]);
        assert!(!cors.is_any() && Cors::parse("*").expect("every one").is_any());
        assert!(Cors::parse(" ").expect("none").is_off());
        for wrong in ["https://shop.example/", "shop.example", "null", "https://", "https://a b*c"]
        {
            assert!(Cors::parse(wrong).is_err(), "{wrong}");
        }
    }
}
