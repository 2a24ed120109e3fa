//! Signing a message (RFC 9421 §3.1).

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{base::Message, es256::SigningKey};
use crate::base::Timestamp;

/// How our signatures are labelled.
const LABEL: &str = "sig1";

/// The two headers of a signed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Signature-Input`.
    pub input: String,
    /// `Signature`.
    pub signature: String,
}

/// Signs these components of a message. There is no `alg` among the parameters: the key says it.
///
/// # Panics
/// When the message lacks one of them.
pub fn sign(
    message: &Message<'_>,
    components: &[&str],
    key: &SigningKey,
    now: Timestamp,
) -> Signed {
    let names: Vec<_> = components.iter().map(|name| format!("\"{name}\"")).collect();
    let created = now.micros().div_euclid(1_000_000);
    let parameters = format!("({});created={created};keyid=\"{}\"", names.join(" "), key.kid());
    let base = message.signature_base(components.iter().copied(), &parameters);
    let base = base.expect("invariant: who signs names components that are there");
    let signature = STANDARD.encode(key.sign(base.as_bytes()));
    Signed { input: format!("{LABEL}={parameters}"), signature: format!("{LABEL}=:{signature}:") }
}
