//! Detached JWS (RFC 7515, appendix F): a signature over a body that travels beside it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    es256::{PublicKey, SigningKey},
    verify::SignatureRefused,
};

/// Longest header of a signature that is read, in bytes: an algorithm and a key's name.
const HEADER_BYTES_MAX: usize = 1024;

/// `header..signature` over this body.
pub fn detached(key: &SigningKey, body: &[u8]) -> String {
    let header = json!({ "alg": "ES256", "kid": key.kid() }).to_string();
    let header = URL_SAFE_NO_PAD.encode(header);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message(&header, body).as_bytes()));
    format!("{header}..{signature}")
}

/// Believes a detached signature of this body, by a key found by its name.
///
/// # Errors
/// Why it is not believed; the error of `find` when there is no such key.
pub fn verify_detached<E: From<SignatureRefused>>(
    signature: &str,
    body: &[u8],
    find: impl FnOnce(&str) -> Result<PublicKey, E>,
) -> Result<(), E> {
    let malformed = || SignatureRefused::Malformed("Request-Signature");
    let (header, signature) = signature.split_once("..").ok_or_else(malformed)?;
    if header.len() > HEADER_BYTES_MAX {
        return Err(malformed().into());
    }
    let decoded = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
    let said: Value = serde_json::from_slice(&decoded).map_err(|_| malformed())?;
    // A header that must be understood (RFC 7515 §4.1.11) is not.
    if said.get("crit").is_some() {
        return Err(malformed().into());
    }
    match said["alg"].as_str() {
        Some("ES256") => {}
        Some(other) => return Err(SignatureRefused::Algorithm(other.to_owned()).into()),
        None => return Err(malformed().into()),
    }
    let kid = said["kid"].as_str().ok_or(SignatureRefused::NoKey)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    let key = find(kid)?;
    if key.verifies(message(header, body).as_bytes(), &signature) {
        Ok(())
    } else {
        Err(SignatureRefused::Wrong.into())
    }
}

fn message(header: &str, body: &[u8]) -> String {
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_believed_by_its_signature_and_no_other() {
        let key = SigningKey::read(&SigningKey::make()).unwrap();
        let public = PublicKey::of_jwk(&key.jwk()).unwrap();
        let signature = detached(&key, b"{}");
        let says = |signature: &str, body: &[u8]| {
            verify_detached(signature, body, |kid| {
                assert_eq!(kid, key.kid());
                Ok::<_, SignatureRefused>(public.clone())
            })
        };
        assert_eq!(says(&signature, b"{}"), Ok(()));
        assert_eq!(says(&signature, b"{ }"), Err(SignatureRefused::Wrong));
        let header = |text: &str| format!("{}..AA", URL_SAFE_NO_PAD.encode(text));
        let malformed = Err(SignatureRefused::Malformed("Request-Signature"));
        for odd in ["", "..", "a.b.c", &header("5"), &header(r#"{"alg":"ES256","crit":["b64"]}"#)] {
            assert_eq!(says(odd, b"{}"), malformed, "{odd}");
        }
        let none = says(&header(r#"{"alg":"none","kid":"k"}"#), b"{}");
        assert_eq!(none, Err(SignatureRefused::Algorithm("none".into())));
        assert_eq!(says(&header(r#"{"alg":"ES256"}"#), b"{}"), Err(SignatureRefused::NoKey));
    }
}
