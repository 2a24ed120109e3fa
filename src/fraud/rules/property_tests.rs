use cel::{Context, Program as Library};
use proptest::prelude::*;
use std::sync::Arc;

use super::{
    check::{Vocabulary, compile},
    facts::{Facts, FeatureNames, Features, InForce, Subject, Value},
    list::{List, ListKind},
    parse::ExpressionRefused,
    program::Program,
    rule::Pass,
    vocabulary::Variable,
};
use crate::{
    base::{Buyer, Email, Hints},
    fraud::signals::{Signals, tests::bare},
};

fn read(source: &str) -> Result<Program, ExpressionRefused> {
    let kind = |name: &str| (name == "l").then_some(ListKind::Email);
    compile(source, Vocabulary { features: None, lists: &kind, pass: Pass::After })
}

fn buyer() -> Signals {
    let mut signals = bare();
    let email = Email::parse("a1@b.example").expect("an address");
    signals.person.buyer = Some(Box::new(Buyer { email: Some(email), ..Buyer::default() }));
    signals.goods.categories = vec!["a".into(), "books".into()];
    signals.goods.gift_card = true;
    signals.person.hints = Some(Box::new(Hints { agent: Some(true), ..Hints::default() }));
    signals
}

fn scored() -> InForce {
    InForce { score: Some(500), probability: Some(0.25), expected_loss_minor: Some(1_200) }
}

fn ours(program: &Program, signals: &Signals) -> Option<bool> {
    let names = FeatureNames::new(["f"]);
    let features = Features { names: &names, values: &[2.5] };
    let subject = Subject { scored: scored(), features: Some(features), ..Subject::plain(signals) };
    let mut list = List::new(ListKind::Email);
    list.add("a1@b.example", None);
    program.holds(&Facts::new(&subject), &[Arc::new(list)])
}

/// What the library's own interpreter makes of it; what it calls an error is missing.
fn theirs(source: &str, signals: &Signals) -> Option<bool> {
    let subject = Subject { scored: scored(), ..Subject::plain(signals) };
    let facts = Facts::new(&subject);
    let mut context = Context::default();
    for variable in Variable::ALL {
        let name = variable.row().name;
        match facts.get(*variable) {
            None => {}
            Some(Value::Bool(value)) => context.add_variable_from_value(name, value),
            Some(Value::Int(value)) => context.add_variable_from_value(name, value),
            Some(Value::Double(value)) => context.add_variable_from_value(name, value),
            Some(Value::Text(value)) => context.add_variable_from_value(name, value.to_owned()),
            Some(Value::Texts(value)) => context.add_variable_from_value(name, value.to_vec()),
        }
    }
    let program = Library::compile(source).unwrap_or_else(|fault| panic!("{source}: {fault}"));
    match program.execute(&context) {
        Ok(cel::Value::Bool(holds)) => Some(holds),
        Ok(other) => panic!("{source} gives {other:?}"),
        Err(_) => None,
    }
}

/// Draws expressions of a given type out of bytes: the same bytes, the same expression.
struct Draw<'b> {
    bytes: std::slice::Iter<'b, u8>,
    item: bool,
}

impl Draw<'_> {
    fn next(&mut self, most: u8) -> u8 {
        self.bytes.next().map_or(0, |byte| byte % most)
    }

    fn leaf(&mut self, among: &[&str]) -> String {
        let most = u8::try_from(among.len()).expect("few");
        among[usize::from(self.next(most))].to_owned()
    }

    fn bool(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.leaf(&["true", "gift_card", "false", "digital", "agent", "wallet", "avs"]);
        }
        let d = depth - 1;
        match self.next(12) {
            0 => format!("({} && {})", self.bool(d), self.bool(d)),
            1 => format!("({} || {})", self.bool(d), self.bool(d)),
            2 => format!("!({})", self.bool(d)),
            3 => format!("({} ? {} : {})", self.bool(d), self.bool(d), self.bool(d)),
            4 => format!("({} {} {})", self.int(d), self.sign(), self.int(d)),
            5 => format!("({} {} {})", self.double(d), self.sign(), self.int(d)),
            6 => format!("({} {} {})", self.double(d), self.sign(), self.double(d)),
            7 => format!("({} {} {})", self.text(d), self.sign(), self.text(d)),
            8 => format!("{} in [{}, {}]", self.text(d), self.text(d), self.text(d)),
            9 => {
                let how = self.leaf(&["contains", "startsWith", "endsWith"]);
                format!("{}.{how}({})", self.text(d), self.text(d))
            }
            10 if !self.item => {
                let how = self.leaf(&["exists", "all", "exists_one"]);
                self.item = true;
                let holds = self.bool(d);
                self.item = false;
                format!("categories.{how}(c, {holds})")
            }
            _ => format!("{} in [{}, {}]", self.int(d), self.int(d), self.int(d)),
        }
    }

    fn sign(&mut self) -> String {
        self.leaf(&["==", "!=", "<", "<=", ">", ">="])
    }

    fn int(&mut self, depth: u8) -> String {
        if depth == 0 {
            let big = "9223372036854775807";
            return self.leaf(&["lines", "units", "account_days", "0", "1", "3", big, "score"]);
        }
        let d = depth - 1;
        match self.next(8) {
            0 => format!("({} + {})", self.int(d), self.int(d)),
            1 => format!("({} - {})", self.int(d), self.int(d)),
            2 => format!("({} * {})", self.int(d), self.int(d)),
            3 => format!("({} / {})", self.int(d), self.int(d)),
            4 => format!("({} % {})", self.int(d), self.int(d)),
            5 => format!("size({})", self.text(d)),
            6 => format!("({} ? {} : {})", self.bool(d), self.int(d), self.int(d)),
            _ => format!("int({})", self.double(0)),
        }
    }

    fn double(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.leaf(&["amount", "expected_loss", "2.5", "0.0", "-1.25"]);
        }
        let d = depth - 1;
        match self.next(4) {
            0 => format!("({} + {})", self.double(d), self.double(d)),
            1 => format!("({} - {})", self.double(d), self.double(d)),
            2 => format!("({} * {})", self.double(d), self.double(d)),
            _ => format!("double({})", self.int(d)),
        }
    }

    fn text(&mut self, depth: u8) -> String {
        if depth > 0 && self.next(4) == 0 {
            return format!("({} ? {} : {})", self.bool(depth - 1), self.text(0), self.text(0));
        }
        let item = if self.item { "c" } else { "email_domain" };
        self.leaf(&["email", "currency", "phone", "\"a\"", "\"b\u{e9}\"", "\"EUR\"", item, "\"\""])
    }
}

/// Parts that expressions are made of, and some that they are not.
const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "true",
    "null",
    "1",
    "1u",
    "2.5",
    "0x",
    "1e999",
    "\"a\"",
    "'",
    "\"\\x",
    "b'",
    "r\"",
    "email",
    "amount",
    "categories",
    "features",
    "has",
    "listed",
    "exists",
    "c",
    "size",
    "\u{e9}",
    "\u{1f600}",
    "\n",
    "//",
    "`",
    "$",
    "\\",
    "999999999999999999999",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rules_mean_what_the_language_says(bytes in prop::collection::vec(any::<u8>(), 1..60)) {
        let source = Draw { bytes: bytes.iter(), item: false }.bool(3);
        prop_assume!(source.len() <= super::EXPRESSION_BYTES_MAX);
        let signals = buyer();
        let program = read(&source).unwrap_or_else(|refused| panic!("{source}: {refused}"));
        prop_assert_eq!(ours(&program, &signals), theirs(&source, &signals), "{}", source);
    }

    #[test]
    fn no_text_can_panic(
        places in prop::collection::vec(0..TOKENS.len(), 0..40),
        spaced in any::<bool>(),
    ) {
        let tokens: Vec<&str> = places.into_iter().map(|place| TOKENS[place]).collect();
        answers(&tokens.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn no_change_of_a_good_text_can_panic(
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let source = Draw { bytes: bytes.iter(), item: false }.bool(2);
        let mut source: Vec<char> = source.chars().collect();
        for (at, other) in cuts {
            let at = at.index(source.len());
            source[at] = other;
        }
        answers(&source.into_iter().collect::<String>());
    }
}

/// Whatever it is, there is an answer; one that points into the text, and no caught panic.
fn answers(source: &str) {
    match read(source) {
        Ok(program) => {
            ours(&program, &buyer());
        }
        Err(refused) => {
            assert_ne!(refused.message, "the expression cannot be read", "{source:?}");
            assert!(refused.offset <= source.chars().count(), "{source:?} {refused:?}");
        }
    }
}
