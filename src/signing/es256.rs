//! ES256 keys, ours and others', and how they are written down (JWK, RFC 7517 and RFC 7518 §6.2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        UnparsedPublicKey,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;

/// Bytes of a coordinate of a point on P-256.
const COORDINATE_BYTES: usize = 32;

/// A point, uncompressed (SEC 1 §2.3.3): a byte that says so, and two coordinates.
const POINT_BYTES: usize = 1 + 2 * COORDINATE_BYTES;

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// It is for another algorithm.
    #[error("the key is for another algorithm; ES256 with P-256 is spoken here")]
    OtherAlgorithm,
    /// It does not read.
    #[error("the key is malformed")]
    Malformed,
}

/// Another's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; POINT_BYTES]);

impl PublicKey {
    /// Reads a JWK.
    ///
    /// # Errors
    /// When it is none of ours to use.
    pub fn of_jwk(jwk: &Value) -> Result<Self, UnusableKey> {
        let says = |name: &str| jwk[name].as_str();
        if says("kty") != Some("EC") || says("crv") != Some("P-256") {
            return Err(UnusableKey::OtherAlgorithm);
        }
        if says("alg").is_some_and(|alg| alg != "ES256") {
            return Err(UnusableKey::OtherAlgorithm);
        }
        let mut point = [0; POINT_BYTES];
        point[0] = 4;
        for (name, at) in [("x", 1), ("y", 1 + COORDINATE_BYTES)] {
            let written = says(name).ok_or(UnusableKey::Malformed)?;
            let bytes = URL_SAFE_NO_PAD.decode(written).map_err(|_| UnusableKey::Malformed)?;
            if bytes.len() != COORDINATE_BYTES {
                return Err(UnusableKey::Malformed);
            }
            point[at..at + COORDINATE_BYTES].copy_from_slice(&bytes);
        }
        Ok(Self(point))
    }

    /// Whether its owner signed this. A point off the curve signed nothing.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0);
        key.verify(message, signature).is_ok()
    }
}

/// A key of ours. Never printed.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    kid: String,
    // Signatures need chance that nobody can foresee: whoever knows it once knows the key. The
    // library therefore takes it from the system and from nobody else.
    random: SystemRandom,
}

impl SigningKey {
    /// Makes a key, as it is kept: PKCS #8.
    ///
    /// # Panics
    /// When the system has no chance to give.
    pub fn make() -> Vec<u8> {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        made.expect("invariant: the system gives random bytes").as_ref().to_vec()
    }

    /// Reads a key as it is kept.
    ///
    /// # Errors
    /// When it does not read.
    pub fn read(kept: &[u8]) -> Result<Self, UnusableKey> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, kept, &random)
            .map_err(|_| UnusableKey::Malformed)?;
        let mut key = Self { pair, kid: String::new(), random };
        key.kid = key.thumbprint();
        Ok(key)
    }

    /// Its name: the JWK thumbprint (RFC 7638), so that it is the same wherever it is read.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn coordinates(&self) -> (String, String) {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(COORDINATE_BYTES);
        (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
    }

    fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        let written = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        URL_SAFE_NO_PAD.encode(Sha256::digest(written))
    }

    /// What others check its signatures with.
    pub fn jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({
            "kid": self.kid, "kty": "EC", "crv": "P-256", "x": x, "y": y,
            "use": "sig", "alg": "ES256",
        })
    }

    /// Signs.
    ///
    /// # Panics
    /// When the system has no chance to give.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signed = self.pair.sign(&self.random, message);
        signed.expect("invariant: the system gives random bytes").as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_signs_the_other_verifies_and_no_other_bytes() {
        let key = SigningKey::read(&SigningKey::make()).expect("what was made reads");
        let public = PublicKey::of_jwk(&key.jwk()).expect("what is published reads");
        let signature = key.sign(b"ten shirts");
        assert_eq!(signature.len(), 64);
        assert!(public.verifies(b"ten shirts", &signature));
        assert!(!public.verifies(b"ten skirts", &signature));
        let other = SigningKey::read(&SigningKey::make()).expect("what was made reads");
        assert!(!PublicKey::of_jwk(&other.jwk()).unwrap().verifies(b"ten shirts", &signature));
        assert_ne!(key.kid(), other.kid());
        assert!(!format!("{key:?}").contains("pair"));
    }

    /// RFC 7517, appendix A.1, and RFC 7515, appendix A.3.
    #[test]
    fn the_example_of_the_standard_verifies() {
        let key = PublicKey::of_jwk(&json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }))
        .expect("a key");
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                       dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode(concat!(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmX",
                "FCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ))
            .expect("base64");
        assert!(key.verifies(message.as_bytes(), &signature));
    }

    #[test]
    fn keys_that_cannot_be_used_are_told_apart() {
        let good = SigningKey::read(&SigningKey::make()).unwrap().jwk();
        let changed = |name: &str, value: &str| {
            let mut jwk = good.clone();
            jwk[name] = value.into();
            PublicKey::of_jwk(&jwk).err()
        };
        assert_eq!(changed("crv", "P-384"), Some(UnusableKey::OtherAlgorithm));
        assert_eq!(changed("kty", "RSA"), Some(UnusableKey::OtherAlgorithm));
        assert_eq!(changed("alg", "RS256"), Some(UnusableKey::OtherAlgorithm));
        assert_eq!(changed("x", "AA"), Some(UnusableKey::Malformed));
        assert_eq!(changed("y", "?"), Some(UnusableKey::Malformed));
        assert_eq!(SigningKey::read(b"").err(), Some(UnusableKey::Malformed));
    }
}
