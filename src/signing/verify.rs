//! Checking who signed a message (RFC 9421 §3.2).

use sfv::{BareItem, Dictionary, FieldType, InnerList, List, ListEntry, Parser};
use std::time::Duration;

use super::{base::Message, es256::PublicKey};
use crate::base::Timestamp;

/// Signatures of one message: a sender and those who hand it on. All of them are looked at.
const SIGNATURES_MAX: usize = 4;

/// Components one of them may cover: more than our protocols name.
const COMPONENTS_MAX: usize = 32;

/// How long ago a signature may have been made: a retry a few minutes later is signed anew.
const AGE_MAX: Duration = Duration::from_secs(300);

/// How far a clock may be ahead of ours.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// The name of ES256 among the parameters, for those who write it down all the same.
const ALGORITHM: &str = "ecdsa-p256-sha256";

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefused {
    /// There is none.
    #[error("the message is not signed")]
    Missing,
    /// Its headers do not read.
    #[error("`{0}` does not read as RFC 9421 writes it")]
    Malformed(&'static str),
    /// It names another algorithm.
    #[error("the algorithm `{0}` is not spoken here; sign with ES256")]
    Algorithm(String),
    /// It does not say which key made it.
    #[error("the signature names no `keyid`")]
    NoKey,
    /// It is too old, or of the future.
    #[error("the signature was made at another time; sign again, with the right `created`")]
    Stale,
    /// It leaves out what must not be changed.
    #[error("the signature does not cover `{0}`")]
    NotCovered(String),
    /// It covers what the message does not have, or what is not known here.
    #[error("the signature covers `{0}`, which the message does not have")]
    Unknown(String),
    /// It is not of this message, or not of this key.
    #[error("the signature is not of this message by this key")]
    Wrong,
}

/// What a signature says of itself.
#[derive(Debug, Clone)]
pub struct Claim {
    components: Vec<String>,
    parameters: String,
    signature: Vec<u8>,
    /// Which key made it.
    pub keyid: String,
    created: Option<i64>,
    expires: Option<i64>,
}

/// The signatures of a message, from its two headers: at least one, and no more than are looked at.
///
/// # Errors
/// When there is none, or one does not read, stands in one of the headers alone, or names another
/// algorithm; when there are too many.
pub fn claims(
    input: Option<&str>,
    signature: Option<&str>,
) -> Result<Vec<Claim>, SignatureRefused> {
    let (Some(input), Some(signature)) = (input, signature) else {
        return Err(SignatureRefused::Missing);
    };
    let read = |text: &str, name| -> Result<Dictionary, _> {
        Parser::new(text).parse().map_err(|_| SignatureRefused::Malformed(name))
    };
    let (inputs, signatures) = (read(input, "Signature-Input")?, read(signature, "Signature")?);
    if inputs.len() > SIGNATURES_MAX {
        return Err(SignatureRefused::Malformed("Signature-Input"));
    }
    if signatures.keys().any(|label| !inputs.contains_key(label)) {
        return Err(SignatureRefused::Malformed("Signature"));
    }
    let pairs = inputs.iter().map(|(label, entry)| {
        let ListEntry::InnerList(list) = entry else {
            return Err(SignatureRefused::Malformed("Signature-Input"));
        };
        let Some(ListEntry::Item(item)) = signatures.get(label.as_str()) else {
            return Err(SignatureRefused::Malformed("Signature"));
        };
        let BareItem::ByteSequence(bytes) = &item.bare_item else {
            return Err(SignatureRefused::Malformed("Signature"));
        };
        Claim::of(list, bytes)
    });
    let claims = pairs.collect::<Result<Vec<_>, _>>()?;
    if claims.is_empty() { Err(SignatureRefused::Missing) } else { Ok(claims) }
}

impl Claim {
    fn of(list: &InnerList, signature: &[u8]) -> Result<Self, SignatureRefused> {
        let malformed = || SignatureRefused::Malformed("Signature-Input");
        if list.items.len() > COMPONENTS_MAX {
            return Err(malformed());
        }
        let component = |item: &sfv::Item| match &item.bare_item {
            // Parameters of a component (`;req`, `;sf`) change what it stands for; none are known.
            BareItem::String(name) if item.params.is_empty() => Ok(name.as_str().to_owned()),
            BareItem::String(name) => Err(SignatureRefused::Unknown(name.as_str().to_owned())),
            _ => Err(malformed()),
        };
        let components = list.items.iter().map(component).collect::<Result<Vec<_>, _>>()?;
        let text = |name: &str| match list.params.get(name) {
            Some(BareItem::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(malformed()),
            None => Ok(None),
        };
        let moment = |name: &str| match list.params.get(name) {
            Some(BareItem::Integer(seconds)) => Ok(Some(i64::from(*seconds))),
            Some(_) => Err(malformed()),
            None => Ok(None),
        };
        if let Some(other) = text("alg")?.filter(|alg| *alg != ALGORITHM) {
            return Err(SignatureRefused::Algorithm(other.to_owned()));
        }
        Ok(Self {
            components,
            parameters: written(list),
            signature: signature.to_vec(),
            keyid: text("keyid")?.ok_or(SignatureRefused::NoKey)?.to_owned(),
            created: moment("created")?,
            expires: moment("expires")?,
        })
    }

    /// Believes the signature of this message, when it was made by this key and covers all of
    /// `must_cover`.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify(
        &self,
        message: &Message<'_>,
        key: &PublicKey,
        must_cover: &[&str],
        now: Timestamp,
    ) -> Result<(), SignatureRefused> {
        self.check_time(now)?;
        for name in must_cover {
            if !self.components.iter().any(|component| component == name) {
                return Err(SignatureRefused::NotCovered((*name).to_owned()));
            }
        }
        for name in &self.components {
            if message.component(name).is_none() {
                return Err(SignatureRefused::Unknown(name.clone()));
            }
        }
        let components = self.components.iter().map(String::as_str);
        let base = message.signature_base(components, &self.parameters);
        let verified = base.is_some_and(|base| key.verifies(base.as_bytes(), &self.signature));
        if verified { Ok(()) } else { Err(SignatureRefused::Wrong) }
    }

    fn check_time(&self, now: Timestamp) -> Result<(), SignatureRefused> {
        let moment = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        let created = self.created.map(moment).ok_or(SignatureRefused::Stale)?;
        let too_old = now.since(created) > AGE_MAX;
        let ahead = created.since(now) > AHEAD_MAX;
        let over = self.expires.map(moment).is_some_and(|expires| expires <= now);
        if too_old || ahead || over { Err(SignatureRefused::Stale) } else { Ok(()) }
    }
}

/// The inner list, written as the standard writes it (RFC 8941 §4.1.1.1).
fn written(list: &InnerList) -> String {
    let alone: List = vec![ListEntry::InnerList(list.clone())];
    alone.serialize().unwrap_or_default()
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
