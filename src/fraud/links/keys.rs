//! What a checkout may share with another, as digests.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::LinkKey;
use crate::fraud::{event::Key, signals::Signals};

/// What orders may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// The card, by its fingerprint.
    Card,
    /// The buyer's e-mail address.
    Email,
    /// The device.
    Device,
    /// The address the goods go to.
    Address,
    /// The customer's account.
    Customer,
    /// The network address.
    Ip,
    /// The part of it that a household or a company shares.
    IpPrefix,
}

impl LinkKind {
    /// All of them; the place in this list, counted from 1, is the number in the database.
    pub const ALL: [Self; 7] = [
        Self::Card,
        Self::Email,
        Self::Device,
        Self::Address,
        Self::Customer,
        Self::Ip,
        Self::IpPrefix,
    ];

    /// The word in answers, and the name of the column that has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Email => "email",
            Self::Device => "device",
            Self::Address => "address",
            Self::Customer => "customer",
            Self::Ip => "ip",
            Self::IpPrefix => "ip_prefix",
        }
    }

    /// Whether strangers share it as a matter of course: offices, campuses, mobile networks. It
    /// links two orders, and is not followed further.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Ip | Self::IpPrefix)
    }

    const fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl Serialize for LinkKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for LinkKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(from)?;
        let found = Self::ALL.into_iter().find(|kind| kind.number() == number);
        found.ok_or_else(|| D::Error::custom(format!("no kind of link has the number {number}")))
    }
}

/// What a checkout has of each kind: a digest, 0 where it has none. Signed, as databases count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkKeys(Vec<i64>);

impl LinkKeys {
    /// What a checkout has to share.
    pub fn of(signals: &Signals) -> Self {
        let key = |kind: LinkKind| {
            let value = signals.column(kind.as_str())?;
            let parts = [kind.as_str().as_bytes(), value.as_bytes()];
            Some(Key::of(parts)?.raw().cast_signed())
        };
        Self(LinkKind::ALL.into_iter().map(|kind| key(kind).unwrap_or(0)).collect())
    }

    /// What of this kind a checkout has to share.
    pub fn find(&self, kind: LinkKind) -> Option<LinkKey> {
        self.iter().find(|key| key.kind == kind)
    }

    /// Those there are.
    pub fn iter(&self) -> impl Iterator<Item = LinkKey> {
        let kinds = LinkKind::ALL.into_iter().zip(&self.0);
        kinds.filter(|(_, key)| **key != 0).map(|(kind, key)| LinkKey { kind, key: *key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Hints, fraud::signals::tests::bare};

    #[test]
    fn the_same_text_as_card_and_as_device_are_two_things() {
        let mut signals = bare();
        signals.person.hints = Some(Box::new(Hints {
            card_fingerprint: Some("same".into()),
            device_id: Some("same".into()),
            ..Hints::default()
        }));
        signals.person.ip = Some("192.0.2.7".into());
        let keys: Vec<_> = LinkKeys::of(&signals).iter().collect();
        let kinds: Vec<_> = keys.iter().map(|key| key.kind.as_str()).collect();
        assert_eq!(kinds, ["card", "device", "ip", "ip_prefix"]);
        assert_ne!(keys[0].key, keys[1].key);
        let written = serde_json::to_string(&LinkKeys::of(&signals)).expect("it is written");
        assert!(!written.contains("same") && !written.contains("192"), "{written}");
    }

    #[test]
    fn kinds_are_numbered_as_the_database_has_them() {
        for (place, kind) in LinkKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), place + 1);
            let written = serde_json::to_string(&kind).expect("a number");
            assert_eq!(serde_json::from_str::<LinkKind>(&written).expect("reads"), kind);
        }
    }
}
