//! A run from beginning to end.

use anyhow::{Context, ensure};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::{
    actions::Hands,
    book,
    buyer::{Buyer, Stuck},
    crowd::Crowd,
    house::House,
    last_units, ledger,
    options::Options,
    outcome::{BACK_ON_SALE, Outcome},
    plan, reckoning,
    sale::{Broken, Sale},
    stranded::{Stranded, Watch},
    told::{Promises, Told},
};
use crate::{
    compare::setup::machine,
    drive::{
        acks::{AckLog, read_lines},
        window::Live,
    },
    servers::shop::find_doorbuster,
};

/// How long the last units, and the holds that are left, may take to be sold.
const AT_THE_END: Duration = Duration::from_secs(120);

/// How long captures and unknown payments may stay open once nobody buys any more.
const SETTLED: Duration = Duration::from_secs(60);

/// Runs, and says what came of it.
///
/// # Errors
/// When something does not start, an action cannot be taken, or a promise was broken.
pub fn run(options: &Options, live: &Arc<Live>, out: &mut dyn Write) -> anyhow::Result<()> {
    let binary = find_doorbuster(options.service.as_deref())?;
    let scratch = scratch(options)?;
    let log = scratch.path().join("told.jsonl");
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let sale = Arc::new(Sale::new(AckLog::open(&log)?));
    let replicas = usize::from(options.replicas);
    let house = House::open(&binary, scratch, runtime.handle(), &sale, options)?;
    let watch = Watch::on(runtime.handle(), &house.ledger());
    let handle = runtime.handle().clone();
    let (killed, resumed) = (BTreeSet::new(), BTreeMap::new());
    let mut hands = Hands { house, sale: sale.clone(), runtime: handle, watch, killed, resumed };
    let plan = plan::draw(options.seed, &options.counts(), replicas);
    writeln!(out, "{} actions on {replicas} replicas, seed {}", plan.len(), options.seed)?;

    let crowd = Crowd::open(&sale, runtime.handle(), options.buyers, options.seed);
    let began = Instant::now();
    hands.goes_on("the opening");
    let taken = take_all(&mut hands, &plan, options, live, began);
    crowd.close()?;
    let left_out = plan.len() - taken?;
    let took = began.elapsed();
    let Hands { mut house, watch, resumed, .. } = hands;
    let stranded = watch.end();
    too_late(&sale, &stranded);

    eprintln!("the last units");
    sale.wait_at_most(AT_THE_END);
    let last = last_units::sell(&sale, options.buyers, options.last_units);
    let last = runtime.block_on(last).unwrap_or_else(|Stuck| last_units::SoldOut::default());
    let promises = Promises::of(read_lines(&log)?);
    let left = promises.holds.len() as u64;
    pay_what_is_left(&runtime, &house, &sale, promises)?;
    reckon(&runtime, &mut house, &sale, read_lines(&log)?, out)?;

    let holds = Promises::of(read_lines(&log)?).held;
    let machine = machine(&house.postgres);
    let outcome = Outcome {
        options,
        machine,
        resumed,
        left_out,
        stranded,
        last,
        holds,
        left,
        sale: &sale,
        took,
    };
    write!(out, "{}", outcome.table())?;
    if let Some(file) = &options.json {
        std::fs::write(file, format!("{:#}\n", outcome.json()))?;
    }
    ensure!(!live.stop.load(Ordering::Relaxed), "interrupted; {left_out} actions were left out");
    ensure!(outcome.is_clean(), "promises were broken: {:#?}", sale.broken());
    Ok(())
}

/// A folder for everything. When a run is to be looked at afterwards it stays.
fn scratch(options: &Options) -> anyhow::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("chaos-").disable_cleanup(options.keep.is_some());
    let folder = match &options.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            builder.tempdir_in(std::fs::canonicalize(folder)?)
        }
        None => builder.tempdir(),
    };
    folder.context("there is no room for a folder")
}

/// Takes the actions, until they are all taken or time is up. Returns how many were.
fn take_all(
    hands: &mut Hands,
    plan: &[plan::Step],
    options: &Options,
    live: &Arc<Live>,
    began: Instant,
) -> anyhow::Result<usize> {
    let end = began + Duration::from_secs(options.seconds);
    for (number, step) in plan.iter().enumerate() {
        if Instant::now() > end || live.stop.load(Ordering::Relaxed) {
            return Ok(number);
        }
        let at = began.elapsed().as_secs_f64();
        let (orders, of) = (hands.sale.orders(), plan.len());
        eprintln!("{at:>7.1} s  {orders:>7} orders  {}/{of} {}", number + 1, step.action);
        hands.take(*step)?;
    }
    Ok(plan.len())
}

fn too_late(sale: &Sale, stranded: &[Stranded]) {
    // Where PostgreSQL was away meanwhile nobody could have sold them.
    for late in stranded.iter().filter(|one| one.took > BACK_ON_SALE && !one.disturbed) {
        sale.breaks(Broken::Other, format!("back on sale only after {:?}: {late:?}", late.took));
    }
}

/// Holds that were acknowledged and left alone are there, and are bought now.
fn pay_what_is_left(
    runtime: &Runtime,
    house: &House,
    sale: &Arc<Sale>,
    promises: Promises,
) -> anyhow::Result<()> {
    sale.wait_at_most(AT_THE_END);
    runtime.block_on(async {
        let client = ledger::connect(&house.ledger()).await?;
        reckoning::holds_stand(&client, sale, &promises).await?;
        let mut buyer = Buyer::new(sale, "late".to_owned(), 2);
        for (checkout, lines) in &promises.holds {
            if let Err(Stuck) = buyer.pay(checkout, lines, "success_token").await {
                break;
            }
        }
        anyhow::Ok(())
    })
}

/// Waits until nothing is under way, ends the replicas, and holds everything against everything.
fn reckon(
    runtime: &Runtime,
    house: &mut House,
    sale: &Arc<Sale>,
    log: Vec<Told>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let client = runtime.block_on(ledger::connect(&house.ledger()))?;
    let late = Instant::now() + SETTLED;
    loop {
        let open = runtime.block_on(ledger::unfinished(&client))?;
        if open == 0 {
            break;
        }
        if Instant::now() > late {
            let what = format!("{open} payments or captures are open after {SETTLED:?}");
            sale.breaks(Broken::Other, what);
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    while !house.replicas.is_empty() {
        house.drain(0)?;
    }
    let promises = Promises::of(log);
    let book = book::read(&house.bank.book)?;
    runtime.block_on(reckoning::adds_up(&client, sale, &promises, &book))?;
    match house.audit() {
        Ok(clean) => write!(out, "{clean}")?,
        Err(found) => sale.breaks(Broken::Other, format!("{found:#}")),
    }
    Ok(())
}
