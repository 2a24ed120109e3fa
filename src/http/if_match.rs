//! `If-Match` (RFC 9110 §13.1.1): which version of a resource may be changed.

use actix_web::http::header::{HeaderMap, IF_MATCH};

use super::{kinds::Kind, problem::Problem, signed::joined};

/// Which version may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whichever there is.
    Any,
    /// One of these. None, when only others' tags are named, or weak ones: those say that two
    /// answers mean the same, not that nothing came between.
    Versions(Vec<u32>),
}

impl IfMatch {
    /// Whether this version may be changed; `None` is a resource that is not there.
    pub fn holds(&self, version: Option<u32>) -> bool {
        match self {
            Self::Any => version.is_some(),
            Self::Versions(versions) => version.is_some_and(|version| versions.contains(&version)),
        }
    }
}

/// What the headers say, if anything.
///
/// # Errors
/// When it is no list of entity tags.
pub fn of(headers: &HeaderMap) -> Result<Option<IfMatch>, Problem> {
    let Some(text) = joined(headers, IF_MATCH.as_str()) else { return Ok(None) };
    if text == "*" {
        return Ok(Some(IfMatch::Any));
    }
    let versions = versions(&text).ok_or_else(|| {
        Problem::new(Kind::MalformedRequest, "If-Match is no list of entity tags.")
            .suggest("Send the ETag of the last answer as it came, such as `\"3\"`.")
    })?;
    Ok(Some(IfMatch::Versions(versions)))
}

/// The versions that are ours in a list of tags, `"3", W/"4"`; `None` where it is no such list.
fn versions(text: &str) -> Option<Vec<u32>> {
    let (mut versions, mut tags, mut rest) = (Vec::new(), 0, text);
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (tags > 0).then_some(versions);
        }
        let (is_weak, opened) = match rest.strip_prefix("W/") {
            Some(weak) => (true, weak),
            None => (false, rest),
        };
        let (tag, after) = opened.strip_prefix('"')?.split_once('"')?;
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        tags += 1;
        let version = tag.parse::<u32>().ok().filter(|version| version.to_string() == tag);
        versions.extend(version.filter(|_| !is_weak));
    }
}

#[cfg(test)]
mod tests {
    use super::versions;

    // breaks: take weak tags for strong ones, or the first tag alone
    #[test]
    fn a_list_of_tags_is_read_as_the_standard_writes_it() {
        for (text, expected) in [
            ("\"3\"", Some(vec![3])),
            ("\"3\", \"4\"", Some(vec![3, 4])),
            (" ,\"3\" ,, \"7\",", Some(vec![3, 7])),
            ("W/\"3\"", Some(vec![])),
            ("W/\"3\", \"4\"", Some(vec![4])),
            ("\"a,b\", \"4\"", Some(vec![4])),
            ("\"other\", \"+3\", \"03\"", Some(vec![])),
            ("3", None),
            ("", None),
            (",", None),
            ("\"3", None),
            ("\"3\" \"4\"", None),
            ("*, \"3\"", None),
            ("w/\"3\"", None),
        ] {
            assert_eq!(versions(text), expected, "{text}");
        }
    }
}
