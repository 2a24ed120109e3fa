//! Models small enough to be written by hand.

use doorbuster::fraud::{
    feature_set::FeatureSet,
    model::{Calibration, Forest, GrownNode, Model},
    models::Bundle,
    schema::Schema,
};
use std::{fs, path::Path};

/// The same as a bundle.
pub(crate) fn bundle(schema: &str, share: f64) -> Bundle {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), schema, share);
    Bundle::of_folder(folder.path()).expect("a bundle")
}

/// A schema that counts mailboxes and storefronts, in its own words and order, and nothing that the
/// guard looks at.
pub(crate) const OTHER_SCHEMA: &str = r#"
label_delay = "7d"

[columns]
time = "placed_at"
label = "label"
amount = "amount"
failed = "failed"

[[entity]]
name = "shop"
columns = ["storefront"]

[[entity]]
name = "mailbox"
columns = ["email"]

[[number]]
name = "units"
"#;

/// Writes a model that finds everybody as suspicious, of the features of this schema.
pub(crate) fn write(folder: &Path, schema: &str, share: f64) {
    let set = FeatureSet::of(&Schema::parse(schema).expect("a schema")).expect("it holds");
    let leaf = vec![GrownNode { value: share, split: None }];
    let cuts = (1..=1000_u16).map(|cut| f32::from(cut) / 1000.0).collect();
    let model = Model {
        features_hash: set.layout.hash(),
        forest: Forest::flatten(set.layout.features.len(), &[leaf]).expect("a tree"),
        calibration: Calibration::new(vec![(0.0, 0.0), (1.0, 1.0)], cuts).expect("it rises"),
    };
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("model"), model.to_bytes()).expect("written");
    fs::write(folder.join("schema"), schema).expect("written");
    fs::write(folder.join("manifest"), "{}").expect("written");
}

/// The values of a judgement's features, which stand as `number*times` where one follows itself.
pub(crate) fn values(features: &str) -> impl Iterator<Item = &str> {
    features.split(' ').flat_map(|run| {
        let (value, times) = run.split_once('*').unwrap_or((run, "1"));
        std::iter::repeat_n(value, times.parse().expect("so many times"))
    })
}
