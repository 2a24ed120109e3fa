//! Rules, lists, labels, backtests and models.

use schemars::JsonSchema;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{
    fields::{Field, flag, list, may, moment, needs, object, of, one_of, said, text, whole, words},
    operation::{Operation, delete, get, post, put},
    v1_cases, v1_labels,
};
use crate::{
    fraud::{
        backtest::{
            costs::{Costs, Fitted},
            report::Report,
        },
        models::{Gate, ModelChange, ModelRow, Request},
        rules::{
            Action, FunctionRow, ListEntry, ListHead, ListKind, Mode, Pass, Rule, Snooze,
            VariableRow,
        },
    },
    http::{
        kinds::Kind,
        v1::{drift::DriftView, models::Comparison, rules::Checked},
    },
};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = v1_cases::operations();
    all.extend(rules());
    all.extend(snoozes());
    all.extend(lists());
    all.extend(v1_labels::operations());
    all.extend(models());
    all
}

/// A list without pages.
#[derive(JsonSchema)]
#[schemars(rename = "All_{T}")]
#[expect(dead_code, reason = "the handlers write it with `json!`")]
pub(super) struct Items<T> {
    items: Vec<T>,
}

/// Why, for whoever asks a year from now.
fn reason() -> Field {
    needs("reason", words("Why, for whoever asks a year from now."))
}

fn mode(says: &str) -> Value {
    one_of(Mode::ALL.iter().map(|mode| mode.as_str()), says)
}

fn action() -> Value {
    one_of(Action::ALL.iter().map(|action| action.as_str()), "What it asks for.")
}

fn pass() -> Value {
    one_of(Pass::ALL.iter().map(|pass| pass.as_str()), "Before the payment unless said.")
}

/// An order that examples are about.
pub(super) const ORDER: &str = "ord_01a20ad0ec9975c19b1db9c581e57a24";

const EXPRESSION: &str = "amount > 500.0 && email_domain == \"example.com\"";

/// What a rule may say.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Language {
    variables: Vec<VariableRow>,
    functions: Vec<FunctionRow>,
    features: Vec<Value>,
}

fn rules() -> Vec<Operation> {
    let expression = || needs("expression", words("When it matches."));
    let rule = "/v1/rules/{name}";
    vec![
        get("list_rules", "/v1/rules", "Lists rules, each in its last version").paged::<Rule>(),
        get("rule_language", "/v1/rules/language", "Tells what a rule may say")
            .answers::<Language>(200, "Variables, functions and features."),
        post("check_rule", "/v1/rules/check", "Checks an expression without keeping it")
            .says("The whole rule may be sent, as it would be saved; nothing of it is kept.")
            .takes(
                [
                    expression(),
                    may("pass", pass()),
                    may("action", action()),
                    may("mode", mode("As it would be saved.")),
                    may("reason", text("Why, as it would be saved.")),
                ],
                json!({ "expression": EXPRESSION }),
            )
            .answers::<Checked<'_>>(200, "What it reads."),
        get("get_rule", rule, "Shows a rule in its last version").answers::<Rule>(200, "It."),
        put("save_rule", rule, "Writes a rule, or another version of it")
            .versioned()
            .takes(
                [
                    expression(),
                    needs("action", action()),
                    may("pass", pass()),
                    may("mode", mode("In shadow unless said.")),
                    reason(),
                ],
                json!({ "expression": EXPRESSION, "action": "review", "mode": "shadow",
                        "reason": "large first orders" }),
            )
            .answers::<Rule>(200, "The rule."),
        delete("remove_rule", rule, "Removes a rule")
            .says(
                "It is asked no more; its versions stay, and the last one says who removed it, and \
                 why. Written again, it goes on from there.",
            )
            .takes([reason()], json!({ "reason": "it found nobody in a year" }))
            .answers_schema(200, "It is gone, or was gone.", removed("name", "Which.")),
        put("set_rule_mode", "/v1/rules/{name}/mode", "Switches a rule off, to shadow, or live")
            .versioned()
            .takes(
                [needs("mode", mode("What it may do from now on.")), reason()],
                json!({ "mode": "shadow", "reason": "watched for a week" }),
            )
            .answers::<Rule>(200, "The rule."),
        get("list_rule_versions", "/v1/rules/{name}/versions", "Lists a rule's versions")
            .paged::<Rule>(),
    ]
}

/// What was removed, and whether it was there.
fn removed(field: &'static str, says: &'static str) -> Value {
    object([needs(field, text(says)), needs("removed", flag("Whether it was there."))])
}

fn kind() -> Value {
    let kinds = ListKind::ALL.iter().map(|kind| kind.as_str());
    one_of(kinds, "What the values are.")
}

fn snoozes() -> Vec<Operation> {
    let snoozes = "/v1/rules/{name}/snoozes";
    let ended = object([
        needs("kind", kind()),
        needs("value", text("Whom.")),
        needs("ended", flag("Whether there was one.")),
    ]);
    vec![
        get("list_snoozes", snoozes, "Lists whom a rule passes over").paged::<Snooze>(),
        post("snooze_rule", snoozes, "Lets a rule pass somebody over until a date")
            .takes(
                [
                    needs("kind", kind()),
                    needs("until", moment("Until when.")),
                    needs("value", words("For whom.")),
                    reason(),
                ],
                json!({ "kind": "ip", "value": "192.0.2.7", "until": "2099-01-01T00:00:00Z",
                        "reason": "the office" }),
            )
            .answers::<Snooze>(200, "It."),
        delete("end_snooze", "/v1/rules/{name}/snoozes/{kind}/{value}", "Ends a snooze")
            .answers_schema(200, "It is over, or was not there.", ended),
    ]
}

fn lists() -> Vec<Operation> {
    let (item, entries) = ("/v1/lists/{name}", "/v1/lists/{name}/entries");
    let entry = || {
        [
            needs("value", words("The value.")),
            may("note", text("Why it is there.")),
            may("expires_at", moment("Until when it counts; without an end, for ever.")),
        ]
    };
    let many = list(object(entry()), "Many entries, all or none.");
    let saved = object([needs("saved", whole(0, "How many."))]);
    let added = json!({ "anyOf": [of::<ListEntry>(), saved] });
    vec![
        get("list_lists", "/v1/lists", "Lists the lists that rules look values up in")
            .paged::<ListHead>(),
        get("get_list", item, "Shows a list, without its entries").answers::<ListHead>(200, "It."),
        put("save_list", item, "Makes a list, or changes its note")
            .takes(
                [needs("kind", kind()), may("note", text("What it is for."))],
                json!({ "kind": "email", "note": "known fraudsters" }),
            )
            .answers::<ListHead>(200, "The list."),
        delete("remove_list", item, "Removes a list with its entries")
            .says("A list that a rule looks up, live or in shadow, stays: the refusal names it.")
            .answers_schema(200, "It is gone, or was not there.", removed("name", "Which."))
            .or(&[Kind::ListInUse]),
        get("list_entries", entries, "Lists the entries of a list, by value").paged::<ListEntry>(),
        post("add_entries", entries, "Adds one entry, or many under `entries`")
            .says("Those that are there get the new end and note.")
            .takes_schema(
                json!({ "type": "object",
                        "anyOf": [object(entry()), object([needs("entries", many)])] }),
                json!({ "value": "mallory@example.com", "note": "chargebacks" }),
            )
            .answers_schema(200, "The entry, or how many were kept.", added),
        delete("remove_entry", "/v1/lists/{name}/entries/{value}", "Removes an entry")
            .answers_schema(200, "It is gone, or was not there.", removed("value", "Which.")),
    ]
}

/// What a backtest came to.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Backtested {
    report: Report,
    fitted: Option<Fitted>,
}

fn backtest() -> Operation {
    let score = || whole(0, "From this score on; 1001 is never.");
    let rule = object([
        needs("expression", words("When it matches.")),
        needs("action", action()),
        may("pass", one_of(["before"], "What the issuer said is not recorded.")),
    ]);
    let loss = || whole(0, "Expected loss in minor units of `fraud.currency`; 0 is never.");
    let thresholds = object([
        may("challenge", score()),
        may("review", score()),
        may("decline", score()),
        may("challenge_loss_minor", loss()),
        may("review_loss_minor", loss()),
    ]);
    post(
        "run_backtest",
        "/v1/backtests",
        "Tells what a rule, thresholds or a model would have done",
    )
    .takes(
        [
            may("from", moment("The first attempt; a week ago unless said.")),
            may("until", moment("The last one; now unless said.")),
            may("rule", said("A rule to try.", rule)),
            may("thresholds", said("Other thresholds of score and expected loss.", thresholds)),
            may("model", text("Another model, by its name.")),
            may("costs", said("What things cost, to fit thresholds to.", of::<Costs>())),
        ],
        json!({ "rule": { "expression": EXPRESSION, "action": "block" } }),
    )
    .answers::<Backtested>(200, "What it came to. It changes nothing.")
    .or(&[Kind::NotFound])
}

/// The models, and which of them are in force.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Models {
    items: Vec<ModelRow>,
    /// The model that scores.
    serving: Option<String>,
    /// How much of a judgement is acted on: `shadow`, `live`, `record`, `off` (`fraud.mode`).
    mode: &'static str,
    /// The model that is watched beside it.
    watched: Option<String>,
}

/// Watched models beside those that scored.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct Compared {
    compared: BTreeMap<String, Comparison>,
    attempts: u64,
}

/// A model, what is known of it, and what happened to it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the handler writes it with `json!`")]
struct ModelView {
    model: ModelRow,
    gate: Gate,
    /// Who wants it to go live; a second person may approve for 7 days.
    request: Option<Request>,
    /// The last one first.
    changes: Vec<ModelChange>,
}

fn live() -> Value {
    object([may("live", said("The model that scores.", json!({})))])
}

fn promote() -> Operation {
    let asked = object([
        needs("request", said("What a second person has to approve.", of::<Request>())),
        needs("gate", said("What is known of the model.", of::<Gate>())),
    ]);
    post("promote_model", "/v1/models/{version}/promote", "Lets a model's score decide")
        .says(
            "A watched model goes live after `fraud.promotion_days`, `fraud.promotion_orders`, and \
             scores that are like those of its training. `override` waives these figures, with the \
             reason that is recorded. With `fraud.promotion_people` = 2 the request waits for \
             another person's approval.",
        )
        .takes(
            [
                needs("reason", words("Why; it is recorded.")),
                may("override", flag("Whether the figures are waived.")),
            ],
            json!({ "reason": "a week of agreement" }),
        )
        .answers_schema(202, "It waits for a second person.", asked)
        .answers_schema(200, "The model that is live now, where one person is enough.", live())
        .or(&[Kind::NotFound])
}

fn models() -> Vec<Operation> {
    vec![
        backtest(),
        get("list_models", "/v1/models", "Lists models, the newest first")
            .answers::<Models>(200, "All of them."),
        post("add_model", "/v1/models", "Takes a trained model in, as a candidate")
            .says(
                "The body is what `doorbuster models pack` writes. The same model again changes \
                 nothing. Every replica has it: the ledger keeps it.",
            )
            .query("version", text("What it is called from now on."), "What it is called.")
            .takes_file("application/octet-stream", "{}")
            .answers::<ModelRow>(201, "The model."),
        get("get_model", "/v1/models/{version}", "Shows a model and what happened to it")
            .answers::<ModelView>(200, "The model.")
            .or(&[Kind::NotFound]),
        post("watch_model", "/v1/models/{version}/watch", "Watches a model beside the live one")
            .says(
                "It scores what the live one scores, and decides nothing. Whoever was watched \
                 steps back. Every replica follows within a second.",
            )
            .takes([may("reason", words("Why; it is recorded."))], json!({}))
            .answers::<ModelRow>(200, "The model.")
            .or(&[Kind::NotFound]),
        post("unwatch_model", "/v1/models/{version}/unwatch", "Watches a model no longer")
            .takes([may("reason", words("Why; it is recorded."))], json!({}))
            .answers::<ModelRow>(200, "The model.")
            .or(&[Kind::NotFound]),
        promote(),
        post("approve_model", "/v1/models/{version}/approve", "Agrees that a model goes live")
            .says(
                "A second person agrees, with their own key, to what was asked for within 7 days. \
                 The gate is looked at once more.",
            )
            .takes([], json!({}))
            .answers_schema(200, "The model that is live now.", live())
            .or(&[Kind::NotFound]),
        post("rollback_model", "/v1/models/rollback", "Goes back to the model before")
            .says("At once; nobody has to agree.")
            .takes([may("reason", words("Why; it is recorded."))], json!({}))
            .answers_schema(200, "The model that is live now.", live()),
        get(
            "compare_models",
            "/v1/models/comparison",
            "Compares what was watched with what scored",
        )
        .answers::<Compared>(200, "The last week."),
        get(
            "model_drift",
            "/v1/models/drift",
            "Tells whether orders still look like the training's",
        )
        .answers::<DriftView<'_>>(200, "The population stability index of score and features."),
    ]
}
