//! One operation: a method of a route, and what is to be known about it.

use actix_web::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::fields;
use crate::{
    access::Scope,
    http::{
        caller::{self, Need},
        kinds::Kind,
        problem::Dialect,
        v1::page::Page,
    },
};

/// Writes the schema of an answer, and leaves what it refers to with the generator.
type Shape = fn(&mut SchemaGenerator) -> Schema;

/// What an answer is made of.
#[derive(Debug, Clone)]
pub enum Content {
    /// JSON that one of our types writes.
    Ours(Shape),
    /// JSON of this schema.
    Schema(Value),
    /// Something that is no JSON, of this media type.
    Other(&'static str),
}

/// An answer that is no refusal.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What it means.
    pub says: &'static str,
    /// What it holds.
    pub content: Content,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Body {
    /// Its media type.
    pub media: &'static str,
    /// What it may be.
    pub schema: Value,
    /// One that is answered with the first of the answers.
    pub example: Value,
    /// Whether the protocol publishes the schema, and the fields in ours are a beginning.
    pub published: bool,
}

impl Body {
    /// The example as it is sent.
    pub fn sent(&self) -> String {
        match &self.example {
            Value::String(text) if self.media != JSON => text.clone(),
            example => serde_json::to_string_pretty(example).unwrap_or_default(),
        }
    }
}

/// What most bodies are.
const JSON: &str = "application/json";

/// A parameter of the query or a header.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `query` or `header`.
    pub place: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether it has to be sent.
    pub needed: bool,
    /// What it may be.
    pub schema: Value,
    /// What it is for.
    pub says: &'static str,
    /// One that works.
    pub example: Option<Value>,
}

/// A method of a route.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name in generated clients.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// Its path, with names of parameters in braces.
    pub path: String,
    /// What it does, in a line.
    pub summary: String,
    /// What else is to be known.
    pub says: &'static str,
    /// Parameters but for those of the path.
    pub parameters: Vec<Parameter>,
    /// What is sent.
    pub body: Option<Body>,
    /// How it may end well.
    pub answers: Vec<Answer>,
    /// How it may be refused, besides what every request of its kind may be.
    pub kinds: Vec<Kind>,
    /// Whether it is there in dev mode alone.
    pub dev_only: bool,
    /// Whether it changes nothing, whatever its method.
    pub keyless: bool,
}

/// What may be wrong with who a platform says it is.
const SIGNED: &[Kind] = &[
    Kind::VersionUnsupported,
    Kind::DigestMismatch,
    Kind::AlgorithmUnsupported,
    Kind::SignatureMissing,
    Kind::SignatureInvalid,
    Kind::KeyNotFound,
    Kind::ProfileMalformed,
    Kind::ProfileUnreachable,
];

/// Reads something.
pub fn get(id: impl Into<String>, path: impl Into<String>, does: impl Into<String>) -> Operation {
    Operation::new(Method::GET, id.into(), path.into(), does.into())
}

/// Makes something, or does something.
pub fn post(id: impl Into<String>, path: impl Into<String>, does: impl Into<String>) -> Operation {
    Operation::new(Method::POST, id.into(), path.into(), does.into())
}

/// Replaces something.
pub fn put(id: impl Into<String>, path: impl Into<String>, does: impl Into<String>) -> Operation {
    Operation::new(Method::PUT, id.into(), path.into(), does.into())
}

/// Removes something.
pub fn delete(
    id: impl Into<String>,
    path: impl Into<String>,
    does: impl Into<String>,
) -> Operation {
    Operation::new(Method::DELETE, id.into(), path.into(), does.into())
}

impl Operation {
    fn new(method: Method, id: String, path: String, summary: String) -> Self {
        let (parameters, answers, kinds) = (Vec::new(), Vec::new(), Vec::new());
        let (body, says, dev_only, keyless) = (None, "", false, false);
        let operation = Self {
            id,
            method,
            path,
            summary,
            says,
            parameters,
            body,
            answers,
            kinds,
            dev_only,
            keyless,
        };
        match operation.dialect() {
            Dialect::Acp => operation.with_version(),
            Dialect::Ucp | Dialect::Ucp202601 => operation.with_agent(),
            Dialect::Plain => operation,
        }
    }

    fn with_version(self) -> Self {
        let version = crate::http::acp::VERSION;
        self.parameter(Parameter {
            place: "header",
            name: "API-Version",
            needed: true,
            schema: json!({ "type": "string", "enum": [version] }),
            says: "The version the request is written in.",
            example: Some(version.into()),
        })
        .or(&[Kind::VersionUnsupported])
    }

    fn with_agent(self) -> Self {
        self.parameter(Parameter {
            place: "header",
            name: "UCP-Agent",
            needed: false,
            schema: json!({ "type": "string" }),
            says: "Who the platform is: `profile=\"https://agent.example/profile.json\"`.",
            example: None,
        })
        .or(SIGNED)
    }

    /// What else is to be known.
    #[must_use]
    pub const fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }

    /// It changes nothing: no idempotency key is asked for.
    #[must_use]
    pub const fn without_key(mut self) -> Self {
        self.keyless = true;
        self
    }

    /// It is there in dev mode alone.
    #[must_use]
    pub const fn in_dev(mut self) -> Self {
        self.dev_only = true;
        self
    }

    /// A parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// A parameter of the query that may be left out.
    #[must_use]
    pub fn query(self, name: &'static str, schema: Value, says: &'static str) -> Self {
        let (place, needed, example) = ("query", false, None);
        self.parameter(Parameter { place, name, needed, schema, says, example })
            .or(&[Kind::Invalid])
    }

    /// A list that comes in pages.
    #[must_use]
    pub fn paged<T: JsonSchema>(self) -> Self {
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": 200 });
        let cursor = json!({ "type": "string" });
        self.query("limit", limit, "How many items; 50 unless said.")
            .query("cursor", cursor, "`next_cursor` of the page before.")
            .or(&[Kind::LimitExceeded])
            .answers::<Page<T>>(200, "A page of the list.")
    }

    /// The version that is to be changed may be named.
    #[must_use]
    pub fn versioned(self) -> Self {
        self.parameter(Parameter {
            place: "header",
            name: "If-Match",
            needed: false,
            schema: json!({ "type": "string" }),
            says: "The `ETag` of the version that is to be changed, or several with commas \
                   between; another one is refused.",
            example: None,
        })
        .or(&[Kind::VersionMismatch])
    }

    /// A body of these fields, and one that works.
    #[must_use]
    pub fn takes(
        mut self,
        fields: impl IntoIterator<Item = fields::Field>,
        example: Value,
    ) -> Self {
        self.body =
            Some(Body { media: JSON, schema: fields::object(fields), example, published: false });
        self
    }

    /// A body of this schema, and one that works.
    #[must_use]
    pub fn takes_schema(mut self, schema: Value, example: Value) -> Self {
        self.body = Some(Body { media: JSON, schema, example, published: false });
        self
    }

    /// A body that is no JSON, and one that works.
    #[must_use]
    pub fn takes_file(mut self, media: &'static str, example: &str) -> Self {
        let schema = json!({ "type": "string" });
        self.body = Some(Body { media, schema, example: example.into(), published: true });
        self
    }

    /// A body that the protocol describes, and one that works.
    #[must_use]
    pub fn takes_published(mut self, at: &str, needed: &[&str], example: Value) -> Self {
        let schema = fields::published(at, needed);
        self.body = Some(Body { media: JSON, schema, example, published: true });
        self
    }

    /// An answer that one of our types writes.
    #[must_use]
    pub fn answers<T: JsonSchema>(mut self, status: u16, says: &'static str) -> Self {
        let content = Content::Ours(|generator| generator.subschema_for::<T>());
        self.answers.push(Answer { status, says, content });
        self
    }

    /// An answer of this schema.
    #[must_use]
    pub fn answers_schema(mut self, status: u16, says: &'static str, schema: Value) -> Self {
        self.answers.push(Answer { status, says, content: Content::Schema(schema) });
        self
    }

    /// An answer that is no JSON.
    #[must_use]
    pub fn answers_other(mut self, media: &'static str, says: &'static str) -> Self {
        self.answers.push(Answer { status: 200, says, content: Content::Other(media) });
        self
    }

    /// How it may be refused.
    #[must_use]
    pub fn or(mut self, kinds: &[Kind]) -> Self {
        self.kinds.extend(
            kinds.iter().filter(|kind| !self.kinds.contains(kind)).copied().collect::<Vec<_>>(),
        );
        self
    }

    /// Whose words its refusals are told in.
    pub fn dialect(&self) -> Dialect {
        Dialect::at(&self.path, false)
    }

    /// What a caller's key must allow; none where no key is asked for.
    pub fn scope(&self) -> Option<Scope> {
        match caller::needed(&self.method, &self.path, false)? {
            Need::Key(scope) | Need::Either(scope, _) => Some(scope),
            Need::Nothing => None,
        }
    }

    /// Whether it changes something, and so is done once for each idempotency key.
    pub fn has_key(&self) -> bool {
        !self.keyless && !self.method.is_safe() && self.scope().is_some()
    }

    /// The names of the parameters of its path, in their order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
    }
}
