//! Checks an expression before it is saved: names, types, lists, and that it is a condition. What
//! passes has a value for every order, or is missing one; nothing else can go wrong any more.

use cel::common::ast::{Expr, IdedExpr, ListExpr, LiteralValue, SelectExpr};

use super::{
    facts::FeatureNames,
    list::ListKind,
    parse::{ExpressionRefused, Parsed, within},
    program::{Node, Program},
    rule::Pass,
    vocabulary::{FEATURES, Known, Type, Variable},
};

/// How deep the parts of an expression may stand in one another: evaluating calls itself for each.
const DEPTH_MAX: usize = 64;

/// How close a name must be to one of ours to be taken for it, from 0 to 1 (Jaro–Winkler).
const LIKENESS: f64 = 0.85;

/// What an expression may name besides the [variables](Variable).
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    /// The features there are. None takes any name: one that is not there is missing.
    pub features: Option<&'a FeatureNames>,
    /// The shop's lists by name.
    pub lists: &'a (dyn Fn(&str) -> Option<ListKind> + Sync),
    /// When the rule is asked.
    pub pass: Pass,
}

/// Reads and checks an expression.
///
/// # Errors
/// When it is none, or no condition, or names what there is not; pointing at the character.
pub fn compile(source: &str, vocabulary: Vocabulary<'_>) -> Result<Program, ExpressionRefused> {
    within(source, |parsed| {
        let mut check =
            Check { parsed, vocabulary, item: None, depth: 0, lists: Vec::new(), uses: Vec::new() };
        let root = check.expect(&parsed.root, Type::Bool)?;
        let Check { lists, uses, .. } = check;
        Ok(Program { root, lists, uses })
    })
}

pub(super) type Checked<T> = Result<T, ExpressionRefused>;

/// The state of one check.
pub(super) struct Check<'a> {
    pub(super) parsed: &'a Parsed<'a>,
    pub(super) vocabulary: Vocabulary<'a>,
    /// The name of the item that a condition looks at.
    pub(super) item: Option<(String, Type)>,
    depth: usize,
    pub(super) lists: Vec<Box<str>>,
    uses: Vec<String>,
}

impl Check<'_> {
    /// A part that must be of this type.
    pub(super) fn expect(&mut self, part: &IdedExpr, wanted: Type) -> Checked<Node> {
        let (node, found) = self.part(part)?;
        if found == wanted {
            return Ok(node);
        }
        let text = format!("this is {found}; {wanted} must stand here");
        Err(self.parsed.refuse(part.id, text))
    }

    pub(super) fn part(&mut self, part: &IdedExpr) -> Checked<(Node, Type)> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let text = format!("at most {DEPTH_MAX} parts may stand in one another");
            return Err(self.parsed.refuse(part.id, text));
        }
        let checked = match &part.expr {
            Expr::Literal(literal) => self.literal(part.id, literal),
            Expr::Ident(name) => self.name(part.id, name),
            Expr::List(list) => self.list(part.id, list),
            Expr::Call(call) => self.call(part.id, call),
            Expr::Select(select) => Err(self.selected(part.id, select)),
            Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(self.parsed.refuse(part.id, "maps and messages have no place in a rule"))
            }
        };
        self.depth -= 1;
        checked
    }

    fn literal(&self, id: u64, literal: &LiteralValue) -> Checked<(Node, Type)> {
        let refuse = |text| Err(self.parsed.refuse(id, text));
        match literal {
            LiteralValue::Boolean(value) => Ok((Node::Bool(*value.inner()), Type::Bool)),
            LiteralValue::Int(value) => Ok((Node::Int(*value.inner()), Type::Int)),
            LiteralValue::Double(value) => Ok((Node::Double(*value.inner()), Type::Double)),
            LiteralValue::String(value) => Ok((Node::Text(value.inner().into()), Type::Text)),
            LiteralValue::Null => refuse("`null` is nothing here; ask has(x) whether x is known"),
            LiteralValue::UInt(_) => refuse("write the number without the `u`"),
            LiteralValue::Bytes(_) => refuse("write the text without the `b`"),
        }
    }

    fn name(&mut self, id: u64, name: &str) -> Checked<(Node, Type)> {
        if let Some((item, r#type)) = &self.item
            && item == name
        {
            return Ok((Node::Item, *r#type));
        }
        if name == FEATURES {
            let text = "a feature is named in brackets: features[\"card.count.24h\"]";
            return Err(self.parsed.refuse(id, text));
        }
        let Some(variable) = Variable::find(name) else {
            let known = Variable::ALL.iter().map(|one| one.row().name);
            let text = format!("there is no `{name}`{}", meant(name, known));
            return Err(self.parsed.refuse(id, text));
        };
        let row = variable.row();
        if row.known == Known::AfterAuthorization && self.vocabulary.pass == Pass::Before {
            let text = format!(
                "`{name}` is known only once the issuer was asked; make this a rule with the pass \
                 `after`"
            );
            return Err(self.parsed.refuse(id, text));
        }
        if self.item.is_some() && row.r#type.item().is_some() {
            let text = "a list of the order cannot stand in a condition on items";
            return Err(self.parsed.refuse(id, text));
        }
        self.use_of(name);
        Ok((Node::Variable(variable), row.r#type))
    }

    pub(super) fn use_of(&mut self, name: &str) {
        if !self.uses.iter().any(|used| used == name) {
            self.uses.push(name.to_owned());
        }
    }

    fn selected(&self, id: u64, select: &SelectExpr) -> ExpressionRefused {
        let field = &select.field;
        let text = match &select.operand.expr {
            Expr::Ident(name) if name == FEATURES => {
                format!("a feature is named in brackets: features[\"{field}…\"]")
            }
            _ => format!("nothing has a field `{field}`; only functions are written with a point"),
        };
        self.parsed.refuse(id, text)
    }

    fn list(&mut self, id: u64, list: &ListExpr) -> Checked<(Node, Type)> {
        let mut nodes = Vec::with_capacity(list.elements.len());
        let mut item = None;
        for element in &list.elements {
            let (node, found) = self.part(element)?;
            let wanted = *item.get_or_insert(found);
            if found != wanted {
                let text = format!("this is {found}; the items before it are each {wanted}");
                return Err(self.parsed.refuse(element.id, text));
            }
            if found.list().is_none() {
                return Err(self.parsed.refuse(element.id, "a list cannot stand in a list"));
            }
            nodes.push(node);
        }
        match item.and_then(Type::list) {
            Some(r#type) => Ok((Node::List(nodes.into()), r#type)),
            None => Err(self.parsed.refuse(id, "an empty list holds nothing")),
        }
    }
}

/// `; did you mean …?` when something is close.
pub(super) fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let likeness = |other: &'n str| (strsim::jaro_winkler(name, other), other);
    let best = known.map(likeness).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match best {
        Some((likeness, other)) if likeness >= LIKENESS => format!("; did you mean `{other}`?"),
        _ => String::new(),
    }
}
