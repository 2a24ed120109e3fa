//! A case with everything that a decision rests on, in one answer.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    cases::{AssessmentView, assessments},
    order_view::OrderView,
};
use crate::{
    base::{Timestamp, Verification},
    fraud::{
        assessment::{Assessment, DecidedBy},
        cases::{CaseEvent, CaseRow},
        links::{OrderHead, walk::Linked},
        model::Reason,
        rules::Name,
    },
    http::{door::Door, order_body::OrderBody, problem::Problem},
};

/// Earlier orders that are shown: the latest ones.
const EARLIER_MAX: usize = 20;

/// A case.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct CaseView {
    #[serde(flatten)]
    row: CaseRow,
    /// Whether somebody should have looked at it by now.
    overdue: bool,
    /// What happened to it.
    events: Vec<CaseEvent>,
    /// Every judgement of its checkout, the first one first.
    assessments: Vec<AssessmentView>,
    /// The order, with who bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_details: Option<OrderView>,
    /// What the card's issuer said: address, code, 3-D Secure. What was not checked is missing.
    verification: Verification,
    /// The rules that matched, as they stood then.
    rules: Vec<RuleView>,
    /// What the first judgement rested on, by name, each as a sentence. Empty where it was judged
    /// by features that no longer serve.
    features: Vec<FeatureView>,
    /// Orders that share something with it, one and two steps away.
    links: Option<Linked>,
    /// Those of them that the same buyer placed before: the same address or account.
    earlier_orders: Vec<OrderHead>,
}

/// A rule that matched.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct RuleView {
    rule: String,
    version: u32,
    action: String,
    /// Whether it only watched.
    shadow: bool,
    /// Its text, where that version still stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    /// Why there is such a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// A feature of the order.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct FeatureView {
    name: String,
    value: f32,
    /// For people.
    says: String,
}

/// All that is known of it.
pub(super) async fn of(door: &Door, row: CaseRow) -> Result<CaseView, Problem> {
    let order = row.order;
    let events = door.cases.list_events(order).await?;
    let assessments = assessments(door, order.checkout()).await?;
    let found = door.store.find_order(order).await?;
    let verification = found.as_ref().map(|row| OrderBody::of(row).verification);
    let placed_at = found.as_ref().map(|row| row.placed_at);
    let links = door.cases.links().of(order).await?;
    let earlier_orders = earlier(links.as_ref(), placed_at);
    // That of the attempt whose money it is about: others of the checkout came to nothing.
    let attempt = row.attempt.to_string();
    let first = assessments.iter().find(|one| one.attempt.as_deref() == Some(&attempt));
    let features = first.map(|first| features(door, &first.assessment)).unwrap_or_default();
    let rules = rules(door, &assessments).await?;
    Ok(CaseView {
        overdue: row.state == crate::ledger::review::CaseState::Open
            && row.due_at <= door.clock.now(),
        order_details: found.map(OrderView::whole).transpose()?,
        verification: verification.unwrap_or_default(),
        row,
        events,
        assessments,
        rules,
        features,
        links,
        earlier_orders,
    })
}

fn earlier(links: Option<&Linked>, before: Option<Timestamp>) -> Vec<OrderHead> {
    let (Some(links), Some(before)) = (links, before) else { return Vec::new() };
    let same_buyer = ["email", "customer"];
    let theirs = links.items.iter().filter(|linked| {
        let shares = linked.shares.iter().any(|kind| same_buyer.contains(kind));
        linked.hops == 1 && shares && linked.head.placed_at < before
    });
    let mut heads: Vec<OrderHead> = theirs.map(|linked| linked.head.clone()).collect();
    heads.sort_by_key(|head| std::cmp::Reverse(head.placed_at));
    heads.truncate(EARLIER_MAX);
    heads
}

/// Features by name, where those that serve are those it was judged by.
fn features(door: &Door, judged: &Assessment) -> Vec<FeatureView> {
    let serving = door.desk.fraud.bench().serving();
    let layout = &serving.layout;
    if serving.features_hash != judged.features_hash
        || layout.features.len() != judged.features.len()
    {
        return Vec::new();
    }
    let named = layout.names().into_iter().zip(&judged.features).enumerate();
    let view = |(feature, (name, value)): (usize, (String, &f32))| {
        let reason = Reason { feature, value: *value, contribution: 0.0 };
        FeatureView { name, value: *value, says: layout.sentence(&reason) }
    };
    named.map(view).collect()
}

async fn rules(door: &Door, judged: &[AssessmentView]) -> Result<Vec<RuleView>, Problem> {
    let mut rules: Vec<RuleView> = Vec::new();
    for hit in judged.iter().flat_map(|one| &one.assessment.rules) {
        if rules.iter().any(|known| known.rule == hit.rule && known.version == hit.version) {
            continue;
        }
        let mut found = None;
        if let Ok(name) = Name::parse(&hit.rule) {
            let until = Some(hit.version.saturating_add(1));
            found = door.rules.store().versions(&name, until, 1).await?.pop();
        }
        let found = found.filter(|rule| rule.version == hit.version);
        let (expression, why) = match found {
            Some(rule) => (Some(rule.draft.expression), Some(rule.draft.reason)),
            None => (None, None),
        };
        rules.push(RuleView {
            rule: hit.rule.clone(),
            version: hit.version,
            action: hit.action.clone(),
            shadow: hit.shadow,
            expression,
            why,
        });
    }
    Ok(rules)
}

/// In a few words why somebody is to look: the rule that said so, else what raised the score most.
pub(super) fn top_reason(judged: &Assessment) -> Option<String> {
    match &judged.decided_by {
        DecidedBy::Rule(rule) => Some(format!("the rule {rule}")),
        DecidedBy::Guard(why) => Some(why.clone()),
        _ => judged.reasons.first().map(|reason| reason.says.clone()),
    }
}
