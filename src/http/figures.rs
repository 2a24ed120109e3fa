//! Rate, errors and duration of every route.

use actix_web::http::{Method, StatusCode};
use std::time::Instant;

/// Counts requests by route pattern, method and class of status.
const REQUESTS: &str = "http_requests_total";
/// How long they took.
const DURATION: &str = "http_request_duration_seconds";

/// Measures one request.
#[derive(Debug)]
pub struct Timer(Instant);

impl Timer {
    /// Starts now.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "measures; decides nothing")]
        let now = Instant::now();
        Self(now)
    }

    /// Counts the request. Routes are patterns, never paths: their number is known.
    pub fn stop(&self, method: &Method, route: &str, status: StatusCode) {
        let class = match status.as_u16() {
            100..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        let labels = [
            ("route", route.to_owned()),
            ("method", known(method).to_owned()),
            ("status", class.to_owned()),
        ];
        metrics::counter!(REQUESTS, &labels).increment(1);
        metrics::histogram!(DURATION, &labels).record(self.0.elapsed());
    }
}

/// The method, when it is one of the usual ones: callers may invent others.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
