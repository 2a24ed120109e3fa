//! Signed messages: HTTP Message Signatures (RFC 9421) and detached JWS (RFC 7515), both with ES256
//! (ECDSA over P-256 with SHA-256, RFC 7518 §3.4: 64 bytes, r and s).
//!
//! **Owns:** the shop's signing keys, in the table `signing_keys`; what a signature covers; how one
//! is made and checked. **Invariant:** a key is published for longer than others may keep our
//! profile before it signs, and stays published for longer than what it signed is read; what a
//! signature does not cover is not believed.
//! **Not here:** whose keys they are that others sign with (see [`platforms`](crate::platforms)),
//! and what must be signed, which `http` knows.

mod base;
mod digest;
mod es256;
mod jws;
mod keys;
mod postgres;
mod sign;
mod sqlite;
mod verify;

pub use base::{Message, Target};
pub use digest::{content_digest, digest_holds};
pub use es256::{PublicKey, SigningKey, UnusableKey};
pub use jws::{detached, verify_detached};
pub use keys::{KeyRow, SigningKeys, published, signer};
pub use sign::{Signed, sign};
pub use verify::{Claim, SignatureRefused, claims};
