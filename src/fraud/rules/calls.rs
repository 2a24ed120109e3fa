//! Functions and operators of the rules' language: which there are, and what they may be given.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::{
    check::{Check, Checked, meant},
    parse::ExpressionRefused,
    program::{Arithmetic, Comparison, Node, Part, Quantifier},
    vocabulary::{FEATURES, Type, Variable},
};

impl Check<'_> {
    pub(super) fn call(&mut self, id: u64, call: &CallExpr) -> Checked<(Node, Type)> {
        let name = call.func_name.as_str();
        if let Some(target) = &call.target {
            return self.member(id, name, target, &call.args);
        }
        let pair = |node: fn(Box<[Node; 2]>) -> Node| node;
        match (name, &call.args[..]) {
            (operators::LOGICAL_NOT, [a]) => {
                Ok((Node::Not(Box::new(self.expect(a, Type::Bool)?)), Type::Bool))
            }
            (operators::LOGICAL_AND, [a, b]) => self.logic(pair(Node::And), a, b),
            (operators::LOGICAL_OR, [a, b]) => self.logic(pair(Node::Or), a, b),
            (operators::CONDITIONAL, [a, b, c]) => self.conditional([a, b, c]),
            (operators::NEGATE, [a]) => {
                let (node, found) = self.number(a)?;
                Ok((Node::Negate(Box::new(node)), found))
            }
            (operators::IN, [sought, list]) => self.is_in(sought, list),
            (operators::INDEX, [of, place]) => self.index(of, place),
            ("has", [a]) => self.has(id, a),
            ("listed", [value, list]) => self.listed(value, list),
            ("size", [of]) => self.size(of),
            ("int", [a]) => Ok((Node::ToInt(Box::new(self.number(a)?.0)), Type::Int)),
            ("double", [a]) => Ok((Node::ToDouble(Box::new(self.number(a)?.0)), Type::Double)),
            (_, [a, b]) => match (comparison(name), arithmetic(name)) {
                (Some(how), _) => self.compare(how, a, b),
                (_, Some(what)) => self.arithmetic(what, id, a, b),
                _ => Err(self.no_such_call(id, name, 2)),
            },
            _ => Err(self.no_such_call(id, name, call.args.len())),
        }
    }

    fn no_such_call(&self, id: u64, name: &str, arguments: usize) -> ExpressionRefused {
        const KNOWN: &[&str] = &[
            "has",
            "listed",
            "size",
            "int",
            "double",
            "contains",
            "startsWith",
            "endsWith",
            "exists",
            "all",
            "exists_one",
        ];
        let text = if KNOWN.contains(&name) {
            format!("`{name}` is written otherwise than with {arguments} arguments here")
        } else if name.starts_with(|first: char| first.is_alphabetic()) {
            format!("rules have no function `{name}`{}", meant(name, KNOWN.iter().copied()))
        } else {
            "rules have no such operator".to_owned()
        };
        self.parsed.refuse_call(id, name, text)
    }

    fn logic(
        &mut self,
        node: fn(Box<[Node; 2]>) -> Node,
        a: &IdedExpr,
        b: &IdedExpr,
    ) -> Checked<(Node, Type)> {
        let both = [self.expect(a, Type::Bool)?, self.expect(b, Type::Bool)?];
        Ok((node(Box::new(both)), Type::Bool))
    }

    fn conditional(&mut self, [a, b, c]: [&IdedExpr; 3]) -> Checked<(Node, Type)> {
        let condition = self.expect(a, Type::Bool)?;
        let (then, r#type) = self.part(b)?;
        if r#type.item().is_some() {
            return Err(self.parsed.refuse(b.id, "a list cannot be chosen by a condition"));
        }
        let otherwise = self.expect(c, r#type)?;
        Ok((Node::If(Box::new([condition, then, otherwise])), r#type))
    }

    fn number(&mut self, part: &IdedExpr) -> Checked<(Node, Type)> {
        let (node, found) = self.part(part)?;
        if found.is_number() {
            return Ok((node, found));
        }
        Err(self.parsed.refuse(part.id, format!("this is {found}; a number must stand here")))
    }

    fn compare(&mut self, how: Comparison, a: &IdedExpr, b: &IdedExpr) -> Checked<(Node, Type)> {
        let (left, left_type) = self.part(a)?;
        let (right, right_type) = self.part(b)?;
        if left_type.item().is_some() {
            let text = "lists are not compared; ask `in`, or a condition on the items";
            return Err(self.parsed.refuse(a.id, text));
        }
        if !comparable(left_type, right_type) {
            let text = format!("this is {right_type}, and is compared with {left_type}");
            return Err(self.parsed.refuse(b.id, text));
        }
        Ok((Node::Compare(how, Box::new([left, right])), Type::Bool))
    }

    fn arithmetic(
        &mut self,
        what: Arithmetic,
        id: u64,
        a: &IdedExpr,
        b: &IdedExpr,
    ) -> Checked<(Node, Type)> {
        let (left, left_type) = self.number(a)?;
        let (right, right_type) = self.number(b)?;
        if left_type != right_type {
            let text = format!(
                "this is {right_type}, and the other {left_type}; write 2.0 for 2, or double(x), \
                 int(x)"
            );
            return Err(self.parsed.refuse(b.id, text));
        }
        if what == Arithmetic::Remainder && left_type == Type::Double {
            return Err(self.parsed.refuse(id, "a remainder is of whole numbers"));
        }
        Ok((Node::Arithmetic(what, Box::new([left, right])), left_type))
    }

    fn is_in(&mut self, sought: &IdedExpr, list: &IdedExpr) -> Checked<(Node, Type)> {
        let (value, found) = self.part(sought)?;
        let (list_node, list_type) = self.part(list)?;
        let Some(item) = list_type.item() else {
            let text = format!(
                "this is {list_type}; a list must stand here, or write listed(value, \"name\")"
            );
            return Err(self.parsed.refuse(list.id, text));
        };
        if !comparable(found, item) {
            let text = format!("this is {found}, and the items of the list are each {item}");
            return Err(self.parsed.refuse(sought.id, text));
        }
        Ok((Node::In(Box::new([value, list_node])), Type::Bool))
    }

    fn index(&mut self, of: &IdedExpr, place: &IdedExpr) -> Checked<(Node, Type)> {
        if matches!(&of.expr, Expr::Ident(name) if name == FEATURES) {
            return self.feature(place);
        }
        let (list, found) = self.part(of)?;
        let Some(item) = found.item() else {
            return Err(self.parsed.refuse(of.id, format!("this is {found}, and has no items")));
        };
        let place = self.expect(place, Type::Int)?;
        Ok((Node::At(Box::new([list, place])), item))
    }

    fn feature(&mut self, place: &IdedExpr) -> Checked<(Node, Type)> {
        let Expr::Literal(LiteralValue::String(name)) = &place.expr else {
            let text = "the name of a feature is written here, in quotes";
            return Err(self.parsed.refuse(place.id, text));
        };
        let name = name.inner();
        if let Some(features) = self.vocabulary.features
            && !features.has(name)
        {
            let text = format!("there is no feature \"{name}\"{}", meant(name, features.iter()));
            return Err(self.parsed.refuse(place.id, text));
        }
        self.use_of(name);
        Ok((Node::Feature(name.into()), Type::Double))
    }

    fn has(&mut self, id: u64, asked: &IdedExpr) -> Checked<(Node, Type)> {
        let (node, _) = self.part(asked)?;
        if matches!(node, Node::Variable(_) | Node::Feature(_)) {
            return Ok((Node::Has(Box::new(node)), Type::Bool));
        }
        let text = "has(x) asks for a variable or a feature by its name";
        Err(self.parsed.refuse_call(id, "has", text))
    }

    fn listed(&mut self, value: &IdedExpr, list: &IdedExpr) -> Checked<(Node, Type)> {
        let node = self.expect(value, Type::Text)?;
        let Expr::Literal(LiteralValue::String(name)) = &list.expr else {
            let text = "the name of a list is written here, in quotes";
            return Err(self.parsed.refuse(list.id, text));
        };
        let name = name.inner();
        let Some(kind) = (self.vocabulary.lists)(name) else {
            let text = format!("there is no list \"{name}\"; make it first");
            return Err(self.parsed.refuse(list.id, text));
        };
        let fits = !matches!(&node, Node::Variable(one) if one.row().list != Some(kind));
        if !fits {
            let fitting = Variable::ALL.iter().find(|one| one.row().list == Some(kind));
            let fitting = fitting.map_or("", |one| one.row().name);
            let text = format!("\"{name}\" is a list of kind `{kind}`: look up `{fitting}` in it");
            return Err(self.parsed.refuse(value.id, text));
        }
        let place = self.lists.iter().position(|one| **one == *name).unwrap_or_else(|| {
            self.lists.push(name.into());
            self.lists.len() - 1
        });
        Ok((Node::Listed(Box::new(node), place), Type::Bool))
    }

    fn size(&mut self, of: &IdedExpr) -> Checked<(Node, Type)> {
        let (node, found) = self.part(of)?;
        if found == Type::Text || found.item().is_some() {
            return Ok((Node::Size(Box::new(node)), Type::Int));
        }
        let text = format!("this is {found}; only texts and lists have a size");
        Err(self.parsed.refuse(of.id, text))
    }

    /// `target.name(…)`.
    fn member(
        &mut self,
        id: u64,
        name: &str,
        target: &IdedExpr,
        arguments: &[IdedExpr],
    ) -> Checked<(Node, Type)> {
        let part = match (name, arguments) {
            ("size", []) => return self.size(target),
            ("exists", [item, holds]) => return self.each(Quantifier::Any, target, item, holds),
            ("all", [item, holds]) => return self.each(Quantifier::All, target, item, holds),
            ("exists_one", [item, holds]) => {
                return self.each(Quantifier::One, target, item, holds);
            }
            ("contains", [_]) => Part::Within,
            ("startsWith", [_]) => Part::Start,
            ("endsWith", [_]) => Part::End,
            _ => return Err(self.no_such_call(id, name, arguments.len())),
        };
        let both = [self.expect(target, Type::Text)?, self.expect(&arguments[0], Type::Text)?];
        Ok((Node::Part(part, Box::new(both)), Type::Bool))
    }

    /// A condition on the items of a list. One within another would cost the product of both.
    fn each(
        &mut self,
        quantifier: Quantifier,
        list: &IdedExpr,
        item: &IdedExpr,
        holds: &IdedExpr,
    ) -> Checked<(Node, Type)> {
        if self.item.is_some() {
            let text = "a condition on items cannot stand in another";
            return Err(self.parsed.refuse(list.id, text));
        }
        let (node, found) = self.part(list)?;
        let Some(item_type) = found.item() else {
            return Err(self.parsed.refuse(list.id, format!("this is {found}, and has no items")));
        };
        let name = match &item.expr {
            Expr::Ident(name) if Variable::find(name).is_none() && name != FEATURES => name.clone(),
            Expr::Ident(name) => {
                let text = format!("`{name}` is known already; call the item something else");
                return Err(self.parsed.refuse(item.id, text));
            }
            _ => return Err(self.parsed.refuse(item.id, "the item's name stands here")),
        };
        self.item = Some((name, item_type));
        let condition = self.expect(holds, Type::Bool);
        self.item = None;
        Ok((Node::Each(quantifier, Box::new([node, condition?])), Type::Bool))
    }
}

fn comparable(a: Type, b: Type) -> bool {
    a == b || (a.is_number() && b.is_number())
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(operator: &str) -> Option<Arithmetic> {
    Some(match operator {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}
