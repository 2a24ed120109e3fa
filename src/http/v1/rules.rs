//! `/v1/rules`: what is asked about each order, and how it came to be.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::page::{self, Wanted};
use crate::{
    fraud::rules::{
        Action, Draft, FUNCTIONS, Mode, Name, Pass, Program, Rule, RulesRefused, Variable,
    },
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
    ledger::entry::StoredAnswer,
};

/// Bytes that are read of an expression; how long one may be is the rules' own limit.
const EXPRESSION_READ_MAX: usize = 64 * 1024;

/// A version at which no rule stands: they are counted from 1, and one that is not there is at 0.
const NO_VERSION: u32 = u32::MAX;

/// What an expression reads.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct Checked<'a> {
    uses: &'a [String],
    lists: Vec<&'a str>,
}

/// Lists rules by name, each in its last version.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let mut rows = door.rules.store().rules().await?;
    if let Some(after) = &wanted.cursor {
        rows.retain(|rule| rule.draft.name.as_str() > after.as_str());
    }
    Ok(page::answer(rows, size, |rule| rule.draft.name.to_string(), |rule| rule))
}

/// Shows a rule in its last version.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(find(&door, &name_of(&name)?).await?))
}

/// Lists the versions of a rule, the newest first.
pub async fn versions(
    door: web::Data<Door>,
    _caller: Caller,
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (name, size) = (name_of(&name)?, wanted.size(&door.limits)?);
    let rows = door.rules.store().versions(&name, wanted.after()?, size + 1).await?;
    // Those of one that was removed stay.
    if rows.is_empty() && door.rules.store().versions(&name, None, 1).await?.is_empty() {
        return Err(RulesRefused::NoSuchRule(name).into());
    }
    Ok(page::answer(rows, size, |rule| rule.version.to_string(), |rule| rule))
}

/// What a rule may say: variables, functions, features.
pub async fn language(door: web::Data<Door>, _caller: Caller) -> HttpResponse {
    let variables: Vec<_> = Variable::ALL.iter().map(|variable| variable.row()).collect();
    let features = door.rules.features();
    HttpResponse::Ok().json(json!({
        "variables": variables, "functions": FUNCTIONS, "features": features,
    }))
}

/// Checks an expression without keeping it.
pub async fn check(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let expression = expression(&body)?;
    if let Some(field) = body.find("action") {
        action(&field)?;
    }
    if let Some(field) = body.find("mode") {
        mode(&field)?;
    }
    if let Some(field) = body.find("reason") {
        field.text(door.limits.text_bytes)?;
    }
    let program = door.rules.check(&expression, pass(&body)?).map_err(RulesRefused::from)?;
    Ok(HttpResponse::Ok().json(checked(&program)))
}

fn checked(program: &Program) -> Checked<'_> {
    Checked { uses: program.uses(), lists: program.lists().collect() }
}

/// Writes a rule, or another version of it. In shadow, unless something else is said.
pub async fn save(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let name = new_name(&name)?;
    let draft = Draft {
        name: name.clone(),
        expression: expression(&body)?,
        action: action(&body.get("action")?)?,
        pass: pass(&body)?,
        mode: match body.find("mode") {
            Some(field) => mode(&field)?,
            None => Mode::Shadow,
        },
        reason: reason(&body, &door)?,
    };
    let save = async |expected| door.rules.save(draft, expected, asking.caller()).await;
    write(&door, &asking, &name, save).await
}

/// Removes a rule. One that is not there is removed already.
pub async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (name, reason) = (name_of(&name)?, reason(&asking.body(), &door)?);
    change(&door, &asking, async || {
        let removed = door.rules.remove(&name, &reason, asking.caller()).await?;
        Ok(idempotency::answer(200, &json!({ "name": name, "removed": removed })))
    })
    .await
}

/// Switches a rule off, into shadow or live; everything else of it stays.
pub async fn set_mode(
    door: web::Data<Door>,
    asking: Asking,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let (mode, reason) = (mode(&body.get("mode")?)?, reason(&body, &door)?);
    let name = name_of(&name)?;
    write(&door, &asking, &name, async |expected| {
        let rule = door.rules.store().find_rule(&name).await?;
        let rule = rule.ok_or_else(|| RulesRefused::NoSuchRule(name.clone()))?;
        let draft = Draft { mode, reason, ..rule.draft };
        // Not over a version that came between the look and the change.
        door.rules.save(draft, expected.or(Some(rule.version)), asking.caller()).await
    })
    .await
}

/// A rule that says this already keeps its version.
async fn write(
    door: &Door,
    asking: &Asking,
    name: &Name,
    save: impl AsyncFnOnce(Option<u32>) -> Result<Rule, RulesRefused>,
) -> Result<HttpResponse, Problem> {
    change(door, asking, async || {
        let rule = save(expected(door, asking, name).await?).await?;
        Ok(StoredAnswer { version: rule.version, ..idempotency::answer(200, &rule) })
    })
    .await
}

/// The version that must still stand when the rule is written, where the caller names some.
async fn expected(door: &Door, asking: &Asking, name: &Name) -> Result<Option<u32>, Problem> {
    let Some(seen) = asking.if_match() else { return Ok(None) };
    let stands = door.rules.store().find_rule(name).await?.map(|rule| rule.version);
    Ok(Some(stands.filter(|_| seen.holds(stands)).unwrap_or(NO_VERSION)))
}

/// Changes the rulebook, once per key. What was committed is in force here at once, elsewhere
/// within a round.
pub(super) async fn change(
    door: &Door,
    asking: &Asking,
    work: impl AsyncFnOnce() -> Result<StoredAnswer, Problem>,
) -> Result<HttpResponse, Problem> {
    let answer = idempotency::change(door, asking, work).await?;
    if let Err(fault) = door.rules.refresh_if_changed().await {
        tracing::warn!(%fault, "the rulebook is not read again; the next round does");
    }
    Ok(answer)
}

async fn find(door: &Door, name: &Name) -> Result<Rule, Problem> {
    let found = door.rules.store().find_rule(name).await?;
    Ok(found.ok_or_else(|| RulesRefused::NoSuchRule(name.clone()))?)
}

/// The name of something that should be there.
pub(super) fn name_of(raw: &str) -> Result<Name, Problem> {
    Name::parse(raw).map_err(|error| Problem::new(Kind::NotFound, format!("Refused: {error}.")))
}

/// The name of something that may be made.
pub(super) fn new_name(raw: &str) -> Result<Name, Problem> {
    Name::parse(raw).map_err(|error| Problem::new(Kind::Invalid, format!("Refused: {error}.")))
}

fn expression(body: &At<'_>) -> Result<String, Problem> {
    Ok(body.get("expression")?.text(EXPRESSION_READ_MAX)?.to_owned())
}

fn pass(body: &At<'_>) -> Result<Pass, Problem> {
    let field = body.find("pass");
    field.map_or(Ok(Pass::Before), |field| word(&field, "before or after", Pass::find))
}

fn action(field: &At<'_>) -> Result<Action, Problem> {
    word(field, "challenge, allow, block or review", Action::find)
}

fn mode(field: &At<'_>) -> Result<Mode, Problem> {
    word(field, "off, shadow or live", Mode::find)
}

/// Why, for whoever asks a year from now.
pub(super) fn reason(body: &At<'_>, door: &Door) -> Result<String, Problem> {
    let field = body.get("reason")?;
    let reason = field.text(door.limits.text_bytes)?.trim();
    if reason.is_empty() {
        return Err(field.problem(Kind::Invalid, "A change has a reason.".to_owned()));
    }
    Ok(reason.to_owned())
}

/// One of a few words.
pub(super) fn word<T>(
    field: &At<'_>,
    words: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, Problem> {
    let found = find(field.text(64)?);
    found.ok_or_else(|| field.problem(Kind::Invalid, format!("Expected one of {words}.")))
}
