//! A schema made ready to serve: which features there are, what is remembered for them, and how
//! events are read and translated.
//!
//! What is remembered is known by what it is made of and not by the schema that asked for it: the
//! keys of an entity are hashes of its columns' values, and every entity is counted in all windows.
//! So what was judged with one schema is remembered for another: entities of the same columns are
//! the same. What the guard against card testing looks at is remembered whatever the schema says.

use std::{num::NonZeroU64, sync::Arc};

use super::{
    columns::Reader,
    event::{Event, Key},
    features::{Layout, MISSING},
    guard,
    model::file::hexadecimal,
    rules::FeatureNames,
    schema::{FlagSchema, NumberSchema, Schema, SchemaFault},
    signals::Signals,
};

/// A schema made ready to serve.
#[derive(Debug, Clone)]
pub struct FeatureSet {
    /// As it is written.
    pub schema: Schema,
    /// The features.
    pub layout: Arc<Layout>,
    /// What is remembered: for the features, and for the guard. Its kinds are those of the layout
    /// in the same places, and behind them those that the guard alone looks at.
    pub remembered: Arc<Layout>,
    /// The first bytes of the features' hash, in hexadecimal: judgements name it.
    pub hash: String,
    /// Where each feature stands.
    pub names: FeatureNames,
    /// The features' names, in order.
    pub codes: Arc<[Arc<str>]>,
    /// The name of the memory that serves it.
    pub memory: String,
    reader: Reader,
}

impl FeatureSet {
    /// Makes a schema ready.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn of(schema: &Schema) -> Result<Self, SchemaFault> {
        let layout = Arc::new(schema.layout(schema.label_delay.0)?);
        let remembered = Arc::new(guard::remembered_for(&layout));
        let reader = Reader::of(schema).remembering(&remembered);
        Ok(Self {
            schema: schema.clone(),
            hash: short_hash(&layout),
            names: FeatureNames::of(&layout),
            codes: layout.names().into_iter().map(Arc::from).collect(),
            memory: remembered.memory_name(),
            layout,
            remembered,
            reader,
        })
    }

    /// The same under the hash that judgements name.
    #[must_use]
    pub fn kept_as(self, hash: String) -> Self {
        Self { hash, ..self }
    }

    /// Reads a checkout as an event.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whether both remember the same, so that one memory serves both.
    pub fn remembers_as(&self, other: &Self) -> bool {
        self.memory == other.memory
    }

    /// The columns that no checkout has: features of them are always missing.
    pub fn unknown_columns(&self) -> Vec<&str> {
        self.reader.unknown()
    }

    /// Where the kinds that are remembered here stand in another set; nothing for those that it
    /// does not have.
    pub fn places_in(&self, other: &Self) -> Places {
        let find = |columns: &[String]| {
            other.remembered.entities.iter().position(|kind| kind.columns == columns)
        };
        let entities = &self.remembered.entities;
        Places(entities.iter().map(|kind| find(&kind.columns)).collect())
    }

    /// The plain facts of an event of which another set's features were kept: the same fact is
    /// read back from them, and the others are not known.
    pub fn numbers_from(&self, other: &Self, features: &[f32]) -> Vec<Option<f32>> {
        let (own, theirs) = (facts(&self.schema), facts(&other.schema));
        let value = |fact: &Fact<'_>| {
            let place = theirs.iter().position(|their| their == fact)?;
            let name = &other.layout.numbers[place].name;
            let value = other.layout.names().iter().position(|feature| feature == name);
            let value = features.get(value?).copied()?;
            Some(if value == MISSING { f32::NAN } else { value })
        };
        own.iter().map(value).collect()
    }
}

/// The first bytes of a layout's hash, in hexadecimal.
pub fn short_hash(layout: &Layout) -> String {
    hexadecimal(&layout.hash()[..8])
}

/// Where the kinds of one set stand in the keys of an event that another set read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places(Vec<Option<usize>>);

impl Places {
    /// The keys as this set would have them, from those that were kept; 0 is none.
    pub fn keys(&self, kept: &[u64]) -> Box<[Option<Key>]> {
        let key = |place: &Option<usize>| {
            let raw = kept.get((*place)?).copied()?;
            NonZeroU64::new(raw).map(Key::from_raw)
        };
        self.0.iter().map(key).collect()
    }

    /// Whether some kind has no place: its keys were not kept.
    pub fn lacks_any(&self) -> bool {
        self.0.contains(&None)
    }

    /// Fills in the keys of kinds that have no place, from what is still known of the checkout.
    pub fn fill(&self, event: &mut Event, set: &FeatureSet, signals: &Signals) {
        let read = set.reader.event(signals);
        for (number, place) in self.0.iter().enumerate() {
            if place.is_none() {
                event.keys[number] = read.keys[number];
            }
        }
    }
}

/// What a plain fact is read from; facts that are read alike are the same.
#[derive(Debug, PartialEq, Eq)]
struct Fact<'a> {
    column: &'a str,
    is_flag: bool,
    is: &'a [String],
    differ: &'a [String],
}

impl<'a> Fact<'a> {
    fn of_number(number: &'a NumberSchema) -> Self {
        let column = number.column.as_deref().unwrap_or(&number.name);
        Self { column, is_flag: false, is: &[], differ: &[] }
    }

    fn of_flag(flag: &'a FlagSchema) -> Self {
        let column = match flag.differ.is_empty() {
            true => flag.column.as_deref().unwrap_or(&flag.name),
            false => "",
        };
        Self { column, is_flag: true, is: &flag.is, differ: &flag.differ }
    }
}

/// The facts of a schema in the order of a layout's numbers.
fn facts(schema: &Schema) -> Vec<Fact<'_>> {
    let flags = schema.flags.iter().map(Fact::of_flag);
    schema.numbers.iter().map(Fact::of_number).chain(flags).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::Timestamp,
        fraud::{judged::WrittenEvent, serving::bundled, signals::tests::bare},
    };
    use std::collections::BTreeMap;

    fn set(schema: &str) -> FeatureSet {
        FeatureSet::of(&Schema::parse(schema).expect("a schema")).expect("it holds")
    }

    /// Mailboxes under another name and in another place, somebody else's cards, and phones.
    const OTHER: &str = r#"
        [columns]
        time = "t"
        [[entity]]
        name = "mailbox"
        columns = ["email"]
        [[entity]]
        name = "card"
        columns = ["card_bin"]
        [[entity]]
        name = "shop"
        columns = ["storefront"]
        [[number]]
        name = "pieces"
        column = "units"
        [[number]]
        name = "email_digits"
        column = "email"
    "#;

    // breaks: let `places_in` compare names instead of columns
    #[test]
    fn entities_are_the_same_by_what_they_are_made_of() {
        let (bundled, other) = (set(bundled::SCHEMA), set(OTHER));
        let named = |set: &FeatureSet, column: &str| {
            let kinds = set.remembered.entities.iter();
            kinds.clone().position(|kind| kind.columns == [column]).expect("a kind")
        };
        let keys: Vec<u64> = (1..=bundled.remembered.entities.len() as u64).collect();
        let places = other.places_in(&bundled);
        let read = places.keys(&keys);
        for column in ["email", "card_bin", "card", "ip", "cart"] {
            let key = read[named(&other, column)].expect("it was kept");
            assert_eq!(key.raw(), keys[named(&bundled, column)], "{column}");
        }
        assert_eq!(read[named(&other, "storefront")], None, "nobody kept it");
        assert!(places.lacks_any() && !bundled.places_in(&bundled).lacks_any());
        let kept = WrittenEvent {
            amount: None,
            currency: None,
            keys,
            counted: true,
            others: BTreeMap::new(),
        };
        let mut event = kept.with(read, Timestamp::from_micros(0), false);
        let mut signals = bare();
        signals.storefront = "key_1".into();
        places.fill(&mut event, &other, &signals);
        assert!(event.keys[named(&other, "storefront")].is_some(), "the checkout tells still");
        assert!(event.keys[named(&other, "email")].is_some(), "what was kept stays");
    }

    // breaks: let `numbers_from` look names up without comparing what they are read from
    #[test]
    fn plain_facts_are_read_back_where_they_are_the_same() {
        let (bundled, other) = (set(bundled::SCHEMA), set(OTHER));
        let mut features = vec![MISSING; bundled.layout.features.len()];
        let names = bundled.layout.names();
        let place = |name: &str| names.iter().position(|known| known == name).expect("a feature");
        features[place("units")] = 3.0;
        features[place("email_digits")] = 2.0;
        let numbers = other.numbers_from(&bundled, &features);
        assert_eq!(numbers, [Some(3.0), None], "a name alone is no fact");
    }

    #[test]
    fn schemas_that_remember_the_same_share_a_memory() {
        let bundled = set(bundled::SCHEMA);
        let more =
            format!("{}\n[[number]]\nname = \"lines_too\"\ncolumn = \"lines\"", bundled::SCHEMA);
        let more = set(&more);
        assert!(bundled.remembers_as(&more) && bundled.hash != more.hash);
        let swapped = bundled::SCHEMA.replace("columns = [\"ip\"]", "columns = [\"storefront\"]");
        assert!(!bundled.remembers_as(&set(&swapped)), "the name alone makes no entity");
    }
}
