//! Text that is the same for all who read it: made and compressed once, and not sent again to
//! whoever has it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
    },
    web::Bytes,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    io::Write,
    sync::{LazyLock, Mutex, PoisonError},
};

/// How a reader keeps it: for five minutes without asking, so that a new release is soon seen.
const KEPT_FOR: &str = "public, max-age=300";

/// One text.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    plain: Bytes,
    gzip: Bytes,
    /// Of the text itself; the compressed one is told apart by a suffix (RFC 9110, 8.8.3).
    digest: String,
}

/// What was made of the table for one address.
type Made = HashMap<(&'static str, String), Kept>;

/// The text of this name for this address: made when it is first asked for. Nobody needs a key to
/// ask, and making it takes milliseconds.
pub(super) fn kept(name: &'static str, base_url: &str, make: impl FnOnce(&str) -> String) -> Kept {
    static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = made.entry((name, base_url.to_owned()));
    text.or_insert_with(|| Kept::of(make(base_url).into())).clone()
}

impl Kept {
    fn of(plain: Bytes) -> Self {
        let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(&plain)[..12]);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let written = gzip.write_all(&plain).and_then(|()| gzip.finish());
        Self { gzip: written.expect("memory takes all that is written").into(), plain, digest }
    }

    /// The text as an answer to this request: compressed for whoever reads that, and not again to
    /// whoever has it.
    pub(super) fn answer(self, request: &HttpRequest, content_type: &'static str) -> HttpResponse {
        let headers = request.headers();
        let zips = reads_gzip(headers);
        let tag = format!("\"{}{}\"", self.digest, if zips { "-gzip" } else { "" });
        let is_there = has(headers, &tag);
        let mut answer = match is_there {
            true => HttpResponse::NotModified(),
            false => HttpResponse::Ok(),
        };
        answer
            .insert_header((ETAG, tag))
            .insert_header((CACHE_CONTROL, KEPT_FOR))
            .insert_header((VARY, ACCEPT_ENCODING.as_str()));
        if is_there {
            return answer.finish();
        }
        answer.content_type(content_type);
        if zips {
            answer.insert_header((CONTENT_ENCODING, "gzip"));
        }
        answer.body(if zips { self.gzip } else { self.plain })
    }
}

/// The members of a list in a header.
fn members(headers: &HeaderMap, name: actix_web::http::header::HeaderName) -> Vec<&str> {
    let lists = headers.get_all(name).filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).collect()
}

/// Whether the reader takes gzip: named, and not with a weight of 0. An encoding that is not named
/// is none we would choose.
fn reads_gzip(headers: &HeaderMap) -> bool {
    members(headers, ACCEPT_ENCODING).into_iter().any(|member| {
        let (coding, weight) = member.split_once(';').unwrap_or((member, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

/// Whether the reader has the text of this tag: compared weakly (RFC 9110, 13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let same = |member: &str| member == "*" || member.trim_start_matches("W/") == tag;
    members(headers, IF_NONE_MATCH).into_iter().any(same)
}
