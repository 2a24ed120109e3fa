//! `Content-Digest` (RFC 9530): what binds a body to a signature.

use base64::{Engine, engine::general_purpose::STANDARD};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest, Sha256};

/// The header for this body.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

/// Whether the header is of this body. `None` when it has no digest that is known here.
pub fn digest_holds(header: &str, body: &[u8]) -> Option<bool> {
    let members: Dictionary = Parser::new(header).parse().ok()?;
    let Some(ListEntry::Item(item)) = members.get("sha-256") else { return None };
    let BareItem::ByteSequence(digest) = &item.bare_item else { return None };
    Some(digest.as_slice() == Sha256::digest(body).as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9530, appendix B.1.
    #[test]
    fn the_example_of_the_standard_holds() {
        let body = b"{\"hello\": \"world\"}\n";
        let header = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
        assert_eq!(content_digest(body), header);
        assert_eq!(digest_holds(header, body), Some(true));
        assert_eq!(digest_holds(header, b"{}"), Some(false));
        let two = format!("sha-512=:AAAA:, {header}");
        assert_eq!(digest_holds(&two, body), Some(true));
        for unknown in ["", "sha-512=:AAAA:", "sha-256=AAAA", "sha-256", "=", "sha-256=(:AAAA:)"] {
            assert_eq!(digest_holds(unknown, body), None, "{unknown}");
        }
    }
}
