//! From a schema to the features it declares, in a fixed order.

use std::{collections::BTreeSet, time::Duration};

use super::{AcquaintanceSchema, DistinctSchema, EntitySchema, MOST_ENTITIES, Schema, SchemaFault};
use crate::fraud::features::{
    AcquaintanceField, Aggregate, EntityKind, Feature, Layout, NumberField, Window,
    entity::LABEL_WINDOWS,
};

impl Schema {
    /// The features, with labels used after this delay.
    ///
    /// # Errors
    /// When the schema contradicts itself.
    pub fn layout(&self, label_delay: Duration) -> Result<Layout, SchemaFault> {
        self.check_names()?;
        let mut features = vec![];
        if self.columns.amount.is_some() {
            features.push(Feature::Amount);
        }
        features.extend([Feature::Hour, Feature::Weekday]);
        features.extend((0..self.numbers.len() + self.flags.len()).map(Feature::Number));
        for (kind, entity) in self.entities.iter().enumerate() {
            let aggregates = self.aggregates(entity)?;
            features.extend(aggregates.into_iter().map(|of| Feature::Of(kind, of)));
        }
        let kind = |entity: &EntitySchema| EntityKind {
            name: entity.name.clone(),
            says: entity.says.clone().unwrap_or_else(|| format!("this {}", entity.name)),
            columns: entity.columns.clone(),
        };
        let says = |says: &Option<String>, name: &str| {
            says.clone().unwrap_or_else(|| format!("{name} is {{}}"))
        };
        let numbers = self.numbers.iter().map(|number| NumberField {
            name: number.name.clone(),
            says: says(&number.says, &number.name),
            says_none: None,
            says_one: number.says_one.clone(),
            says_unknown: number.says_unknown.clone(),
            is_flag: false,
        });
        let flags = self.flags.iter().map(|flag| NumberField {
            name: flag.name.clone(),
            says: says(&flag.says, &flag.name),
            says_none: flag.says_not.clone(),
            says_one: None,
            says_unknown: flag.says_unknown.clone(),
            is_flag: true,
        });
        let mut layout = Layout {
            entities: self.entities.iter().map(kind).collect(),
            numbers: numbers.chain(flags).collect(),
            features,
            label_delay,
            reads: Vec::new(),
            acquaintances: self.acquaintances()?,
        };
        layout.features.extend((0..layout.acquaintances.len()).map(Feature::Acquaintance));
        if let Some(model) = &self.model {
            layout.reads = model.reads(&layout.names())?;
        }
        Ok(layout)
    }

    fn acquaintances(&self) -> Result<Vec<AcquaintanceField>, SchemaFault> {
        let place = |name: &String| {
            let found = self.entities.iter().position(|entity| entity.name == *name);
            found.ok_or_else(|| SchemaFault::Wrong(format!("`{name}` is no entity")))
        };
        let field = |of: &AcquaintanceSchema| {
            let places = of.of.iter().map(place).collect::<Result<_, _>>()?;
            Ok(AcquaintanceField { name: of.name.clone(), of: places })
        };
        self.acquaintances.iter().map(field).collect()
    }

    fn check_names(&self) -> Result<(), SchemaFault> {
        let wrong = |what: String| Err(SchemaFault::Wrong(what));
        if self.entities.len() > MOST_ENTITIES {
            return wrong(format!("there are more than {MOST_ENTITIES} entities"));
        }
        let entities = self.entities.iter().map(|entity| &entity.name);
        let plain = self.numbers.iter().map(|n| &n.name).chain(self.flags.iter().map(|f| &f.name));
        let plain = plain.chain(self.acquaintances.iter().map(|buyer| &buyer.name));
        let mut seen = BTreeSet::new();
        for name in entities.chain(plain) {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return wrong(format!("`{name}` is no name; use letters, digits and _"));
            }
            if !seen.insert(name) {
                return wrong(format!("`{name}` is named twice"));
            }
        }
        if let Some(entity) = self.entities.iter().find(|entity| entity.columns.is_empty()) {
            return wrong(format!("`{}` names no column", entity.name));
        }
        for flag in &self.flags {
            let values = !flag.is.is_empty() || flag.column.is_some();
            if !matches!(flag.differ.len(), 0 | 2) || (flag.differ.len() == 2 && values) {
                let name = &flag.name;
                return wrong(format!("`{name}` needs a column, or exactly two that differ"));
            }
        }
        Ok(())
    }

    fn aggregates(&self, entity: &EntitySchema) -> Result<Vec<Aggregate>, SchemaFault> {
        let name = &entity.name;
        let wrong = |what: String| SchemaFault::Wrong(what);
        let asked = [&entity.frauds, &entity.fraud_rate].into_iter().flatten().flatten();
        if asked.into_iter().any(|window| !LABEL_WINDOWS.contains(window)) {
            return Err(wrong(format!("`{name}`: labels are counted over 24h, 7d and 30d")));
        }
        // What needs a column is left out without it, unless it was asked for.
        let given =
            |asked: &Option<Vec<Window>>, column: bool, usual: &[Window], what: &str| match asked {
                Some(windows) if !windows.is_empty() && !column => {
                    Err(wrong(format!("`{name}` counts {what}, but no column has them")))
                }
                Some(windows) => Ok(windows.clone()),
                None if column => Ok(usual.to_vec()),
                None => Ok(vec![]),
            };
        let columns = &self.columns;
        let (amount, label) = (columns.amount.is_some(), columns.label.is_some());
        let failed = columns.failed.is_some();
        let count = given(&entity.count, true, &Window::ALL, "attempts")?;
        let failures = given(&entity.failures, failed, &Window::ALL, "failures")?;
        let sum = given(&entity.sum, amount, &LABEL_WINDOWS, "amounts")?;
        let to_mean =
            given(&entity.amount_to_mean, amount, &[Window::Week, Window::Month], "amounts")?;
        let to_max = given(&entity.amount_to_max, amount, &[Window::Month], "amounts")?;
        let frauds = given(&entity.frauds, label, &LABEL_WINDOWS, "frauds")?;
        let rate = given(&entity.fraud_rate, label, &LABEL_WINDOWS, "frauds")?;
        let mut all = vec![];
        all.extend(count.into_iter().map(Aggregate::Count));
        all.extend(failures.into_iter().map(Aggregate::Failures));
        all.extend(sum.into_iter().map(Aggregate::Sum));
        all.extend(to_mean.into_iter().map(Aggregate::ToMean));
        all.extend(to_max.into_iter().map(Aggregate::ToMax));
        let kind = |of: &DistinctSchema| {
            let found = self.entities.iter().position(|other| other.name == of.of);
            found.ok_or_else(|| {
                wrong(format!("`{name}` counts distinct `{}`, which is no entity", of.of))
            })
        };
        for distinct in &entity.distinct {
            let of = kind(distinct)?;
            all.extend(distinct.windows.iter().map(|window| Aggregate::Distinct(of, *window)));
        }
        all.extend(frauds.into_iter().map(Aggregate::Frauds));
        all.extend(rate.into_iter().map(Aggregate::FraudRate));
        all.extend(entity.since.then_some(Aggregate::Since));
        all.extend(entity.age.then_some(Aggregate::Age));
        for others in &entity.others {
            let of = kind(others)?;
            all.extend(others.windows.iter().map(|window| Aggregate::Others(of, *window)));
        }
        for unmet in &entity.unmet {
            let of = kind(unmet)?;
            all.extend(unmet.windows.iter().map(|window| Aggregate::Unmet(of, *window)));
        }
        for others in &entity.amount_to_others {
            let of = kind(others)?;
            all.extend(others.windows.iter().map(|window| Aggregate::ToOthers(of, *window)));
        }
        if !entity.failure_share_but.is_empty() && !failed {
            return Err(wrong(format!("`{name}` shares failures, but no column has them")));
        }
        for but in &entity.failure_share_but {
            let of = kind(but)?;
            all.extend(but.windows.iter().map(|window| Aggregate::FailureShare(of, *window)));
        }
        all.extend(self.of_payments(entity)?);
        Ok(all)
    }

    /// What is told of payments one by one: only what is asked for.
    fn of_payments(&self, entity: &EntitySchema) -> Result<Vec<Aggregate>, SchemaFault> {
        let (name, mut all) = (&entity.name, vec![]);
        all.extend(entity.amount_to_life_mean.then_some(Aggregate::ToLifeMean));
        all.extend(entity.amount_to_median.then_some(Aggregate::ToMedian));
        all.extend(entity.amount_deviation.then_some(Aggregate::Deviation));
        all.extend(entity.outliers.iter().copied().map(Aggregate::Outliers));
        all.extend(entity.since_outlier.then_some(Aggregate::SinceOutlier));
        if !all.is_empty() && self.columns.amount.is_none() {
            let what = format!("`{name}` compares amounts, but no column has them");
            return Err(SchemaFault::Wrong(what));
        }
        let of_amounts = all.len();
        if let Some(last) = entity.last_frauds.iter().find(|of| !Aggregate::LAST.contains(of)) {
            let what = format!("`{name}`: last_frauds is of the last 1, 3 or 10, not {last}");
            return Err(SchemaFault::Wrong(what));
        }
        all.extend(entity.last_frauds.iter().copied().map(Aggregate::LastFrauds));
        all.extend(entity.fraud_streak.then_some(Aggregate::FraudStreak));
        all.extend(entity.since_streak.then_some(Aggregate::SinceStreak));
        all.extend(entity.since_fraud.then_some(Aggregate::SinceFraud));
        let plain = entity.plain_frauds.iter().map(|days| Aggregate::PlainFrauds(days.days()));
        all.extend(plain);
        if all.len() > of_amounts && self.columns.label.is_none() {
            let what = format!("`{name}` remembers outcomes, but no column has labels");
            return Err(SchemaFault::Wrong(what));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_aggregates_follow_the_columns_there_are() {
        let names = |columns: &str| {
            let text = format!(
                "[columns]\ntime = \"at\"\n{columns}[[entity]]\nname = \"card\"\ncolumns = [\"c\"]"
            );
            let schema = Schema::parse(&text).expect("a schema");
            schema.layout(Duration::ZERO).expect("it holds").names().join(" ")
        };
        assert_eq!(
            names(""),
            "hour weekday card.count.10m card.count.1h card.count.24h card.count.7d \
             card.count.30d card.since card.age"
        );
        let full = names("label = \"l\"\namount = \"a\"\nfailed = \"f\"\n");
        for part in ["amount hour", "card.failures.10m", "card.sum.24h", "card.fraud_rate.30d"] {
            assert!(full.contains(part), "{part} is missing in {full}");
        }
    }
}
