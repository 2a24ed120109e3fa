//! A trained model as one text, and as the files of a folder: what is registered.

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::Path,
    sync::Arc,
};

use crate::fraud::{
    feature_set::FeatureSet,
    model::Model,
    schema::Schema,
    serving::{Versioned, Watched},
};

/// Bytes of a model file: more is a mistake, and would not stay in a cache anyway.
const MODEL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The names of a model's files. The last one may be missing: models trained before there was one
/// have none, and their drift is not told.
const FILES: [&str; 4] = ["model", "schema", "manifest", "reference.json"];

/// A trained model with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    model: Vec<u8>,
    schema: String,
    manifest: Value,
    reference: Option<String>,
}

/// A bundle as one JSON text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    schema: String,
    manifest: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Value>,
    /// The model file, packed with gzip, in base64.
    model: String,
}

impl Bundle {
    /// Reads the folder that `doorbuster train` wrote.
    ///
    /// # Errors
    /// In words.
    pub fn of_folder(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            fs::read(folder.join(name))
                .map_err(|error| format!("{}: {error}", folder.join(name).display()))
        };
        let [model, schema, manifest, reference] = FILES;
        let files = [model, schema, manifest].map(|name| read(name).map(|bytes| (name, bytes)));
        let files = files.into_iter().collect::<Result<BTreeMap<_, _>, _>>()?;
        Self::of_files(|name| match name {
            _ if name == reference => fs::read(folder.join(name)).ok(),
            name => files.get(name).cloned(),
        })
    }

    /// Reads what [`files`](Self::files) gave.
    pub(super) fn of_stored(files: &BTreeMap<String, String>) -> Result<Self, String> {
        let decoded = |name: &str| BASE64_STANDARD.decode(files.get(name)?).ok();
        Self::of_files(decoded)
    }

    fn of_files(file: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Self, String> {
        let needed = |name: &str| file(name).ok_or_else(|| format!("the file `{name}` is missing"));
        let text = |name: &str, bytes: Vec<u8>| {
            String::from_utf8(bytes).map_err(|_| format!("the file `{name}` is no UTF-8"))
        };
        let manifest = needed("manifest")?;
        let reference = file("reference.json").map(|bytes| text("reference.json", bytes));
        Ok(Self {
            model: needed("model")?,
            schema: text("schema", needed("schema")?)?,
            manifest: serde_json::from_slice(&manifest)
                .map_err(|error| format!("the manifest does not read: {error}"))?,
            reference: reference.transpose()?,
        })
    }

    /// Reads a bundle that was written as one text.
    ///
    /// # Errors
    /// In words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Text = serde_json::from_str(text)
            .map_err(|error| format!("the bundle does not read: {error}"))?;
        let packed = BASE64_STANDARD.decode(&read.model);
        let packed = packed.map_err(|error| format!("`model` is no base64: {error}"))?;
        let mut model = Vec::new();
        let mut unpacking = GzDecoder::new(&packed[..]).take(MODEL_BYTES_MAX + 1);
        unpacking
            .read_to_end(&mut model)
            .map_err(|error| format!("`model` is no gzip: {error}"))?;
        if model.len() as u64 > MODEL_BYTES_MAX {
            return Err(format!("a model has at most {MODEL_BYTES_MAX} bytes"));
        }
        let reference = read.reference.map(|reference| reference.to_string());
        Ok(Self { model, schema: read.schema, manifest: read.manifest, reference })
    }

    /// The bundle as one text.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn to_text(&self) -> std::io::Result<String> {
        let mut packing = GzEncoder::new(Vec::new(), Compression::best());
        packing.write_all(&self.model)?;
        let text = Text {
            schema: self.schema.clone(),
            manifest: self.manifest.clone(),
            reference: self.reference.as_ref().and_then(|text| serde_json::from_str(text).ok()),
            model: BASE64_STANDARD.encode(packing.finish()?),
        };
        Ok(serde_json::to_string(&text)?)
    }

    /// Its files in base64, by their names.
    pub(super) fn files(&self) -> BTreeMap<&'static str, String> {
        let [model, schema, manifest, reference] = FILES;
        let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let mut files = BTreeMap::from([
            (model, encode(&self.model)),
            (schema, encode(self.schema.as_bytes())),
            (manifest, encode(self.manifest.to_string().as_bytes())),
        ]);
        if let Some(text) = &self.reference {
            files.insert(reference, encode(text.as_bytes()));
        }
        files
    }

    /// What its training tells.
    pub(super) const fn manifest(&self) -> &Value {
        &self.manifest
    }

    /// The model and the features that it reads, checked against each other.
    ///
    /// # Errors
    /// In words.
    pub fn read(&self, version: &str) -> Result<Watched, String> {
        let model = Model::from_bytes(&self.model).map_err(|error| error.to_string())?;
        let schema = Schema::parse(&self.schema).map_err(|error| error.to_string())?;
        let set = FeatureSet::of(&schema).map_err(|error| error.to_string())?;
        model.check_features(set.layout.hash()).map_err(|error| error.to_string())?;
        let versioned = Versioned::new(version, model);
        let versioned = match self.reference.clone() {
            Some(text) => versioned.trained_on(Ok(text), &set.layout.names()),
            None => versioned,
        };
        Ok(Watched { versioned, set: Arc::new(set) })
    }
}
