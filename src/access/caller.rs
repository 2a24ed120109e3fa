//! From a request's headers to who asks.

use std::sync::Arc;

use super::{
    key::{KeyRecord, Presented, Scope},
    keys::Keys,
};
use crate::ledger::LedgerFault;

/// Who is let in.
#[derive(Clone)]
pub enum Access {
    /// Everybody, for everything: dev mode on loopback.
    Open,
    /// Who has a key, for what its scopes allow.
    Keys(Arc<Keys>),
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its storefront: `key_…`, the id of that storefront's first key, or `anonymous` where access
    /// is open. Idempotency keys, checkouts and orders belong to it.
    pub id: String,
    /// What people call the key; nothing where access is open.
    pub name: Option<String>,
    /// What they may do.
    pub scopes: Vec<Scope>,
}

/// Not let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccessRefused {
    /// No key was presented. 401.
    #[error("an API key is needed: send `Authorization: Bearer db_…` or `X-API-Key: db_…`")]
    KeyMissing,
    /// The key is malformed, unknown, wrong, expired or revoked; which of these is nobody's
    /// business. 401.
    #[error("the API key is not valid; make one with `doorbuster keys create`")]
    KeyInvalid,
    /// The key does not allow this. 403.
    #[error("the API key lacks the scope `{needed}`")]
    ScopeMissing {
        /// What would be needed.
        needed: Scope,
    },
    /// Nobody could look the key up. 503.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Caller {
    /// Whether this caller may do what needs a scope.
    ///
    /// # Errors
    /// When none of their scopes covers it.
    pub fn may(&self, needed: Scope) -> Result<(), AccessRefused> {
        let allowed = self.scopes.iter().any(|scope| scope.covers(needed));
        if allowed { Ok(()) } else { Err(AccessRefused::ScopeMissing { needed }) }
    }
}

impl From<&KeyRecord> for Caller {
    fn from(record: &KeyRecord) -> Self {
        let name = match record.label.trim() {
            "" => record.id.to_string(),
            label => label.to_owned(),
        };
        let id = record.storefront.to_string();
        Self { id, name: Some(name), scopes: record.scopes.clone() }
    }
}

impl Access {
    /// Who asks, by the values of `Authorization` and `X-API-Key`. Where both stand, the first
    /// counts.
    ///
    /// # Errors
    /// When there is no valid key, or the ledger cannot tell.
    pub async fn caller(
        &self,
        authorization: Option<&str>,
        api_key: Option<&str>,
    ) -> Result<Caller, AccessRefused> {
        let keys = match self {
            Self::Open => {
                let (id, scopes) = ("anonymous".to_owned(), vec![Scope::Admin]);
                return Ok(Caller { id, name: None, scopes });
            }
            Self::Keys(keys) => keys,
        };
        let raw = match authorization {
            Some(header) => bearer(header).ok_or(AccessRefused::KeyInvalid)?,
            None => api_key.ok_or(AccessRefused::KeyMissing)?,
        };
        let presented = Presented::parse(raw.trim()).ok_or(AccessRefused::KeyInvalid)?;
        match keys.find(presented.id).await? {
            Some(record) if record.accepts(&presented, keys.now()) => {
                keys.note_use(&record).await;
                Ok(Caller::from(&*record))
            }
            _ => Err(AccessRefused::KeyInvalid),
        }
    }
}

/// The token of a Bearer header (RFC 6750 §2.1); the scheme's case does not matter.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
