//! The trace that a request is part of, as its caller says: the header `traceparent` of W3C Trace
//! Context. Its id stands in our log and in problems, so that what happened here is found from
//! there. Nothing is exported.

use actix_web::http::header::HeaderMap;
use std::fmt;

/// The header.
const TRACEPARENT: &str = "traceparent";

/// Bytes of `00-<trace>-<parent>-<flags>`.
const VERSION_0_BYTES: usize = 55;

/// The id of a trace: 32 digits of lower-case hexadecimal, not all of them 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 32]);

impl TraceId {
    /// The id that a request came with. None, where there is no header, several, or one that does
    /// not follow the standard: then a trace begins anew, and that is no reason to refuse anybody.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(TRACEPARENT);
        let (first, second) = (all.next()?, all.next());
        if second.is_some() { None } else { Self::parse(first.as_bytes()) }
    }

    fn parse(header: &[u8]) -> Option<Self> {
        let (known, rest) = header.split_at_checked(VERSION_0_BYTES)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let (parent, flags) = (parts.next()?, parts.next()?);
        let is_hex =
            |part: &[u8], length: usize| part.len() == length && part.iter().all(is_hex_digit);
        let is_said = |part: &[u8]| part.iter().any(|digit| *digit != b'0');
        // A later version may say more, behind another hyphen.
        let may_say_more = version != b"00" && rest.first() == Some(&b'-');
        let is_well_formed = is_hex(version, 2)
            && version != b"ff"
            && is_hex(trace, 32)
            && is_said(trace)
            && is_hex(parent, 16)
            && is_said(parent)
            && is_hex(flags, 2)
            && parts.next().is_none()
            && (rest.is_empty() || may_say_more);
        is_well_formed.then(|| trace.try_into().ok().map(Self)).flatten()
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("invariant: hexadecimal digits")
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn is_hex_digit(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.append(HeaderName::from_static(TRACEPARENT), value);
        }
        TraceId::of(&headers).map(|id| id.to_string())
    }

    // breaks: take upper case, ids of nothing but 0, version ff, or more behind version 00
    #[test]
    fn a_trace_is_what_the_standard_says() {
        let parent = "00f067aa0ba902b7";
        for fine in [
            format!("00-{TRACE}-{parent}-01"),
            format!("00-{TRACE}-{parent}-00"),
            format!("cc-{TRACE}-{parent}-01"),
            format!("cc-{TRACE}-{parent}-01-what-comes"),
        ] {
            assert_eq!(of(&[&fine]).as_deref(), Some(TRACE), "{fine}");
        }
        let (zeros, short) = ("0".repeat(32), &TRACE[1..]);
        for bad in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-{parent}"),
            format!("ff-{TRACE}-{parent}-01"),
            format!("00-{zeros}-{parent}-01"),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{parent}-01", TRACE.to_uppercase()),
            format!("00-{short}x-{parent}-01"),
            format!("00-{short}-{parent}-011"),
            format!("00-{TRACE}-{parent}-01-what-comes"),
            format!("cc-{TRACE}-{parent}-01.what-comes"),
            format!("00_{TRACE}_{parent}_01"),
        ] {
            assert_eq!(of(&[&bad]), None, "{bad}");
        }
        let one = format!("00-{TRACE}-{parent}-01");
        assert_eq!(of(&[&one, &one]), None, "which of them?");
    }
}
