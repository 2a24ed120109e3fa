//! `GET /v1/exports/{kind}`, `POST /v1/imports/{kind}`: everything a merchant sets, as a file. An
//! export is sent as it is read; an import is as large as a body may be.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    catalog::Change,
    exchange::{
        Format, Kind as What, Shop,
        export::{Part, part},
        plan::{Changes, ImportRefused},
        read::read,
    },
    files::FileError,
    http::{
        asking::{Asking, AskingFile},
        caller::Caller,
        door::Door,
        idempotency,
        kinds::Kind,
        problem::Problem,
    },
    ledger::LedgerFault,
};

/// What is changed here, among what is no fact of the ledger.
const AREA: &str = "imports";

/// Errors that are told: enough to correct a column.
const SHOWN: usize = 20;

/// Changes that are told one by one: a page to read before a file is taken in.
const CHANGES_SHOWN: usize = 200;

/// Mounts the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/exports/{kind}").get(export))
        .service(web::resource("/imports/{kind}").post(import));
}

/// How a file is written, and whether it is only looked at.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    format: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

impl Wanted {
    fn format(&self) -> Result<Format, Problem> {
        let Some(word) = &self.format else { return Ok(Format::default()) };
        Format::parse(word).ok_or_else(|| {
            Problem::new(Kind::Invalid, "A format is `csv` or `jsonl`.").at("/format")
        })
    }
}

fn what(word: &str) -> Result<What, Problem> {
    What::parse(word).ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("There is nothing called `{word}` to exchange."))
            .suggest(format!("There are {}.", What::words()))
    })
}

fn shop(door: &Door) -> Shop<'_> {
    Shop {
        catalog: &door.catalog,
        tariffs: &door.desk.tariffs,
        store: &*door.store,
        writer: &door.writer,
        clock: &*door.clock,
        chance: &*door.chance,
        limits: &door.limits,
    }
}

/// Sends a file part by part. Should the ledger go away on the way, the answer breaks off, and no
/// client takes it for whole.
async fn export(
    door: web::Data<Door>,
    _caller: Caller,
    kind: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (kind, format) = (what(&kind)?, wanted.format()?);
    let first = part(&shop(&door), kind, format, None).await?;
    let parts = stream::unfold((door, Some(Ok(first))), move |(door, next)| async move {
        let part: Part = match next? {
            Ok(part) => part,
            Err(from) => {
                let from: String = from;
                match part(&shop(&door), kind, format, Some(&from)).await {
                    Ok(part) => part,
                    Err(fault) => return Some((Err::<_, LedgerFault>(fault), (door, None))),
                }
            }
        };
        Some((Ok(Bytes::from(part.bytes)), (door, part.next.map(Err))))
    });
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, format.media())).streaming(parts))
}

/// Takes a file in, all of it or nothing.
async fn import(
    door: web::Data<Door>,
    asking: AskingFile,
    kind: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (kind, format) = (what(&kind)?, wanted.format()?);
    let plan = read(kind, format, asking.file(), &door.limits);
    let plan = plan.map_err(|errors| wrong(&errors))?;
    let asking: &Asking = asking.asking();
    idempotency::once(&door, asking, AREA, async || {
        let shop = shop(&door);
        let read = plan.len();
        let outlook = plan.check(&shop).await.map_err(refused)?;
        let warnings = outlook.warnings;
        if wanted.dry_run {
            let answer = json!({ "read": read, "saved": 0, "warnings": warnings });
            return Ok(idempotency::answer(200, &told(&outlook.changes, answer)));
        }
        let done = plan.apply(&shop, asking.caller()).await.map_err(refused)?;
        let named = |(name, why): &(String, String)| json!({ "name": name, "reason": why });
        let refusals: Vec<_> = done.refused.iter().map(named).collect();
        let answer = json!({ "read": read, "saved": done.saved, "stock_set": done.moved,
                             "refused": refusals, "warnings": warnings });
        Ok(idempotency::answer(200, &told(&done.changes, answer)))
    })
    .await
}

/// Adds to an answer what changes: how much, and for the first of them what.
pub(super) fn told(changes: &Changes, mut answer: Value) -> Value {
    let (mut created, mut changed, mut shown) = (0_usize, 0_usize, Vec::new());
    for (name, change) in changes {
        let view = match change {
            Change::Unchanged => continue,
            Change::Created => {
                created += 1;
                json!({ "name": name, "change": "created" })
            }
            Change::Changed(fields) => {
                changed += 1;
                json!({ "name": name, "change": "changed", "fields": fields })
            }
        };
        if shown.len() < CHANGES_SHOWN {
            shown.push(view);
        }
    }
    answer["created"] = created.into();
    answer["changed"] = changed.into();
    answer["unchanged"] = (changes.len() - created - changed).into();
    answer["changes_left_out"] = (created + changed - shown.len()).into();
    answer["changes"] = shown.into();
    answer
}

fn wrong(errors: &[FileError]) -> Problem {
    Problem::new(Kind::Invalid, FileError::summary(errors, SHOWN))
}

fn refused(refused: ImportRefused) -> Problem {
    match refused {
        ImportRefused::Wrong(errors) => wrong(&errors),
        ImportRefused::Ledger(fault) => fault.into(),
        ImportRefused::Busy => {
            Problem::new(Kind::Busy, "Others are changing the same things; try again.")
        }
    }
}
