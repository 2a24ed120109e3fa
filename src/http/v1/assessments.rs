//! `GET /v1/assessments`: every judgement, found again, those of payments that became no order
//! among them.
//!
//! A storefront's own key finds its own. Values that name a person are looked up by their digests:
//! none is kept for it.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::{Wanted, parameter};
use crate::{
    base::{AssessmentId, Buyer, CheckoutId, Currency, Email, Hints, OrderId, Person, Timestamp},
    fraud::{
        assessment::{Assessment, DecidedBy, Degraded, Outcome, RuleHit},
        bench::Written,
        history::Known,
        links::{LinkKey, LinkKeys, LinkKind},
        rules::Name,
        search::{self, Counts, Found, LabelIs},
        signals::Signals,
    },
    http::{caller::Sees, door::Door, free_text, kinds::Kind, problem::Problem},
    ledger::review::CaseState,
};

/// The greatest score.
const SCORE_MAX: u16 = 1000;

/// Which judgements.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    checkout: Option<String>,
    order: Option<String>,
    request_id: Option<String>,
    from: Option<String>,
    before: Option<String>,
    outcome: Option<String>,
    rule: Option<String>,
    score_from: Option<String>,
    score_to: Option<String>,
    email: Option<String>,
    card: Option<String>,
    ip: Option<String>,
    device: Option<String>,
    customer: Option<String>,
    storefront: Option<String>,
    currency: Option<String>,
    min_minor: Option<String>,
    max_minor: Option<String>,
    label: Option<String>,
    counts: Option<bool>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// A page of judgements.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Judgements {
    items: Vec<Judgement>,
    /// Where the next page begins. A page may be short, or empty, and have one: then ten thousand
    /// others were looked at.
    next_cursor: Option<AssessmentId>,
    /// How many there are, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
}

/// A judgement in a list.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Judgement {
    id: AssessmentId,
    at: Timestamp,
    checkout: CheckoutId,
    /// The order, where its checkout became one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Box<str>>,
    storefront: String,
    outcome: Outcome,
    decided_by: DecidedBy,
    score: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    score_in_shadow: bool,
    probability: Option<f64>,
    /// What raised the score most.
    #[serde(skip_serializing_if = "Option::is_none")]
    top_reason: Option<String>,
    rules: Vec<RuleHit>,
    degraded: Vec<Degraded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    amount_minor: Option<i64>,
    currency: Option<Currency>,
    /// Where the order's case stands, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<CaseState>,
    /// What was found out about the order last.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Known>,
}

/// Lists judgements, the newest first.
pub async fn list(
    door: web::Data<Door>,
    sees: Sees,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let page = Wanted { cursor: filter.cursor.clone(), limit: filter.limit };
    let wanted = search::Wanted {
        cursor: page.after()?,
        limit: page.size(&door.limits)?,
        counts: filter.counts.unwrap_or_default(),
    };
    let mut asked = read(&filter)?;
    if let Sees::Own(storefront) = &sees {
        own(&mut asked, storefront)?;
    }
    let found = door.cases.search().page(&asked, wanted, door.clock.now()).await?;
    let mut items = found.items.into_iter().map(read_back).collect::<Result<Vec<_>, _>>()?;
    let mut judged: Vec<_> = items.iter_mut().map(|(_, judged)| judged).collect();
    door.desk.fraud.bench().schemas().tell(&mut judged).await?;
    let items = items.into_iter().map(view).collect();
    let (next_cursor, counts) = (found.next, found.counts);
    Ok(HttpResponse::Ok().json(Judgements { items, next_cursor, counts }))
}

/// Of its own key a storefront sees its own payments and nobody else's.
fn own(asked: &mut search::Filter, storefront: &str) -> Result<(), Problem> {
    if asked.storefront.as_deref().is_some_and(|other| other != storefront) {
        let text = "This key is shown the payments of its own storefront alone.";
        return Err(Problem::new(Kind::Forbidden, text)
            .at("/storefront")
            .suggest("Leave it out, or ask with a key that allows `backoffice:read`."));
    }
    asked.storefront = Some(storefront.to_owned());
    Ok(())
}

fn read_back(found: Found) -> Result<(Found, Assessment), Problem> {
    let written: Written = serde_json::from_str(found.row.body.get())
        .map_err(|fault| Problem::fault(Kind::Internal, fault))?;
    Ok((found, written.assessment))
}

fn view((found, judged): (Found, Assessment)) -> Judgement {
    let Found { row, storefront, amount_minor, currency, placed, case, label } = found;
    Judgement {
        id: row.id,
        at: row.at,
        checkout: row.checkout,
        order: placed.then(|| OrderId::of(row.checkout)),
        request_id: judged.request_id,
        storefront,
        outcome: judged.outcome,
        decided_by: judged.decided_by,
        score: judged.score,
        score_in_shadow: judged.score_in_shadow,
        probability: judged.probability,
        top_reason: judged.reasons.into_iter().next().map(|reason| reason.says),
        rules: judged.rules,
        degraded: judged.degraded,
        model: judged.model,
        amount_minor,
        currency,
        case,
        label,
    }
}

fn read(filter: &Filter) -> Result<search::Filter, Problem> {
    let order = |raw: &str| raw.trim().parse().ok().map(OrderId::checkout);
    let of_order = parameter(filter.order.as_deref(), "order", "an order's id", order)?;
    let checkout = |raw: &str| raw.trim().parse().ok();
    let checkout = parameter(filter.checkout.as_deref(), "checkout", "a checkout's id", checkout)?;
    if let (Some(one), Some(other)) = (of_order, checkout)
        && one != other
    {
        let text = "The order is of another checkout; send one of the two.";
        return Err(Problem::new(Kind::Invalid, text).at("/checkout"));
    }
    for name in [&filter.card, &filter.device, &filter.customer, &filter.request_id] {
        name.as_deref().map_or(Ok(()), free_text::refuse_card_number_as_name)?;
    }
    let asked = search::Filter {
        checkout: of_order.or(checkout),
        request: filter.request_id.clone(),
        from: time(filter.from.as_deref(), "from")?,
        before: time(filter.before.as_deref(), "before")?,
        outcome: word(filter.outcome.as_deref(), "outcome", &Outcome::ALL, Outcome::as_str)?,
        rule: parameter(filter.rule.as_deref(), "rule", "a rule's name", |raw| {
            Name::parse(raw).ok().map(|name| name.to_string())
        })?,
        score_from: score(filter.score_from.as_deref(), "score_from")?,
        score_to: score(filter.score_to.as_deref(), "score_to")?,
        keys: keys(filter)?,
        storefront: filter.storefront.clone(),
        currency: parameter(
            filter.currency.as_deref(),
            "currency",
            "an ISO 4217 currency code such as EUR",
            |raw| raw.parse().ok(),
        )?,
        min_minor: amount(filter.min_minor.as_deref(), "min_minor")?,
        max_minor: amount(filter.max_minor.as_deref(), "max_minor")?,
        label: word(filter.label.as_deref(), "label", &LabelIs::ALL, LabelIs::as_str)?,
    };
    if asked.currency.is_none() && (asked.min_minor.is_some() || asked.max_minor.is_some()) {
        let text = "An amount is one of a currency: say the `currency` too.";
        return Err(Problem::new(Kind::Invalid, text).at("/currency"));
    }
    Ok(asked)
}

/// Who took part, under the digests that judgements have.
fn keys(filter: &Filter) -> Result<Vec<LinkKey>, Problem> {
    let email = |raw: &str| Email::parse(raw.trim()).ok();
    let expected = "an e-mail address such as ada@example.com; write a `+` in it as %2B";
    let email = parameter(filter.email.as_deref(), "email", expected, email)?;
    let ip = |raw: &str| raw.trim().parse::<std::net::IpAddr>().ok();
    let ip = parameter(filter.ip.as_deref(), "ip", "a network address", ip)?;
    let mut signals =
        Signals::unknown(CheckoutId::from_uuid(uuid::Uuid::nil()), Timestamp::from_micros(0));
    signals.person = Person {
        buyer: email.map(|email| Box::new(Buyer { email: Some(email), ..Buyer::default() })),
        ip: ip.map(|ip| ip.to_string()),
        hints: Some(Box::new(Hints {
            card_fingerprint: filter.card.clone(),
            device_id: filter.device.clone(),
            customer_id: filter.customer.clone(),
            ..Hints::default()
        })),
        ..Person::default()
    };
    // The network that an address belongs to is not asked for.
    let keys = LinkKeys::of(&signals);
    let mut keys: Vec<LinkKey> = keys.iter().filter(|key| key.kind != LinkKind::IpPrefix).collect();
    // What the fewest share finds the fewest.
    keys.sort_by_key(|key| key.kind.is_weak());
    Ok(keys)
}

fn time(raw: Option<&str>, name: &str) -> Result<Option<Timestamp>, Problem> {
    parameter(raw, name, "an RFC 3339 time such as 2026-11-27T08:00:00Z", Timestamp::parse)
}

fn amount(raw: Option<&str>, name: &str) -> Result<Option<i64>, Problem> {
    let read = |raw: &str| raw.parse::<i64>().ok().filter(|amount| *amount >= 0);
    parameter(raw, name, "0 or more minor units", read)
}

fn score(raw: Option<&str>, name: &str) -> Result<Option<u16>, Problem> {
    let read = |raw: &str| raw.parse::<u16>().ok().filter(|score| *score <= SCORE_MAX);
    parameter(raw, name, "a score, 0 to 1000", read)
}

fn word<T: Copy>(
    raw: Option<&str>,
    name: &str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let words: Vec<_> = all.iter().map(|one| format!("`{}`", as_str(*one))).collect();
    let expected = format!("one of {}", words.join(", "));
    parameter(raw, name, &expected, |raw| all.iter().copied().find(|one| as_str(*one) == raw))
}
