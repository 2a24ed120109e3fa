//! `GET /v1/exports/{kind}`, `POST /v1/imports/{kind}`: everything a merchant sets, as a file. An
//! export is sent as it is read; an import is as large as a body may be.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;

use crate::{
    catalog::import::ImportError,
    exchange::{
        Format, Kind as What, Shop,
        export::{Part, part},
        import::{ImportRefused, read},
    },
    http::{
        asking::{Asking, AskingFile},
        caller::Caller,
        door::Door,
        idempotency,
        kinds::Kind,
        problem::Problem,
    },
    ledger::LedgerFault,
    pricing::TariffsRefused,
};

/// What is changed here, among what is no fact of the ledger.
const AREA: &str = "imports";

/// Errors that are told: enough to correct a column.
const SHOWN: usize = 20;

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
    let now = door.clock.now();
    let plan = read(kind, format, asking.file().as_bytes(), &door.limits, now);
    let plan = plan.map_err(|errors| wrong(&errors))?;
    let asking: &Asking = asking.asking();
    idempotency::once(&door, asking, AREA, async || {
        let shop = shop(&door);
        plan.check(&shop).await.map_err(refused)?;
        if wanted.dry_run {
            return Ok(idempotency::answer(200, &json!({ "read": plan.len(), "saved": 0 })));
        }
        let done = plan.apply(&shop, asking.caller()).await.map_err(refused)?;
        let named = |(name, why): &(String, String)| json!({ "name": name, "reason": why });
        let told: Vec<_> = done.refused.iter().map(named).collect();
        let answer = json!({ "saved": done.saved, "stock_set": done.moved, "refused": told });
        Ok(idempotency::answer(200, &answer))
    })
    .await
}

fn wrong(errors: &[ImportError]) -> Problem {
    Problem::new(Kind::Invalid, ImportError::summary(errors, SHOWN))
}

fn refused(refused: ImportRefused) -> Problem {
    match refused {
        ImportRefused::Wrong(errors) => wrong(&errors),
        ImportRefused::Ledger(fault) | ImportRefused::Tariff(TariffsRefused::Ledger(fault)) => {
            fault.into()
        }
        ImportRefused::Tariff(refused) => Problem::new(Kind::Busy, format!("{refused}.")),
    }
}
