//! What a platform tells of an order: its events and adjustments, of which the new ones are read
//! into what is to happen.

use crate::{
    base::{ChangeId, Limits, Money, Timestamp},
    checkout::ChangeWish,
    http::{
        kinds::Kind,
        order_body::{Names, OrderBody},
        problem::Problem,
        reading::{self, At},
    },
    ledger::{
        entry::{LineMoveKind, MoneyWish, Moved, News, Parcel},
        row::OrderRow,
    },
};

/// Events or adjustments of one order that may be told at once.
const TOLD_MAX: usize = 200;

/// Bytes of a word that says what happened.
const WORD_BYTES: usize = 64;

/// Where an adjustment may stand, in the words of the schema.
const STATUSES: [&str; 3] = ["pending", "completed", "failed"];

/// An order that is told of.
struct Told<'a> {
    row: &'a OrderRow,
    names: Names,
    limits: &'a Limits,
    now: Timestamp,
}

/// What is new of what the body tells, in its order; everything in it has to make sense.
pub fn changes(
    body: &At<'_>,
    row: &OrderRow,
    limits: &Limits,
    now: Timestamp,
) -> Result<Vec<ChangeWish>, Problem> {
    if let Some(id) = body.find("id")
        && id.text(limits.text_bytes)? != row.id.to_string()
    {
        let text = "This is not the id of the order at this address.".to_owned();
        return Err(id.problem(Kind::Invalid, text));
    }
    let told = Told { row, names: OrderBody::of(row).names(row), limits, now };
    let mut wishes = Vec::new();
    let fulfillment = body.find("fulfillment");
    if let Some(fulfillment) = &fulfillment
        && let Some(events) = fulfillment.object()?.find("events")
    {
        for event in events.items(TOLD_MAX)? {
            wishes.extend(told.event(&event)?);
        }
    }
    if let Some(adjustments) = body.find("adjustments") {
        for adjustment in adjustments.items(TOLD_MAX)? {
            wishes.extend(told.adjustment(&adjustment)?);
        }
    }
    Ok(wishes)
}

impl Told<'_> {
    /// What happened to goods; none when it is known.
    fn event(&self, at: &At<'_>) -> Result<Option<ChangeWish>, Problem> {
        let wish = self.wish(at)?;
        let kind = at.get("type")?.text(WORD_BYTES)?.to_owned();
        let lines = at.get("line_items")?;
        let units = self.units(&lines)?;
        let text = |name| at.text_in(name, self.limits.text_bytes);
        let mut parcel = Parcel {
            carrier: text("carrier")?,
            tracking_number: text("tracking_number")?,
            tracking_url: at.find("tracking_url").map(|url| reading::url(&url)).transpose()?,
            news: None,
        };
        let reason = text("description")?.unwrap_or_default();
        if self.is_known(wish.id) {
            return Ok(None);
        }
        if units.is_empty() {
            let text = "Say which lines it happened to.".to_owned();
            return Err(lines.problem(Kind::Invalid, text));
        }
        let mut moves = Vec::new();
        if kind == "shipped" {
            moves = moved(&units, LineMoveKind::Ship);
        } else {
            parcel.news = Some(News { kind, units });
        }
        Ok(Some(ChangeWish { moves, parcel, reason, ..wish }))
    }

    /// What was given up; none when it is known.
    fn adjustment(&self, at: &At<'_>) -> Result<Option<ChangeWish>, Problem> {
        let wish = self.wish(at)?;
        let status = at.get("status")?;
        if !STATUSES.contains(&status.text(WORD_BYTES)?) {
            let text = "A status is `pending`, `completed` or `failed`.".to_owned();
            return Err(status.problem(Kind::Invalid, text));
        }
        let amount = at.find("amount");
        let minor = amount.as_ref().map(At::integer).transpose()?;
        let lines = at.find("line_items");
        let units = lines.as_ref().map(|lines| self.units(lines)).transpose()?.unwrap_or_default();
        let kind = at.get("type")?;
        let word = kind.text(WORD_BYTES)?;
        let reason = at.text_in("description", self.limits.text_bytes)?;
        if self.is_known(wish.id) {
            return Ok(None);
        }
        let moves = match word {
            "return" => moved(&units, LineMoveKind::Return),
            "cancellation" => moved(&units, LineMoveKind::Restock),
            "refund" if units.is_empty() => Vec::new(),
            "refund" => {
                let text = "A refund is an `amount`; goods that came back are a `return`, those \
                            that never shipped a `cancellation`.";
                return Err(kind.problem(Kind::Invalid, text.to_owned()));
            }
            _ => {
                let text = "An adjustment here is a `refund`, a `return` or a `cancellation`.";
                return Err(kind.problem(Kind::Invalid, text.to_owned()));
            }
        };
        if let (Some(amount), Some(minor)) = (&amount, minor) {
            self.check_amount(amount, minor)?;
        }
        if moves.is_empty() && minor.is_none() {
            let text = "Say which `line_items` are given up, which `amount` is due, or both.";
            return Err(at.problem(Kind::Invalid, text.to_owned()));
        }
        let reason = reason.unwrap_or_else(|| word.to_owned());
        let money = minor.map_or(MoneyWish::Keep, MoneyWish::Refund);
        Ok(Some(ChangeWish { moves, money, reason, ..wish }))
    }

    /// The change under the name it is told under: the one it has here, or one that follows from
    /// the platform's, the same each time.
    fn wish(&self, at: &At<'_>) -> Result<ChangeWish, Problem> {
        let id = at.object()?.get("id")?.text(self.limits.text_bytes)?;
        let occurred = at.get("occurred_at")?;
        let expected = "an RFC 3339 time such as 2026-11-27T08:00:00Z";
        occurred.parse(reading::TIME_BYTES, |raw| Timestamp::parse(raw).ok_or(expected))?;
        let order = self.row.id;
        let ours = id.parse().ok().filter(|id| self.is_known(*id));
        let id = ours.unwrap_or_else(|| ChangeId::named(order, id));
        Ok(ChangeWish::of(id, order, self.now))
    }

    fn is_known(&self, id: ChangeId) -> bool {
        self.row.changes.iter().any(|change| change.id == id)
    }

    /// Lines, from 1, with how many units of each.
    fn units(&self, lines: &At<'_>) -> Result<Vec<(u32, u32)>, Problem> {
        let unit = |item: At<'_>| {
            let id = item.object()?.get("id")?;
            let name = id.text(self.limits.text_bytes)?;
            let line = (1_u32..).zip(&self.names).find(|(_, known)| *known == name);
            let Some((line, _)) = line else {
                let text = "The order has no line of this id.".to_owned();
                return Err(id.problem(Kind::Invalid, text));
            };
            Ok((line, item.get("quantity")?.quantity(self.limits.quantity_per_line)?))
        };
        lines.items(self.limits.lines_per_cart)?.map(unit).collect()
    }

    fn check_amount(&self, amount: &At<'_>, minor: i64) -> Result<(), Problem> {
        if (1..=self.row.total_minor).contains(&minor) {
            return Ok(());
        }
        let total = Money::from_minor(self.row.total_minor, self.row.currency);
        let text = format!("An amount is at least 1 minor unit, and at most the total, {total}.");
        Err(amount.problem(Kind::Invalid, text))
    }
}

fn moved(units: &[(u32, u32)], kind: LineMoveKind) -> Vec<Moved> {
    units.iter().map(|&(line, quantity)| Moved { line, kind, quantity }).collect()
}
