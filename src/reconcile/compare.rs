//! One day at one gateway.

use std::{collections::HashMap, time::Duration};
use time::{Date, format_description::well_known::Iso8601};

use super::finding::{Break, Finding, differences};
use crate::{
    base::{AttemptId, Timestamp},
    ledger::{
        LedgerFault, Store,
        row::{AttemptRow, AttemptState},
    },
    payment::{Gateway, GatewayFault, Listed, Span},
};

/// Attempts read at once.
const PAGE: u32 = 500;

/// A gateway may list a payment as begun so long before or after our attempt: the way there, and
/// clocks that differ.
const SKEW: Duration = Duration::from_secs(10 * 60);

/// An attempt that began later than this ago may still be under way.
const UNDER_WAY: Duration = Duration::from_secs(15 * 60);

/// Pages of a gateway's list that are read for one day: beyond is a gateway whose list never ends.
const PAGES_MAX: usize = 100_000;

/// A day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// The day of a moment.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.to_offset().date())
    }

    /// Reads `2026-11-27`.
    pub fn parse(text: &str) -> Option<Self> {
        let whole = Timestamp::parse(&format!("{text}T00:00:00Z"))?;
        Some(Self::of(whole))
    }

    /// The day before.
    pub fn before(self) -> Self {
        Self(self.0.previous_day().unwrap_or(self.0))
    }

    /// Its first moment, and the first one of the next day.
    pub fn span(self) -> (Timestamp, Timestamp) {
        let micros = self.0.midnight().assume_utc().unix_timestamp() * 1_000_000;
        let from = Timestamp::from_micros(micros);
        (from, from.plus(Duration::from_secs(24 * 60 * 60)))
    }

    /// `2026-11-27`.
    pub fn text(self) -> String {
        self.0.format(&Iso8601::DATE).unwrap_or_default()
    }
}

/// What comparing a day came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Payments of ours that were compared.
    pub compared: u64,
    /// Payments in the gateway's list that carry no name of ours: another system's.
    pub foreign: u64,
    /// What differs.
    pub breaks: Vec<Break>,
}

/// Why a day could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareFault {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// The gateway's list could not be read.
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
}

/// Compares a day; `None` where the gateway has no list.
///
/// # Errors
/// When one of both cannot be read; then nothing is known of the day.
pub(super) async fn compare(
    store: &dyn Store,
    gateway: &dyn Gateway,
    day: Day,
    now: Timestamp,
) -> Result<Option<Report>, CompareFault> {
    let (from, until) = day.span();
    let Some((listed, foreign)) = listed(gateway, from.minus(SKEW), until.plus(SKEW)).await? else {
        return Ok(None);
    };
    let mut report = Report { foreign, ..Report::default() };
    let begun = |id: &AttemptId| id.begun_at() >= from && id.begun_at() < until;
    for (reference, payment) in listed.iter().filter(|(reference, _)| begun(reference)) {
        report.compared += 1;
        let attempt = store.find_attempt(*reference).await?;
        let Some(attempt) = attempt.filter(|attempt| attempt.gateway == gateway.name()) else {
            let name = reference.to_string();
            report.breaks.push(of_listed(gateway, payment, name, Finding::Unrecorded));
            continue;
        };
        if attempt.state == AttemptState::Pending && is_under_way(&attempt, now) {
            continue;
        }
        let order = store.find_order(attempt.order).await?;
        for finding in differences(payment, &attempt, order.as_ref()) {
            let mut found = of_listed(gateway, payment, attempt.id.to_string(), finding);
            found.order = Some(attempt.order);
            report.breaks.push(found);
        }
    }
    let mut after = AttemptId::least(from);
    let end = AttemptId::least(until);
    loop {
        let page = store.list_attempts(Some(after), PAGE).await?;
        let Some(last) = page.last().map(|attempt| attempt.id) else { break };
        let of_day = page.into_iter().filter(|attempt| attempt.id < end);
        for attempt in of_day.filter(|attempt| attempt.gateway == gateway.name()) {
            if !listed.contains_key(&attempt.id) {
                report.breaks.extend(unlisted(gateway, &attempt, now));
            }
        }
        if last >= end {
            break;
        }
        after = last;
    }
    Ok(Some(report))
}

/// The gateway's list, by our names; and how many carry none.
async fn listed(
    gateway: &dyn Gateway,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<(HashMap<AttemptId, Listed>, u64)>, GatewayFault> {
    let (mut ours, mut foreign, mut cursor) = (HashMap::new(), 0, None);
    for _ in 0..PAGES_MAX {
        let Some(page) = gateway.list(&Span { from, until, cursor }).await? else {
            return Ok(None);
        };
        for payment in page.payments {
            match payment.reference {
                Some(reference) => drop(ours.insert(reference, payment)),
                None => foreign += 1,
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(Some((ours, foreign)));
        }
    }
    Err(GatewayFault::Unknown(format!("its list has more than {PAGES_MAX} pages for one day")))
}

fn is_under_way(attempt: &AttemptRow, now: Timestamp) -> bool {
    let waits = attempt.challenge.as_ref().map(|challenge| challenge.until);
    let until = waits.map_or(attempt.deadline, |until| until.max(attempt.deadline));
    now < until.plus(UNDER_WAY)
}

/// What is wrong about an attempt that the gateway does not list: nothing, where it came to
/// nothing here as well.
fn unlisted(gateway: &dyn Gateway, attempt: &AttemptRow, now: Timestamp) -> Option<Break> {
    let finding = match attempt.state {
        AttemptState::Authorized => Finding::Missing,
        AttemptState::Pending if !is_under_way(attempt, now) => Finding::Unsettled,
        _ => return None,
    };
    Some(Break {
        gateway: gateway.name().to_owned(),
        payment: attempt.id.to_string(),
        gateway_payment: None,
        order: Some(attempt.order),
        amount_minor: attempt.amount_minor,
        currency: attempt.currency,
        finding,
    })
}

fn of_listed(gateway: &dyn Gateway, listed: &Listed, payment: String, finding: Finding) -> Break {
    Break {
        gateway: gateway.name().to_owned(),
        payment,
        gateway_payment: Some(listed.id.clone()),
        order: None,
        amount_minor: listed.amount.minor(),
        currency: listed.amount.currency(),
        finding,
    }
}
