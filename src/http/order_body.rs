//! Finds an order, and reads what its document says: for every protocol that shows one.

use actix_web::{HttpResponse, http::header};
use serde::Deserialize;

use super::{caller::Caller, door::Door, kinds::Kind, problem::Problem};
use crate::{
    base::{Money, Origin, Protocol, Verification},
    checkout::{CheckoutRefused, worth},
    ledger::row::{OrderLineRow, OrderRow},
    pricing::{Priced, Target, Totals},
};

/// One line of goods: what was ordered and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods<'a> {
    /// The line, from 1.
    pub line: u32,
    /// The platform's name for it.
    pub id: String,
    /// What.
    pub sku: &'a str,
    /// Its name for people.
    pub title: &'a str,
    /// Address of a picture.
    pub image_url: Option<&'a str>,
    /// What one unit costs, in minor units.
    pub unit_minor: i64,
    /// What discounts take off the units ordered, in minor units.
    pub off_minor: i64,
    /// Units ordered.
    pub ordered: u32,
    /// Units that were not given up since.
    pub current: u32,
    /// Those of them that left the house.
    pub fulfilled: u32,
}

/// The platforms' names of the lines, in their order.
pub type Names = Vec<String>;

/// What the order's document says that its rows do not. Tolerant: a document written by an older
/// version may lack fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OrderBody {
    /// Who created the checkout; only they see the order.
    pub caller: Option<String>,
    /// Where the checkout came from.
    pub origin: Origin,
    /// The lines, in their order.
    pub lines: Vec<LineBody>,
    /// Discounts, delivery and taxes.
    pub priced: Option<Box<Priced>>,
    /// Whether it was paid with money for trying things out.
    pub test_payment: bool,
    /// What the issuer said of the card that paid.
    pub verification: Verification,
}

/// A line's words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LineBody {
    /// The platform's name for the line.
    pub id: String,
    /// What.
    pub sku: String,
    /// Its name for people.
    pub title: String,
    /// Address of a picture.
    pub image_url: Option<String>,
}

impl OrderBody {
    /// Reads the document; one that cannot be read says nothing.
    pub fn of(row: &OrderRow) -> Self {
        serde_json::from_str(row.body.get()).unwrap_or_default()
    }

    /// The platform's names for the order's lines, in their order.
    pub fn names(&self, row: &OrderRow) -> Names {
        self.goods(row).into_iter().map(|goods| goods.id).collect()
    }

    /// The lines of goods, in their order.
    pub fn goods<'a>(&'a self, row: &'a OrderRow) -> Vec<Goods<'a>> {
        row.lines.iter().map(|line| self.goods_of(line)).collect()
    }

    fn goods_of<'a>(&'a self, line: &'a OrderLineRow) -> Goods<'a> {
        let ordered = &line.ordered;
        let at = worth::index_of(ordered.line);
        let off = |at| self.priced.as_ref().map_or(0, |priced| priced.taken_off(Target::Line(at)));
        let said = at.and_then(|at| self.lines.get(at));
        let said = said.filter(|said| said.sku == ordered.sku.as_str());
        let gone = line.returned.saturating_add(line.restocked);
        Goods {
            line: ordered.line,
            id: said.map_or_else(|| format!("li_{}", ordered.line), |said| said.id.clone()),
            sku: ordered.sku.as_str(),
            title: said.map_or(ordered.sku.as_str(), |said| &said.title),
            image_url: said.and_then(|said| said.image_url.as_deref()),
            unit_minor: ordered.unit_price_minor,
            off_minor: at.map_or(0, off),
            ordered: ordered.quantity,
            current: ordered.quantity.saturating_sub(gone),
            fulfilled: line.shipped.saturating_sub(line.returned),
        }
    }
}

/// The order of this id.
pub async fn find(door: &Door, id: &str) -> Result<OrderRow, Problem> {
    let id = id.parse().map_err(|_| unknown())?;
    door.store.find_order(id).await?.ok_or_else(unknown)
}

/// The order of this id with its document, for whoever opened its checkout, over the protocol it
/// was opened over.
pub async fn find_for(
    door: &Door,
    caller: &Caller,
    protocol: Protocol,
    id: &str,
) -> Result<(OrderRow, OrderBody), Problem> {
    let row = find(door, id).await?;
    let body = OrderBody::of(&row);
    if body.caller.as_deref().is_some_and(|owner| owner != &*caller.0) {
        return Err(unknown());
    }
    check_protocol(&body, protocol)?;
    Ok((row, body))
}

/// Refuses an order whose checkout goes on over another protocol.
pub fn check_protocol(body: &OrderBody, protocol: Protocol) -> Result<(), Problem> {
    let opened = body.origin.protocol;
    if opened.is_open_to(protocol) {
        return Ok(());
    }
    Err(Problem::of_checkout(&CheckoutRefused::OtherProtocol(opened), false))
}

/// There is no such order, or none of this caller's.
pub fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "There is no such order.")
}

/// An order as it stands: the next look may see another.
pub fn answer(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

/// What the order came to when it was placed.
pub fn totals(row: &OrderRow, goods: &[Goods<'_>]) -> Totals {
    let subtotal = goods.iter().fold(0_i64, |sum, goods| sum.saturating_add(goods.minor()));
    let money = |minor| Money::from_minor(minor, row.currency);
    Totals { subtotal: money(subtotal), total: money(row.total_minor) }
}

impl Goods<'_> {
    /// What was ordered of it comes to this, in minor units.
    pub fn minor(&self) -> i64 {
        self.unit_minor.saturating_mul(i64::from(self.ordered))
    }

    /// Where the line stands, as the schemas of all protocols derive it.
    pub const fn status(&self) -> &'static str {
        match (self.current, self.fulfilled) {
            (0, _) => "removed",
            (current, fulfilled) if fulfilled == current => "fulfilled",
            (_, 0) => "processing",
            _ => "partial",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Goods;

    #[test]
    fn the_status_of_a_line_follows_its_units() {
        for (current, fulfilled, status) in
            [(2, 0, "processing"), (2, 1, "partial"), (2, 2, "fulfilled"), (0, 0, "removed")]
        {
            let (id, sku, title) = (String::new(), "TEE", "Tee");
            let (line, unit_minor, off_minor, ordered, image_url) = (1, 1, 0, 2, None);
            let goods = Goods {
                line,
                id,
                sku,
                title,
                image_url,
                unit_minor,
                off_minor,
                ordered,
                current,
                fulfilled,
            };
            assert_eq!(goods.status(), status);
        }
    }
}
