//! A group of variants: the product as buyers speak of it, in every color and size.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::base::Timestamp;

/// Bytes of a group's id.
const ID_BYTES_MAX: usize = 64;

/// The name of a group: 1 to 64 lower-case letters, digits, `-` and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>")]
pub struct GroupId(Box<str>);

/// The text is no name of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a group's id is 1 to {ID_BYTES_MAX} lower-case letters, digits, `-` and `_`")]
pub struct InvalidGroupId;

impl JsonSchema for GroupId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GroupId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9_-]{1,64}$" })
    }
}

impl GroupId {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(raw: &str) -> Result<Self, InvalidGroupId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let well_formed = (1..=ID_BYTES_MAX).contains(&raw.len()) && raw.bytes().all(plain);
        if well_formed { Ok(Self(raw.into())) } else { Err(InvalidGroupId) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for GroupId {
    type Error = InvalidGroupId;

    fn try_from(raw: std::borrow::Cow<'_, str>) -> Result<Self, InvalidGroupId> {
        Self::parse(&raw)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is said of all variants of a group. A group that nobody described is called like its first
/// variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its name in addresses.
    pub id: GroupId,
    /// Its name for people.
    pub title: String,
    /// What it is, in some sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Address of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Where a shop has it, such as `Apparel > Shirts`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}
