//! Judgements, and the cases that people work on.

use schemars::JsonSchema;
use serde_json::json;

use super::{
    fields::{flag, list, may, moment, needs, one_of, text, whole, words},
    operation::{Operation, get, post},
    v1_fraud::Items,
};
use crate::{
    fraud::{assessment::Outcome, cases::CaseRow, links::walk::Linked, search::LabelIs},
    http::{
        kinds::Kind,
        v1::{
            assessments::Judgements,
            case_blocks,
            case_bulk::Decided,
            case_view::CaseView,
            cases::{AssessmentView, Queue},
            fraud_overview::OverviewView,
        },
    },
    ledger::review::{CaseState, CloseReason},
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![overview(), search()];
    all.extend(cases());
    all
}

fn overview() -> Operation {
    get("fraud_overview", "/v1/fraud/overview", "Tells what fraud work came to")
        .says(
            "Counts and money by day, outcome, model and currency; what each rule came to, with \
             its precision once orders are ripe; how many reviews there were, how long they took, \
             and how often a person overruled the doubt. Thirty days unless said, 92 at most.",
        )
        .query("from", moment(""), "From then on.")
        .query("before", moment(""), "Before then; now unless said.")
        .answers::<OverviewView>(200, "The figures.")
        .or(&[Kind::LimitExceeded])
}

fn search() -> Operation {
    let score = || json!({ "type": "integer", "minimum": 0, "maximum": 1000 });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 200 });
    get("search_assessments", "/v1/assessments", "Finds judgements, the newest first")
        .says(
            "Every payment that was judged, also those that were declined and left no order: a \
             402 of the express lane says its `checkout_id` and `request_id`. Values that name \
             somebody are looked up by their digests; none is kept for it. A question looks at \
             ten thousand judgements at most: a page may be short, or empty, and have a \
             `next_cursor`. A key that allows `checkout` alone finds those of its own storefront.",
        )
        .query("checkout", text(""), "Only of this checkout.")
        .query("order", text(""), "Only of this order.")
        .query("request_id", text(""), "Only for this request, unless it was approved.")
        .query("from", moment(""), "Only those made then or later.")
        .query("before", moment(""), "Only those made before.")
        .query("outcome", one_of(Outcome::ALL.map(Outcome::as_str), ""), "Only with this outcome.")
        .query("rule", text(""), "Only where this rule matched, also one that only watches.")
        .query("score_from", score(), "Only from this score on.")
        .query("score_to", score(), "Only up to this score.")
        .query("email", text(""), "Only of this buyer, however the address is spelt.")
        .query("card", text(""), "Only with this card, by its fingerprint.")
        .query("ip", text(""), "Only from this network address.")
        .query("device", text(""), "Only from this device.")
        .query("customer", text(""), "Only of this customer's account.")
        .query("storefront", text(""), "Only those that came through this storefront (key).")
        .query("currency", text(""), "Only payments in this currency.")
        .query("min_minor", whole(0, ""), "Only from this amount on; say the `currency` too.")
        .query("max_minor", whole(0, ""), "Only up to this amount; say the `currency` too.")
        .query("label", one_of(LabelIs::ALL.map(LabelIs::as_str), ""), "Only labeled so.")
        .query("counts", flag(""), "Counts them by outcome, ten thousand looked at at most.")
        .query("limit", limit, "How many items; 50 unless said.")
        .query("cursor", text(""), "`next_cursor` of the page before.")
        .answers::<Judgements>(200, "A page of judgements.")
        .or(&[Kind::LimitExceeded])
}

fn list_cases() -> Operation {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 200 });
    let states = CaseState::ALL.iter().map(|state| state.as_str()).chain(["closed", "all"]);
    get("list_cases", "/v1/cases", "Lists cases, the most urgent first")
        .says("Open ones unless said. Others come with the latest order first.")
        .query("state", one_of(states, ""), "Only cases that stand there.")
        .query("mine", flag(""), "Only those that are whoever's asks: claimed, assigned, ended.")
        .query("reviewer", text(""), "Who asks, where there are no API keys.")
        .query("overdue", flag(""), "Only those that somebody should have looked at.")
        .query("limit", limit, "How many items; 50 unless said.")
        .query("cursor", text(""), "`next_cursor` of the page before.")
        .answers::<Queue>(200, "A page of cases.")
        .or(&[Kind::LimitExceeded])
}

/// The case that was claimed, when there was one.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Claimed {
    case: Option<CaseRow>,
}

/// Many cases at once.
fn decide_cases() -> Operation {
    let reasons = CloseReason::ALL.map(CloseReason::as_str);
    let decisions = ["approve", "decline", "refund"];
    let key_says = "Who, where there are no API keys: else the key says it.";
    post("decide_cases", "/v1/cases/decide", "Ends many cases for one reason")
        .says(
            "Each is a decision of its own: one that cannot be decided so says why, and stops \
             none of the others. Cases that nobody has are claimed for it. At most 100.",
        )
        .takes(
            [
                may("reviewer", words(key_says)),
                needs("orders", list(words(""), "The orders of the cases.")),
                needs("decision", one_of(decisions, "How they end.")),
                may("close_reason", one_of(reasons, "Why they end so.")),
                may("reason", words("Why they are decided so.")),
                may("block", list(one_of(case_blocks::words(), ""), "What is blocked with it.")),
            ],
            json!({ "reviewer": "grace", "decision": "decline", "close_reason": "fraud",
                    "orders": ["ord_019f2d0c8a4b7cc3a1f2e3d4c5b6a798"] }),
        )
        .answers::<Decided>(200, "What became of each.")
}

fn cases() -> Vec<Operation> {
    let lease = || may("lease_seconds", whole(1, "How long it is theirs; 15 minutes unless said."));
    let reviewer =
        || may("reviewer", words("Who, where there are no API keys: else the key says it."));
    let decisions = ["approve", "decline", "refund"];
    let reasons = CloseReason::ALL.map(CloseReason::as_str);
    let decided = json!({ "type": "object" });
    vec![
        list_cases(),
        post("claim_next_case", "/v1/cases/claim", "Gives a reviewer the next case")
            .takes([reviewer(), lease()], json!({ "reviewer": "grace" }))
            .answers::<Claimed>(200, "The case, or none."),
        decide_cases(),
        get("get_case", "/v1/cases/{order}", "Shows a case with all that is known of its order")
            .says(
                "The order with who bought, every judgement, what the card's issuer said, rules \
                 with their text, features by name, linked and earlier orders.",
            )
            .answers::<CaseView>(200, "The case."),
        get("list_linked_orders", "/v1/cases/{order}/links", "Lists orders that share something")
            .says("A card, an address, a device, …: one and two steps away, frauds first.")
            .answers::<Linked>(200, "The orders."),
        post("act_on_case", "/v1/cases/{order}/{action}", "What a reviewer does with a case")
            .says(
                "`claim` and `release` a lease; `assign` it `to` somebody; `escalate` it for a \
                 `reason`; leave a `note`; `decide` it, once it is claimed: a `decision` and its \
                 `close_reason`, or its `reason` in words. Only what is declined or refunded as \
                 `fraud` is labeled as fraud. `block` puts who took part on the shop's lists.",
            )
            .takes(
                [
                    reviewer(),
                    lease(),
                    may("to", words("To whom it is assigned.")),
                    may("reason", words("Why it is escalated, or decided so.")),
                    may("note", words("What is to be remembered.")),
                    may("decision", one_of(decisions, "How it ends.")),
                    may("close_reason", one_of(reasons, "Why it ends so.")),
                    may(
                        "block",
                        list(one_of(case_blocks::words(), ""), "What is blocked with it."),
                    ),
                ],
                json!({ "reviewer": "grace" }),
            )
            .answers_schema(200, "The case, or what was decided.", decided)
            .or(&[
                Kind::LimitExceeded,
                Kind::CaseClaimed,
                Kind::CaseEnded,
                Kind::CheckoutCompleting,
            ]),
        get("list_assessments", "/v1/orders/{id}/assessments", "Shows how payments were judged")
            .says("Every judgement of an order's checkout, by the id of either.")
            .answers::<Items<AssessmentView>>(200, "The judgements."),
    ]
}
