//! API keys: `db_<id>_<secret>`, 32 hexadecimal digits and 43 of base64url.
//!
//! The id finds the row; the secret proves the right to it. It has 256 random bits, so a plain
//! SHA-256 keeps it safe at rest: there is no dictionary to try, and a slow hash, made for
//! passwords that people choose, would only slow down every request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::base::{Chance, KeyId, Timestamp};

/// What keys start with, so that people and secret scanners know one when they see it.
const PREFIX: &str = "db_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Checkouts and orders of one's own.
    #[serde(rename = "checkout")]
    Checkout,
    /// Reading products, stock and all orders.
    #[serde(rename = "backoffice:read")]
    BackofficeRead,
    /// Working cases; includes reading.
    #[serde(rename = "cases")]
    Cases,
    /// Changing products and stock; includes working cases.
    #[serde(rename = "backoffice:write")]
    BackofficeWrite,
    /// Everything.
    #[serde(rename = "admin")]
    Admin,
}

/// The text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no scope `{0}`; the scopes are checkout, backoffice:read, cases, backoffice:write \
     and admin"
)]
pub struct UnknownScope(String);

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] =
        [Self::Checkout, Self::BackofficeRead, Self::Cases, Self::BackofficeWrite, Self::Admin];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::BackofficeRead => "backoffice:read",
            Self::Cases => "cases",
            Self::BackofficeWrite => "backoffice:write",
            Self::Admin => "admin",
        }
    }

    /// Whether who has this scope may do what needs the other.
    pub fn covers(self, needed: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::BackofficeWrite => {
                matches!(needed, Self::BackofficeWrite | Self::Cases | Self::BackofficeRead)
            }
            Self::Cases => matches!(needed, Self::Cases | Self::BackofficeRead),
            Self::BackofficeRead | Self::Checkout => self == needed,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(raw: &str) -> Result<Self, UnknownScope> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == raw);
        found.ok_or_else(|| UnknownScope(raw.to_owned()))
    }
}

/// A key as kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its public half.
    pub id: KeyId,
    /// The storefront it speaks for, which owns checkouts, orders and idempotency keys: the id of
    /// that storefront's first key.
    pub storefront: KeyId,
    /// What people call it.
    pub label: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when no more.
    pub revoked_at: Option<Timestamp>,
    /// From when on no more, if that was said when it was made.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
}

/// A key to be made.
#[derive(Debug, Clone, Default)]
pub struct KeyWish {
    /// What people will call it.
    pub label: String,
    /// What it will allow.
    pub scopes: Vec<Scope>,
    /// The storefront it will speak for; a new one when none is named.
    pub storefront: Option<KeyId>,
    /// When it will end by itself.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("storefront", &self.storefront)
            .field("label", &self.label)
            .field("scopes", &self.scopes)
            .field("revoked_at", &self.revoked_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl KeyRecord {
    /// Whether the presented secret is this key's and the key is in force. The comparison takes the
    /// same time wherever the first difference stands.
    pub(super) fn accepts(&self, presented: &Presented, now: Timestamp) -> bool {
        let same: bool = self.hash.ct_eq(&presented.hash).into();
        same && self.is_in_force(now)
    }

    /// Whether it opens the door.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A key just made. The only moment at which its text exists here.
pub struct NewKey {
    /// What is kept.
    pub record: KeyRecord,
    /// What is shown, once.
    pub text: String,
}

/// Characters of a label: it stands on one line of a list.
const LABEL_CHARS_MAX: usize = 100;

/// Reads what people call a key: one line of visible characters, for it is shown on terminals.
///
/// # Errors
/// What was expected.
pub fn check_label(raw: &str) -> Result<String, String> {
    let hidden =
        |c: char| c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
    let fits = (1..=LABEL_CHARS_MAX).contains(&raw.trim().chars().count());
    if fits && !raw.contains(hidden) {
        return Ok(raw.trim().to_owned());
    }
    Err(format!("expected 1 to {LABEL_CHARS_MAX} visible characters on one line"))
}

impl NewKey {
    /// Makes a key.
    pub fn make(wish: &KeyWish, now: Timestamp, chance: &dyn Chance) -> Self {
        let id = KeyId::new(now, chance);
        let mut secret = [0; SECRET_BYTES];
        chance.fill(&mut secret);
        let text = format!("{PREFIX}{}_{}", id.uuid().simple(), URL_SAFE_NO_PAD.encode(secret));
        let mut scopes = wish.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let hash = Sha256::digest(secret).into();
        let record = KeyRecord {
            id,
            storefront: wish.storefront.unwrap_or(id),
            label: wish.label.clone(),
            hash,
            scopes,
            created_at: now,
            revoked_at: None,
            expires_at: wish.expires_at,
            used_at: None,
        };
        Self { record, text }
    }
}

/// A key as presented, its secret already hashed.
pub(super) struct Presented {
    pub(super) id: KeyId,
    hash: [u8; 32],
}

impl Presented {
    /// Reads a key's text; `None` when it is none of ours.
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let rest = raw.strip_prefix(PREFIX)?;
        let (id, secret) = rest.split_at_checked(32)?;
        let id = KeyId::from_uuid(Uuid::try_parse(id).ok()?);
        let secret = URL_SAFE_NO_PAD.decode(secret.strip_prefix('_')?).ok()?;
        (secret.len() == SECRET_BYTES).then(|| Self { id, hash: Sha256::digest(secret).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededChance;

    const NOW: Timestamp = Timestamp::from_micros(1);

    fn make() -> NewKey {
        let scopes = vec![Scope::Checkout, Scope::Admin, Scope::Checkout];
        let wish = KeyWish { label: "till 1".into(), scopes, ..KeyWish::default() };
        NewKey::make(&wish, NOW, &SeededChance::new(1))
    }

    #[test]
    fn a_key_reads_back_and_proves_itself() {
        let NewKey { record, text } = make();
        let presented = Presented::parse(&text).unwrap();
        assert_eq!(presented.id, record.id);
        assert!(record.accepts(&presented, NOW));
        assert_eq!(record.scopes, [Scope::Checkout, Scope::Admin]);
        assert_eq!(text.len(), "db_".len() + 32 + 1 + 43);
    }

    #[test]
    fn another_secret_or_a_revoked_key_is_not_accepted() {
        let NewKey { mut record, text } = make();
        let last = if text.ends_with('A') { "I" } else { "A" };
        let wrong = Presented::parse(&format!("{}{last}", &text[..text.len() - 1]));
        assert!(wrong.is_none_or(|wrong| !record.accepts(&wrong, NOW)));
        let other = NewKey::make(&KeyWish::default(), NOW, &SeededChance::new(2));
        assert!(!record.accepts(&Presented::parse(&other.text).unwrap(), NOW));
        let presented = Presented::parse(&text).unwrap();
        record.expires_at = Some(Timestamp::from_micros(9));
        assert!(record.accepts(&presented, Timestamp::from_micros(8)));
        assert!(!record.accepts(&presented, Timestamp::from_micros(9)));
        record = KeyRecord { expires_at: None, revoked_at: Some(NOW), ..record };
        assert!(!record.accepts(&presented, NOW));
    }

    #[test]
    fn what_is_no_key_is_none() {
        let text = make().text;
        for raw in ["", "db_", "sk_live_1", &text[3..], &text[..40], &format!("{text}é")] {
            assert!(Presented::parse(raw).is_none(), "{raw}");
        }
    }

    #[test]
    fn what_is_kept_and_printed_holds_no_secret() {
        let NewKey { record, text } = make();
        let secret = text.rsplit('_').next().unwrap();
        assert!(!format!("{record:?}").contains(secret));
        assert!(!format!("{record:?}").contains("hash"));
    }

    #[test]
    fn scopes_cover_what_they_say() {
        assert!(Scope::Admin.covers(Scope::BackofficeWrite));
        assert!(Scope::BackofficeWrite.covers(Scope::BackofficeRead));
        assert!(!Scope::BackofficeRead.covers(Scope::BackofficeWrite));
        assert!(!Scope::Checkout.covers(Scope::BackofficeRead));
        assert!(!Scope::BackofficeWrite.covers(Scope::Checkout));
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
        let unknown = "root".parse::<Scope>().unwrap_err().to_string();
        assert!(unknown.contains("`root`") && unknown.contains("backoffice:read"));
    }
}
