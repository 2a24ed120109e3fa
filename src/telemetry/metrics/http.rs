//! What requests were answered.

use metrics::{counter, histogram};
use std::time::Duration;

use super::{Label, METERS, Method, StatusClass};

pub(super) const HTTP_REQUESTS: &str = "http_requests_total";
pub(super) const HTTP_DURATION: &str = "http_request_duration_seconds";

/// A request was answered. `route` is the pattern that matched, never the path.
pub fn http_request(route: &str, method: Method, status: u16, took: Duration) {
    if METERS.get().is_none() {
        return;
    }
    let (route, method) = (route.to_owned(), method.text());
    let class = StatusClass::of(status).text();
    histogram!(HTTP_DURATION, "route" => route.clone(), "method" => method).record(took);
    counter!(HTTP_REQUESTS, "route" => route, "method" => method, "status_class" => class)
        .increment(1);
}
