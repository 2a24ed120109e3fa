//! A checked expression and its value for one order.
//!
//! The library that reads the language also evaluates it, in about 10 µs for twenty rules, some of
//! which is building maps of variables; this takes a quarter of that (`benches/rules.rs`). It knows
//! types from the check, so that nothing can be of the wrong one here, and it always ends: an
//! expression has a bounded number of parts, and conditions on items do not stand in one another.
//!
//! **What is missing** is no error and no zero: it is passed on, and absorbed where the rest
//! decides alone (`missing || true` is true, `missing && false` is false), as CEL does with errors
//! (language definition, "Logical Operators"). A rule whose value is missing does not match. The
//! same goes for what has no value: a division of whole numbers by zero, an overflow, an item
//! beyond the end of a list.

use std::{cmp::Ordering, sync::Arc};

use super::{
    facts::{Facts, Value},
    list::List,
    vocabulary::Variable,
};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What two numbers come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Which part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Within,
    Start,
    End,
}

/// How many items a condition must hold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
    One,
}

/// A part of an expression. Its type was checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    List(Box<[Node]>),
    Variable(Variable),
    Feature(Box<str>),
    /// The item that a condition looks at.
    Item,
    Not(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    If(Box<[Node; 3]>),
    Compare(Comparison, Box<[Node; 2]>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Negate(Box<Node>),
    In(Box<[Node; 2]>),
    At(Box<[Node; 2]>),
    Size(Box<Node>),
    Part(Part, Box<[Node; 2]>),
    ToInt(Box<Node>),
    ToDouble(Box<Node>),
    Has(Box<Node>),
    /// Whether the list at this place of [`Program::lists`] holds the value.
    Listed(Box<Node>, usize),
    Each(Quantifier, Box<[Node; 2]>),
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(super) root: Node,
    /// The lists it looks up, in the order of their first use.
    pub(super) lists: Vec<Box<str>>,
    /// The names it uses: variables and features.
    pub(super) uses: Vec<String>,
}

impl Program {
    /// The variables and features it reads, in the order of their first use.
    pub fn uses(&self) -> &[String] {
        &self.uses
    }

    /// The lists it looks up.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(AsRef::as_ref)
    }

    /// Whether it holds. None when what decides it is missing. `lists` stand in the order of
    /// [`Program::lists`].
    pub(super) fn holds(&self, facts: &Facts<'_>, lists: &[Arc<List>]) -> Option<bool> {
        Look { facts, lists, item: None }.holds(&self.root)
    }
}

/// Where a part is looked at from.
#[derive(Clone, Copy)]
struct Look<'e, 'a> {
    facts: &'e Facts<'a>,
    lists: &'e [Arc<List>],
    item: Option<Value<'e>>,
}

impl<'e> Look<'e, '_> {
    fn holds(self, node: &'e Node) -> Option<bool> {
        match self.value(node) {
            Some(Value::Bool(holds)) => Some(holds),
            _ => None,
        }
    }

    fn text(self, node: &'e Node) -> Option<&'e str> {
        match self.value(node) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn value(self, node: &'e Node) -> Option<Value<'e>> {
        match node {
            Node::Bool(value) => Some(Value::Bool(*value)),
            Node::Int(value) => Some(Value::Int(*value)),
            Node::Double(value) => Some(Value::Double(*value)),
            Node::Text(text) => Some(Value::Text(text)),
            // A list is looked into, and is no value by itself.
            Node::List(_) => None,
            Node::Variable(variable) => self.facts.get(*variable),
            Node::Feature(name) => self.facts.feature(name).map(Value::Double),
            Node::Item => self.item,
            Node::Not(a) => self.holds(a).map(|holds| Value::Bool(!holds)),
            Node::And(both) => self.decided_by(false, both).map(Value::Bool),
            Node::Or(both) => self.decided_by(true, both).map(Value::Bool),
            Node::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                self.value(if self.holds(condition)? { then } else { otherwise })
            }
            Node::Compare(how, both) => {
                let (a, b) = (self.value(&both[0])?, self.value(&both[1])?);
                Some(Value::Bool(compare(*how, a, b)))
            }
            Node::Arithmetic(what, both) => {
                arithmetic(*what, self.value(&both[0])?, self.value(&both[1])?)
            }
            Node::Negate(a) => match self.value(a)? {
                Value::Int(a) => a.checked_neg().map(Value::Int),
                Value::Double(a) => Some(Value::Double(-a)),
                _ => None,
            },
            Node::In(both) => self.is_in(&both[0], &both[1]).map(Value::Bool),
            Node::At(both) => self.at(&both[0], &both[1]),
            Node::Size(a) => self.size(a),
            Node::Part(part, both) => {
                let (text, part_of) = (self.text(&both[0])?, self.text(&both[1])?);
                Some(Value::Bool(match part {
                    Part::Within => text.contains(part_of),
                    Part::Start => text.starts_with(part_of),
                    Part::End => text.ends_with(part_of),
                }))
            }
            Node::ToInt(a) => match self.value(a)? {
                Value::Double(a) => whole(a).map(Value::Int),
                other => Some(other),
            },
            Node::ToDouble(a) => match self.value(a)? {
                Value::Int(a) => Some(Value::Double(float(a))),
                other => Some(other),
            },
            Node::Has(a) => Some(Value::Bool(self.value(a).is_some())),
            Node::Listed(a, list) => {
                let value = self.text(a)?;
                let list = self.lists.get(*list)?;
                Some(Value::Bool(list.holds(value, self.facts.now())))
            }
            Node::Each(quantifier, both) => self.each(*quantifier, both).map(Value::Bool),
        }
    }

    /// Either side decides alone when it is `decisive`, whatever the other is.
    fn decided_by(self, decisive: bool, both: &'e [Node; 2]) -> Option<bool> {
        let a = self.holds(&both[0]);
        if a == Some(decisive) {
            return a;
        }
        match self.holds(&both[1]) {
            Some(b) if b == decisive => Some(b),
            b => a.and(b),
        }
    }

    /// Looks at each item of a list, in order; none when the list or an item is missing.
    fn items(self, list: &'e Node, mut look: impl FnMut(Value<'e>)) -> Option<()> {
        match list {
            Node::List(nodes) => nodes.iter().try_for_each(|node| self.value(node).map(&mut look)),
            other => match self.value(other)? {
                Value::Texts(texts) => {
                    texts.iter().for_each(|text| look(Value::Text(text)));
                    Some(())
                }
                _ => None,
            },
        }
    }

    fn is_in(self, sought: &'e Node, list: &'e Node) -> Option<bool> {
        let sought = self.value(sought)?;
        let mut found = false;
        self.items(list, |item| found |= compare(Comparison::Equal, sought, item))?;
        Some(found)
    }

    fn at(self, list: &'e Node, place: &'e Node) -> Option<Value<'e>> {
        let Value::Int(place) = self.value(place)? else { return None };
        let place = usize::try_from(place).ok()?;
        let mut counted = 0;
        let mut found = None;
        self.items(list, |item| {
            found = if counted == place { Some(item) } else { found };
            counted += 1;
        })?;
        found
    }

    fn size(self, of: &'e Node) -> Option<Value<'e>> {
        let mut size = 0_usize;
        match of {
            Node::List(_) => self.items(of, |_| size += 1)?,
            other => match self.value(other)? {
                Value::Text(text) => size = text.chars().count(),
                Value::Texts(texts) => size = texts.len(),
                _ => return None,
            },
        }
        i64::try_from(size).ok().map(Value::Int)
    }

    /// Like a chain of `||` or `&&` over the items; exactly one cannot be told with one missing.
    fn each(self, quantifier: Quantifier, both: &'e [Node; 2]) -> Option<bool> {
        let (mut yes, mut no, mut missing) = (0_usize, 0_usize, 0_usize);
        self.items(&both[0], |item| match (Self { item: Some(item), ..self }).holds(&both[1]) {
            Some(true) => yes += 1,
            Some(false) => no += 1,
            None => missing += 1,
        })?;
        match quantifier {
            Quantifier::Any if yes > 0 => Some(true),
            Quantifier::All if no > 0 => Some(false),
            _ if missing > 0 => None,
            Quantifier::Any => Some(false),
            Quantifier::All => Some(true),
            Quantifier::One => Some(yes == 1),
        }
    }
}

/// Numbers of both types are compared as numbers; what is no number equals nothing.
fn compare(how: Comparison, a: Value<'_>, b: Value<'_>) -> bool {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(&b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(&b),
        (Value::Int(a), Value::Double(b)) => float(a).partial_cmp(&b),
        (Value::Double(a), Value::Int(b)) => a.partial_cmp(&float(b)),
        _ => None,
    };
    match how {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn arithmetic<'e>(what: Arithmetic, a: Value<'_>, b: Value<'_>) -> Option<Value<'e>> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(Value::Int(match what {
            Arithmetic::Add => a.checked_add(b)?,
            Arithmetic::Subtract => a.checked_sub(b)?,
            Arithmetic::Multiply => a.checked_mul(b)?,
            Arithmetic::Divide => a.checked_div(b)?,
            Arithmetic::Remainder => a.checked_rem(b)?,
        })),
        (Value::Double(a), Value::Double(b)) => Some(Value::Double(match what {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
            Arithmetic::Remainder => a % b,
        })),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a double is what was asked for")]
const fn float(number: i64) -> f64 {
    number as f64
}

/// Cut towards zero, as CEL does; what does not fit has no value.
fn whole(number: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let fits = number > -BEYOND && number < BEYOND;
    #[expect(clippy::cast_possible_truncation, reason = "cut on purpose, within the range")]
    let cut = fits.then_some(number as i64);
    cut
}
