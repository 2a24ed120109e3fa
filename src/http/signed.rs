//! Requests that are signed, and answers that we sign (RFC 9421; the first version of UCP signs
//! bodies alone, by a detached JWS).
//!
//! The signer is the platform that `UCP-Agent` names; its keys stand in its profile. Whoever does
//! not sign is let in unless the configuration says otherwise, and so is a signature nobody can
//! check because the profile cannot be had: it is worth as much as none. One that is wrong never
//! is.

use actix_web::{
    HttpMessage, HttpResponse,
    dev::ServiceRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};

use serde_json::Value;

use super::{
    body::Body,
    door::{Door, Trust},
    kinds::Kind,
    platform,
    problem::{Dialect, Problem},
    refusal::sentence,
};
use crate::{
    base::Timestamp,
    platforms::{Profile, ProfileFault},
    signing::{
        Claim, Message, PublicKey, SignatureRefused, Target, UnusableKey, claims, content_digest,
        digest_holds, sign, verify_detached,
    },
};

const SIGNATURE_INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";
const CONTENT_DIGEST: &str = "content-digest";
const CONTENT_TYPE: &str = "content-type";
/// The header of the protocol's first version.
const REQUEST_SIGNATURE: &str = "request-signature";

/// Lets a request of a platform pass, if it is signed as it has to be.
///
/// A signature that covers the message (RFC 9421) counts over every version; one over the body
/// alone, by a detached JWS, over 2026-01-11, which has no other: whoever once saw a signed `{}`
/// has signed every request without a body. Whatever counts, every signature that is there must be
/// right.
pub async fn check(request: &ServiceRequest, door: &Door) -> Result<(), Problem> {
    let body_alone_counts = match Dialect::of(request.request()) {
        Dialect::Ucp => false,
        Dialect::Ucp202601 => true,
        Dialect::Plain | Dialect::Acp => return Ok(()),
    };
    let must = door.trust.must_sign;
    let has = |name: &str| request.headers().contains_key(name);
    let (over_message, over_body) =
        (has(SIGNATURE_INPUT) || has(SIGNATURE), has(REQUEST_SIGNATURE));
    if must && !over_message && !(over_body && body_alone_counts) {
        return Err(refused(&SignatureRefused::Missing));
    }
    if !over_message && !over_body {
        return Ok(());
    }
    let body = request.extensions().get::<Body>().cloned().unwrap_or_default();
    if over_message {
        settle(believe_message(request, &body.0, door).await, must)?;
    }
    if over_body { settle(believe_body(request, &body.0, door).await, must) } else { Ok(()) }
}

/// What cannot be checked is worth as much as no signature, where none is asked for.
fn settle(said: Result<(), Doubt>, must: bool) -> Result<(), Problem> {
    match said {
        Err(Doubt::NoProfile(fault)) if !must => {
            tracing::debug!(%fault, "a signature is not checked");
            Ok(())
        }
        Err(Doubt::NoJws) if !must => Ok(()),
        said => said.map_err(Problem::from),
    }
}

/// Why a signed request is not believed.
enum Doubt {
    Refused(SignatureRefused),
    /// The header of the first version is there, and holds no detached JWS. That version asked for
    /// the header before it said what stands in it, so that clients fill it with anything.
    NoJws,
    Digest(&'static str),
    NoAgent,
    NoProfile(ProfileFault),
    NoKey(String),
    OtherAlgorithm,
}

impl From<SignatureRefused> for Doubt {
    fn from(refused: SignatureRefused) -> Self {
        Self::Refused(refused)
    }
}

fn signer(headers: &HeaderMap) -> Result<Box<str>, Doubt> {
    let agent = joined(headers, "ucp-agent").unwrap_or_default();
    platform::profile(&agent).ok_or(Doubt::NoAgent)
}

/// Whether the detached JWS is of this body.
async fn believe_body(request: &ServiceRequest, body: &[u8], door: &Door) -> Result<(), Doubt> {
    let headers = request.headers();
    let signature = joined(headers, REQUEST_SIGNATURE).unwrap_or_default();
    // Who signed is read first, and the key is asked for.
    let named = verify_detached(&signature, body, |kid| Err(Doubt::NoKey(kid.to_owned())));
    let kid = match named {
        Err(Doubt::NoKey(kid)) => kid,
        Err(Doubt::Refused(SignatureRefused::Malformed(_))) => return Err(Doubt::NoJws),
        other => return other,
    };
    let key = key_of(&door.trust, &signer(headers)?, &kid).await?;
    verify_detached(&signature, body, |_| Ok(key))
}

/// Whether every signature is of this message.
async fn believe_message(request: &ServiceRequest, body: &[u8], door: &Door) -> Result<(), Doubt> {
    let (headers, now) = (request.headers(), door.clock.now());
    let signer = signer(headers)?;
    let (input, signature) = (joined(headers, SIGNATURE_INPUT), joined(headers, SIGNATURE));
    let claims = claims(input.as_deref(), signature.as_deref())?;
    check_digest(headers, body)?;
    let must_cover = must_cover(request, body);
    for claim in &claims {
        let key = key_of(&door.trust, &signer, &claim.keyid).await?;
        verify(request, door, claim, &key, &must_cover, now)?;
    }
    Ok(())
}

/// Behind a proxy the platform signed the public name, and the request may come under another.
fn verify(
    request: &ServiceRequest,
    door: &Door,
    claim: &Claim,
    key: &PublicKey,
    must_cover: &[&str],
    now: Timestamp,
) -> Result<(), SignatureRefused> {
    let header = |name: &str| joined(request.headers(), name);
    let (uri, base_url) = (request.uri(), &door.site().base_url);
    let named = joined(request.headers(), "host").unwrap_or_default().to_ascii_lowercase();
    let public = base_url.split_once("://").map_or("", |(_, rest)| rest);
    let public = public.split('/').next().unwrap_or_default();
    let mut said = Err(SignatureRefused::Wrong);
    for authority in [named.as_str(), public] {
        let authority = authority.trim_end_matches(":443").trim_end_matches(":80");
        let method = request.method().as_str();
        let target = Target::Request { method, authority, path: uri.path(), query: uri.query() };
        let message = Message { target, header: &header };
        said = claim.verify(&message, key, must_cover, now);
        if said != Err(SignatureRefused::Wrong) {
            break;
        }
    }
    said
}

/// What a signature must cover: all that says what is asked, of whom, by whom, and which attempt.
fn must_cover(request: &ServiceRequest, body: &[u8]) -> Vec<&'static str> {
    let mut covers = vec!["@method", "@authority", "@path", "ucp-agent"];
    covers.extend(request.uri().query().is_some().then_some("@query"));
    covers.extend(request.headers().contains_key("idempotency-key").then_some("idempotency-key"));
    if !body.is_empty() {
        covers.push(CONTENT_DIGEST);
        covers.extend(request.headers().contains_key(CONTENT_TYPE).then_some(CONTENT_TYPE));
    }
    covers
}

/// The digest is of the bytes as they came, or of their canonical form (RFC 8785): the protocol's
/// text says one, and its examples the other.
fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), Doubt> {
    let Some(header) = joined(headers, CONTENT_DIGEST) else { return Ok(()) };
    match digest_holds(&header, body) {
        Some(true) => Ok(()),
        Some(false) => {
            let read: Option<Value> = serde_json::from_slice(body).ok();
            let canonical = read.map(|read| read.to_string());
            match canonical.and_then(|text| digest_holds(&header, text.as_bytes())) {
                Some(true) => Ok(()),
                _ => Err(Doubt::Digest("Content-Digest is not of this body.")),
            }
        }
        None => Err(Doubt::Digest("Content-Digest has no `sha-256`.")),
    }
}

/// A key that the profile does not have may be newer than what is kept of the profile.
async fn key_of(trust: &Trust, signer: &str, kid: &str) -> Result<PublicKey, Doubt> {
    let found = |profile: &Profile| profile.key(kid).cloned();
    let profile = trust.platforms.profile(signer).await.map_err(Doubt::NoProfile)?;
    let key = match found(&profile) {
        Some(key) => Some(key),
        None => trust.platforms.newer_profile(signer).await.ok().and_then(|newer| found(&newer)),
    };
    match key {
        Some(Ok(key)) => Ok(key),
        Some(Err(UnusableKey::OtherAlgorithm)) => Err(Doubt::OtherAlgorithm),
        Some(Err(UnusableKey::Malformed)) | None => Err(Doubt::NoKey(kid.to_owned())),
    }
}

/// The value of a header; several are joined by commas.
pub fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).map(|value| value.to_str().unwrap_or_default().trim());
    let first = values.next()?.to_owned();
    Some(values.fold(first, |all, next| all + ", " + next))
}

fn refused(refused: &SignatureRefused) -> Problem {
    let kind = match refused {
        SignatureRefused::Missing => Kind::SignatureMissing,
        SignatureRefused::Algorithm(_) => Kind::AlgorithmUnsupported,
        SignatureRefused::Malformed(_)
        | SignatureRefused::NoKey
        | SignatureRefused::Stale
        | SignatureRefused::NotCovered(_)
        | SignatureRefused::Unknown(_)
        | SignatureRefused::Wrong => Kind::SignatureInvalid,
    };
    Problem::new(kind, sentence(refused))
        .suggest("Sign as RFC 9421 says, with ES256 and a key of the profile that UCP-Agent names.")
}

impl From<Doubt> for Problem {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Refused(why) => refused(&why),
            Doubt::NoJws => refused(&SignatureRefused::Malformed("Request-Signature")),
            Doubt::Digest(text) => Self::new(Kind::DigestMismatch, text)
                .suggest("Send the SHA-256 of the body's bytes, as RFC 9530 writes it."),
            Doubt::NoAgent => Self::new(
                Kind::KeyNotFound,
                "The request is signed, and UCP-Agent names no profile with the key.",
            ),
            Doubt::NoKey(kid) => {
                let text = format!("The profile that UCP-Agent names has no key `{kid}`.");
                Self::new(Kind::KeyNotFound, text)
                    .suggest("Publish the key first; profiles are read once a minute.")
            }
            Doubt::OtherAlgorithm => Self::new(
                Kind::AlgorithmUnsupported,
                "The key is for another algorithm; ES256 with P-256 is spoken here.",
            ),
            Doubt::NoProfile(fault) => {
                let kind = match &fault {
                    ProfileFault::Malformed => Kind::ProfileMalformed,
                    ProfileFault::Address(_) | ProfileFault::Unreachable(_) => {
                        Kind::ProfileUnreachable
                    }
                };
                Self::new(kind, sentence(&fault))
            }
        }
    }
}

/// A profile of ours with the keys that are published now.
pub fn with_keys(door: &Door, profile: &Value) -> String {
    let mut profile = profile.clone();
    profile["signing_keys"] = door.trust.keys.jwks(door.clock.now()).into();
    profile.to_string()
}

/// Signs an answer, so that the platform can show later what it was told.
pub fn sign_answer(door: &Door, response: &mut HttpResponse, body: &[u8]) {
    let now = door.clock.now();
    let digest = content_digest(body);
    let status = response.status().as_u16();
    let media = response.headers().get(CONTENT_TYPE);
    let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let header = |name: &str| match name {
        CONTENT_TYPE => Some(media.clone()),
        CONTENT_DIGEST => Some(digest.clone()),
        _ => None,
    };
    let message = Message { target: Target::Response { status }, header: &header };
    let covers = ["@status", CONTENT_DIGEST, CONTENT_TYPE];
    let signed = door.trust.keys.with_signer(now, |key| sign(&message, &covers, key, now));
    let Some(signed) = signed else { return };
    for (name, value) in [
        (CONTENT_DIGEST, digest.as_str()),
        (SIGNATURE_INPUT, &signed.input),
        (SIGNATURE, &signed.signature),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}
