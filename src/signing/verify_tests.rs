//! Signatures are believed when every bit of them is right.

use proptest::prelude::*;

use super::*;
use crate::signing::{SigningKey, Target, sign};

const MUST: [&str; 3] = ["@method", "@authority", "@path"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn header(name: &str) -> Option<String> {
    match name {
        "content-digest" => Some("sha-256=:AAAA:".to_owned()),
        "idempotency-key" => Some("key-1".to_owned()),
        _ => None,
    }
}

fn request(path: &str) -> Message<'_> {
    let target = Target::Request { method: "POST", authority: "shop.example", path, query: None };
    Message { target, header: &header }
}

fn key() -> SigningKey {
    SigningKey::read(&SigningKey::make()).expect("what was made reads")
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::of_jwk(&key.jwk()).expect("what is published reads")
}

fn claim(input: &str, signature: &str) -> Result<Claim, SignatureRefused> {
    claims(Some(input), Some(signature)).map(|mut claims| claims.remove(0))
}

#[test]
fn what_was_signed_is_believed_and_nothing_else() {
    let key = key();
    let covered = ["@method", "@authority", "@path", "content-digest", "idempotency-key"];
    let signed = sign(&request("/pay"), &covered, &key, at(1000));
    let claim = claim(&signed.input, &signed.signature).expect("reads");
    assert_eq!(claim.keyid, key.kid());
    let says =
        |path: &str, must: &[&str], now| claim.verify(&request(path), &public(&key), must, at(now));
    assert_eq!(says("/pay", &MUST, 1000), Ok(()));
    assert_eq!(says("/pay", &MUST, 1300), Ok(()));
    assert_eq!(says("/pay", &MUST, 1301), Err(SignatureRefused::Stale));
    assert_eq!(says("/pay", &MUST, 939), Err(SignatureRefused::Stale));
    assert_eq!(says("/refund", &MUST, 1000), Err(SignatureRefused::Wrong));
    let more = ["@method", "ucp-agent"];
    assert_eq!(says("/pay", &more, 1000), Err(SignatureRefused::NotCovered("ucp-agent".into())));
    let other = claim.verify(&request("/pay"), &public(&self::key()), &MUST, at(1000));
    assert_eq!(other, Err(SignatureRefused::Wrong));
}

#[test]
fn a_signature_that_does_not_read_says_where() {
    let good = sign(&request("/pay"), &MUST, &key(), at(1000));
    let malformed = SignatureRefused::Malformed;
    for (input, signature, refused) in [
        (None, Some("sig1=:AA==:"), SignatureRefused::Missing),
        (Some("sig1=()"), None, SignatureRefused::Missing),
        (Some(""), Some(""), SignatureRefused::Missing),
        (Some("sig1=(\"@method\""), Some("sig1=:AA==:"), malformed("Signature-Input")),
        (Some("sig1=5"), Some("sig1=:AA==:"), malformed("Signature-Input")),
        (Some("sig1=(@method);keyid=\"k\""), Some("sig1=:AA==:"), malformed("Signature-Input")),
        (Some("sig1=();keyid=5"), Some("sig1=:AA==:"), malformed("Signature-Input")),
        (
            Some("sig1=();keyid=\"k\";created=\"1\""),
            Some("sig1=:AA==:"),
            malformed("Signature-Input"),
        ),
        (Some(&good.input), Some("sig2=:AA==:"), malformed("Signature")),
        (Some(&good.input), Some("sig1=AA"), malformed("Signature")),
        (Some("sig1=(\"@method\")"), Some("sig1=:AA==:"), SignatureRefused::NoKey),
        (
            Some("sig1=(\"@method\");keyid=\"k\";alg=\"rsa-pss-sha512\""),
            Some("sig1=:AA==:"),
            SignatureRefused::Algorithm("rsa-pss-sha512".into()),
        ),
        (
            Some("sig1=(\"@method\";req);keyid=\"k\""),
            Some("sig1=:AA==:"),
            SignatureRefused::Unknown("@method".into()),
        ),
    ] {
        assert_eq!(claims(input, signature).err(), Some(refused), "{input:?} {signature:?}");
    }
}

#[test]
fn one_without_a_time_or_over_something_absent_is_not_believed() {
    let key = key();
    let input = format!("sig1=(\"@method\");keyid=\"{}\"", key.kid());
    let undated = claim(&input, "sig1=:AA==:").expect("reads");
    let said = undated.verify(&request("/pay"), &public(&key), &[], at(1000));
    assert_eq!(said, Err(SignatureRefused::Stale));
    let input = format!("sig1=(\"x-gone\");created=1000;keyid=\"{}\"", key.kid());
    let absent = claim(&input, "sig1=:AA==:").expect("reads");
    let said = absent.verify(&request("/pay"), &public(&key), &[], at(1000));
    assert_eq!(said, Err(SignatureRefused::Unknown("x-gone".into())));
    let input = format!("sig1=(\"@method\");created=1000;expires=1001;keyid=\"{}\"", key.kid());
    let ended = claim(&input, "sig1=:AA==:").expect("reads");
    let said = ended.verify(&request("/pay"), &public(&key), &[], at(1001));
    assert_eq!(said, Err(SignatureRefused::Stale));
}

/// RFC 9421, appendix B.2.4: `sig-b24`, ECDSA P-256 with SHA-256, over an answer.
#[test]
fn the_example_of_the_standard_is_believed() {
    let jwk = serde_json::json!({
        "kty": "EC", "crv": "P-256", "kid": "test-key-ecc-p256",
        "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
        "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
    });
    let header = |name: &str| {
        let value = match name {
            "content-type" => "application/json",
            "content-digest" => {
                "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJ\
                 uahq4l5aGgfLQ==:"
            }
            "content-length" => "23",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let input = "sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\");\
                 created=1618884473;keyid=\"test-key-ecc-p256\"";
    let signature = "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5\
                     eCdlYUEkLIj+32oiasw==:";
    let claim = claim(input, signature).expect("reads");
    let message = Message { target: Target::Response { status: 200 }, header: &header };
    let key = PublicKey::of_jwk(&jwk).expect("a key");
    let must = ["@status", "content-digest"];
    assert_eq!(claim.verify(&message, &key, &must, at(1_618_884_473)), Ok(()));
}

proptest! {
    /// Garbage is refused and never panics.
    #[test]
    fn garbage_is_refused(input in "\\PC{0,80}", signature in "\\PC{0,80}") {
        if let Ok(claims) = claims(Some(&input), Some(&signature)) {
            for claim in claims {
                let said = claim.verify(&request("/pay"), &public(&key()), &MUST, at(1000));
                prop_assert!(said.is_err());
            }
        }
    }
}
