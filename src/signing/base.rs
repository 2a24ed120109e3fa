//! What a signature is made over (RFC 9421 §2): components of a message, one a line, and the
//! parameters of the signature.

use std::fmt::Write;

/// What a message is sent to, or what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A request.
    Request {
        /// `POST`, …
        method: &'a str,
        /// Host and, unless it is the usual one, port; in lower case.
        authority: &'a str,
        /// The path as it was sent, without the query.
        path: &'a str,
        /// The query, without its question mark.
        query: Option<&'a str>,
    },
    /// An answer.
    Response {
        /// Its status.
        status: u16,
    },
}

/// A message: its target and its headers.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// What it is sent to, or what it answers.
    pub target: Target<'a>,
    /// The value of a header, by its name in lower case; several are joined by a comma and a space.
    pub header: &'a dyn Fn(&str) -> Option<String>,
}

impl Message<'_> {
    /// The value of a component. `None` when the message has none, or it is not known here.
    pub fn component(&self, name: &str) -> Option<String> {
        if !name.starts_with('@') {
            return (self.header)(name).map(|value| value.trim().to_owned());
        }
        match (self.target, name) {
            (Target::Request { method, .. }, "@method") => Some(method.to_owned()),
            (Target::Request { authority, .. }, "@authority") => Some(authority.to_owned()),
            (Target::Request { path, .. }, "@path") => Some(path.to_owned()),
            (Target::Request { query: Some(query), .. }, "@query") => Some(format!("?{query}")),
            (Target::Response { status }, "@status") => Some(status.to_string()),
            _ => None,
        }
    }

    /// The signature base over these components; `parameters` is the inner list as it stands in
    /// `Signature-Input`. `None` when the message lacks a component.
    pub fn signature_base<'n>(
        &self,
        components: impl IntoIterator<Item = &'n str>,
        parameters: &str,
    ) -> Option<String> {
        let mut base = String::new();
        for name in components {
            let _infallible = writeln!(base, "\"{name}\": {}", self.component(name)?);
        }
        let _infallible = write!(base, "\"@signature-params\": {parameters}");
        Some(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, section 2.5, with the components that are known here.
    #[test]
    fn the_base_is_that_of_the_standard() {
        let header = |name: &str| {
            let value = match name {
                "content-type" => "application/json",
                "content-digest" => "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm==:",
                "content-length" => " 18 ",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let target = Target::Request {
            method: "POST",
            authority: "example.com",
            path: "/foo",
            query: Some("param=Value"),
        };
        let message = Message { target, header: &header };
        let components = ["@method", "@authority", "@path", "content-digest", "content-length"];
        let parameters = concat!(
            r#"("@method" "@authority" "@path" "content-digest" "content-length")"#,
            r#";created=1618884473;keyid="test-key-rsa-pss""#,
        );
        let expected = [
            r#""@method": POST"#,
            r#""@authority": example.com"#,
            r#""@path": /foo"#,
            r#""content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm==:"#,
            r#""content-length": 18"#,
            &format!(r#""@signature-params": {parameters}"#),
        ];
        let base = message.signature_base(components, parameters);
        assert_eq!(base.as_deref(), Some(&*expected.join("\n")));
        assert_eq!(message.component("@query").as_deref(), Some("?param=Value"));
        assert_eq!(message.signature_base(["@status"], parameters), None);
        let answer = Message { target: Target::Response { status: 201 }, header: &header };
        assert_eq!(answer.component("@status").as_deref(), Some("201"));
        assert_eq!(answer.component("@method"), None);
    }
}
