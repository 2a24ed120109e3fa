//! One name per request, from the caller's log to ours.

use actix_web::http::header::HeaderMap;
use std::sync::Arc;

use super::door::Door;
use crate::base::EventId;

/// Longer than any tracing system's id.
const LONGEST: usize = 128;

/// The id of the request at hand; kept beside the request.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// The caller's id, when it is fit to stand in a log line, or a fresh one.
pub fn of(headers: &HeaderMap, door: &Door) -> Arc<str> {
    ["request-id", "x-request-id"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .find(|id| is_fit(id))
        .map_or_else(|| fresh(door), Arc::from)
}

fn is_fit(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=LONGEST).contains(&id.len())
        && id.bytes().all(plain)
        && super::free_text::refuse_card_number_as_name(id).is_ok()
}

fn fresh(door: &Door) -> Arc<str> {
    // Any of our ids has the bits; only its prefix does not fit.
    let bits = EventId::new(door.clock.now(), &*door.chance).uuid();
    format!("req_{}", bits.simple()).into()
}

#[cfg(test)]
mod tests {
    use super::is_fit;

    #[test]
    fn ids_that_would_forge_a_log_line_are_replaced() {
        assert!(is_fit("9f0c2e1a-7d44-4c1f-9a51-0b7f0e7a1c11"));
        for bad in ["", "a b", "a\nb", "<x>", "4111111111111111", &"a".repeat(129)] {
            assert!(!is_fit(bad), "{bad:?} was taken");
        }
    }
}
