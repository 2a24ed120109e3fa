//! Schemas of bodies that are read field by field: written down in the order in which they are
//! read.

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, ReplaceBoolSchemas},
};
use serde_json::{Map, Value, json};

/// One field of a body.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    needed: bool,
    schema: Value,
}

impl Field {
    /// The same, where it may be left out.
    pub fn optional(self) -> Self {
        Self { needed: false, ..self }
    }
}

/// A field without which the request is refused.
pub const fn needs(name: &'static str, schema: Value) -> Field {
    Field { name, needed: true, schema }
}

/// A field that may be left out.
pub const fn may(name: &'static str, schema: Value) -> Field {
    Field { name, needed: false, schema }
}

/// An object of these fields. In a body of `/v1` others are refused: see
/// [`contract`](crate::http::contract).
pub fn object(fields: impl IntoIterator<Item = Field>) -> Value {
    let mut properties = Map::new();
    let mut needed = Vec::new();
    for field in fields {
        if field.needed {
            needed.push(field.name);
        }
        properties.insert(field.name.to_owned(), field.schema);
    }
    let mut object = json!({ "type": "object", "properties": properties });
    if !needed.is_empty() {
        object["required"] = json!(needed);
    }
    object
}

/// The schema with a sentence about it.
pub fn said(says: &str, mut schema: Value) -> Value {
    schema["description"] = says.into();
    schema
}

/// A text.
pub fn text(says: &str) -> Value {
    json!({ "type": "string", "description": says })
}

/// A text that says something.
pub fn words(says: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": says })
}

/// A whole number from `least` on.
pub fn whole(least: i64, says: &str) -> Value {
    json!({ "type": "integer", "minimum": least, "description": says })
}

/// Yes or no.
pub fn flag(says: &str) -> Value {
    json!({ "type": "boolean", "description": says })
}

/// One of a few words.
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>, says: &str) -> Value {
    let words: Vec<_> = words.into_iter().collect();
    json!({ "type": "string", "enum": words, "description": says })
}

/// A moment.
pub fn moment(says: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": says })
}

/// A list.
pub fn list(items: Value, says: &str) -> Value {
    json!({ "type": "array", "items": items, "description": says })
}

/// A list that holds something.
pub fn some(items: Value, says: &str) -> Value {
    json!({ "type": "array", "items": items, "minItems": 1, "description": says })
}

/// What a protocol's own published schema describes: an object, and where to read about it.
pub fn published(at: &str, needed: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": true,
        "required": needed,
        "externalDocs": { "url": at, "description": "The published schema" },
    })
}

/// Writes schemas as generators of clients read them: `true` as `{}`, and one of a few words as an
/// `enum` rather than as a choice of constants.
pub(super) fn plainly(settings: &mut SchemaSettings) {
    let mut no_truths = ReplaceBoolSchemas::default();
    no_truths.skip_additional_properties = true;
    settings.transforms.push(Box::new(no_truths));
    settings.transforms.push(Box::new(RecursiveTransform(words_as_enum)));
}

fn words_as_enum(schema: &mut Schema) {
    let Some(forms) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let word = |form: &Value| form.get("const").filter(|word| word.is_string()).cloned();
    let Some(words) = forms.iter().map(word).collect::<Option<Vec<_>>>() else { return };
    let say = |form: &Value| {
        let says = form["description"].as_str().unwrap_or_default();
        format!("`{}`: {says}", form["const"].as_str().unwrap_or_default())
    };
    let meanings = forms.iter().map(say).collect::<Vec<_>>().join(" ");
    let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let about = format!("{about} {meanings}").trim().to_owned();
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    schema.insert("description".to_owned(), about.into());
}

/// A type of ours as it is read, whole.
pub fn of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    plainly(&mut settings);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("title");
    }
    schema
}
