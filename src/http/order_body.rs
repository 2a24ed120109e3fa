//! What an order's document says, for every protocol that shows one.

use serde::Deserialize;

use crate::{
    base::Origin,
    ledger::row::{OrderLineRow, OrderRow},
    pricing::Priced,
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
        let goods = row.lines.iter().filter(|line| !line.ordered.sku.is_of_uses());
        let name = |(at, line): (usize, &OrderLineRow)| match self.lines.get(at) {
            Some(said) if said.sku == line.ordered.sku.as_str() => said.id.clone(),
            _ => format!("li_{}", line.ordered.line),
        };
        goods.enumerate().map(name).collect()
    }

    /// The lines of goods, in their order.
    pub fn goods<'a>(&'a self, row: &'a OrderRow) -> Vec<Goods<'a>> {
        let goods = row.lines.iter().filter(|line| !line.ordered.sku.is_of_uses());
        goods.map(|line| self.goods_of(line)).collect()
    }

    fn goods_of<'a>(&'a self, line: &'a OrderLineRow) -> Goods<'a> {
        let ordered = &line.ordered;
        let at = usize::try_from(ordered.line).ok().and_then(|line| line.checked_sub(1));
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
            ordered: ordered.quantity,
            current: ordered.quantity.saturating_sub(gone),
            fulfilled: line.shipped.saturating_sub(line.returned),
        }
    }
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
            let (line, unit_minor, ordered, image_url) = (1, 1, 2, None);
            let goods =
                Goods { line, id, sku, title, image_url, unit_minor, ordered, current, fulfilled };
            assert_eq!(goods.status(), status);
        }
    }
}
