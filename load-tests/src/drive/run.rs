//! Runs a load: threads with buyers, for as long as it says, and what they saw.

use anyhow::Context;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, LocalSet},
};

use super::{
    acks::AckLog,
    arrivals::{Arrivals, Spacing, Stage},
    buyer::{Buyer, Manners},
    cart::Picker,
    clock::Alarm,
    connection::Connection,
    figures::Figures,
    flow::Flow,
    request::{Requests, Who},
    target::Target,
    window::{Counted, Live, Window},
};

/// How long the last flows may take after the load has ended.
const DRAIN: Duration = Duration::from_secs(30);

/// How buyers come.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// So many at any time, each starting over when done: finds the most a server can do.
    Closed {
        /// Flows at any time.
        in_flight: usize,
    },
    /// Whenever they come, whether or not the ones before have been served.
    Open {
        /// Rates over time, warm-up included.
        stages: Vec<Stage>,
        /// How they are spaced.
        spacing: Spacing,
        /// Flows at once at most; those beyond wait, and their wait counts.
        most_in_flight: usize,
    },
}

/// A load on a server.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which server.
    pub target: Target,
    /// Its API key, in production mode.
    pub api_key: Option<String>,
    /// Where the profile is of the platform that buyers come from, when they come from one.
    pub platform: Option<String>,
    /// How buyers come.
    pub load: Load,
    /// What they do, and how often in proportion.
    pub flows: Vec<(Flow, u32)>,
    /// What they want.
    pub picker: Picker,
    /// How they behave.
    pub manners: Manners,
    /// How long before anything is measured.
    pub warm_up: Duration,
    /// How long it is measured.
    pub measure: Duration,
    /// Flows at most.
    pub most_flows: u64,
    /// Driver threads.
    pub threads: usize,
    /// What chance starts from.
    pub seed: u64,
    /// What every idempotency key begins with.
    pub run: String,
    /// Where acknowledged orders are noted.
    pub acks: Option<Arc<AckLog>>,
}

/// Drives the load and returns what came of it. Blocks; `live` may be watched meanwhile.
///
/// # Errors
/// When a thread or its timer cannot be had, or the log of acknowledged orders cannot be written.
pub fn drive(plan: &Plan, live: &Arc<Live>) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let threads = plan.threads.max(1);
    let seen: Vec<anyhow::Result<Figures>> = std::thread::scope(|scope| {
        let start = |share| {
            let (plan, live) = (plan, live.clone());
            scope.spawn(move || drive_share(plan, (share, threads), &live, began))
        };
        let running: Vec<_> = (0..threads).map(start).collect();
        let panicked = |_| Err(anyhow::anyhow!("a driver thread panicked"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    });
    let mut sum = Figures::default();
    for figures in seen {
        sum.add(figures?);
    }
    if let Some(acks) = &plan.acks {
        acks.sync().context("the log of acknowledged orders cannot be written")?;
    }
    Ok(sum)
}

fn drive_share(
    plan: &Plan,
    share: (usize, usize),
    live: &Arc<Live>,
    began: Instant,
) -> anyhow::Result<Figures> {
    let start = began + plan.warm_up;
    let window = Rc::new(Window {
        target: plan.target.clone(),
        requests: Requests::to(&plan.target.host, plan.api_key.as_deref())
            .of_platform(plan.platform.as_deref()),
        manners: plan.manners.clone(),
        live: live.clone(),
        acks: plan.acks.clone(),
        counted: match plan.load {
            Load::Closed { .. } => Counted::Ended,
            Load::Open { .. } => Counted::Intended,
        },
        began,
        measured: start..start + plan.measure,
        figures: RefCell::new(Figures { window: plan.measure, ..Figures::default() }),
        ack_fault: Cell::new(None),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        match &plan.load {
            Load::Closed { in_flight } => {
                closed(plan, share, &window, *in_flight).await;
                Ok(())
            }
            Load::Open { stages, spacing, most_in_flight } => {
                let arrivals = Arrivals::new(stages, *spacing, plan.seed, share);
                open(plan, share, &window, arrivals, *most_in_flight).await
            }
        }
    })?;
    drop(local);
    if let Some(error) = window.ack_fault.take() {
        return Err(error).context("the log of acknowledged orders cannot be written");
    }
    Ok(window.figures.take())
}

/// This thread's part of a whole.
const fn part(whole: usize, (share, shares): (usize, usize)) -> usize {
    whole / shares + if share < whole % shares { 1 } else { 0 }
}

fn buyer(plan: &Plan, window: &Rc<Window>, share: usize, number: usize) -> Buyer {
    let seed = plan.seed ^ ((share as u64) << 48 | (number as u64) << 16).wrapping_mul(0x9e37_79b9);
    Buyer {
        name: format!("{}-{share}-{number}", plan.run),
        serial: 0,
        window: window.clone(),
        connections: vec![Connection::to(plan.target.address)],
        chance: SmallRng::seed_from_u64(seed),
        picker: plan.picker.clone(),
        cart: Vec::new(),
        who: Who::Ada,
        out: Vec::with_capacity(1024),
        key: String::new(),
    }
}

fn choose(flows: &[(Flow, u32)], chance: &mut SmallRng) -> Flow {
    let whole: u32 = flows.iter().map(|(_, weight)| weight).sum();
    let mut point = if flows.len() > 1 { chance.random_range(0..whole.max(1)) } else { 0 };
    for (flow, weight) in flows {
        if point < *weight {
            return *flow;
        }
        point -= weight;
    }
    flows.first().map_or(Flow::Complete, |(flow, _)| *flow)
}

async fn closed(plan: &Plan, share: (usize, usize), window: &Rc<Window>, in_flight: usize) {
    let mut buyers = JoinSet::new();
    for number in 0..part(in_flight, share) {
        let mut buyer = buyer(plan, window, share.0, number);
        let (window, flows, most) = (window.clone(), plan.flows.clone(), plan.most_flows);
        buyers.spawn_local(async move {
            while !window.is_over(Instant::now())
                && window.live.started.load(Ordering::Relaxed) < most
            {
                let flow = choose(&flows, &mut buyer.chance);
                let ending = buyer.go(flow, Instant::now()).await;
                if ending == super::flow::Ending::Broken {
                    // A server that is gone must not be asked ten thousand times a second.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            buyer
        });
    }
    gather(window, buyers, window.left(Instant::now()) + DRAIN).await;
}

/// Buyers who came and wait for a hand that serves them.
struct Queue {
    waiting: RefCell<VecDeque<Instant>>,
    came: Semaphore,
}

async fn open(
    plan: &Plan,
    share: (usize, usize),
    window: &Rc<Window>,
    arrivals: Arrivals,
    most_in_flight: usize,
) -> anyhow::Result<()> {
    let queue = Rc::new(Queue { waiting: RefCell::default(), came: Semaphore::new(0) });
    let idle = Rc::new(Cell::new(0_usize));
    let most_hands = part(most_in_flight, share).max(1);
    let mut hands = JoinSet::new();
    let mut alarm = Alarm::new().context("no timer")?;
    for (count, at) in arrivals.enumerate() {
        let then = window.began + at;
        alarm.wait_until(then).await.context("the timer cannot be set")?;
        if window.is_over(Instant::now()) || count as u64 * share.1 as u64 >= plan.most_flows {
            break;
        }
        queue.waiting.borrow_mut().push_back(then);
        if idle.get() < queue.waiting.borrow().len() && hands.len() < most_hands {
            let buyer = buyer(plan, window, share.0, hands.len());
            hands.spawn_local(serve(buyer, plan.flows.clone(), queue.clone(), idle.clone()));
        }
        queue.came.add_permits(1);
        if alarm.is_late(then) {
            // Behind schedule: the buyers who are here get a turn before more are let in.
            tokio::task::yield_now().await;
        }
    }
    // Hands that find the queue empty from here on go home.
    queue.came.close();
    gather(window, hands, DRAIN).await;
    unanswered(window, &queue);
    Ok(())
}

async fn serve(
    mut buyer: Buyer,
    flows: Vec<(Flow, u32)>,
    queue: Rc<Queue>,
    idle: Rc<Cell<usize>>,
) -> Buyer {
    loop {
        idle.set(idle.get() + 1);
        let came = queue.came.acquire().await;
        idle.set(idle.get() - 1);
        if let Ok(came) = came {
            came.forget();
        }
        let Some(intended) = queue.waiting.borrow_mut().pop_front() else { return buyer };
        let flow = choose(&flows, &mut buyer.chance);
        buyer.go(flow, intended).await;
    }
}

/// Waits for the buyers, but not for ever.
async fn gather(window: &Rc<Window>, mut buyers: JoinSet<Buyer>, limit: Duration) {
    let all = async {
        while let Some(done) = buyers.join_next().await {
            let reopened: u64 = done.iter().flat_map(|b| &b.connections).map(|c| c.reopened).sum();
            window.figures.borrow_mut().reopened += reopened;
        }
    };
    if tokio::time::timeout(limit, all).await.is_err() {
        let text = format!("flows were still under way {limit:?} after the load ended");
        window.figures.borrow_mut().complain(text);
    }
}

/// Buyers whom nobody served count as unanswered, with the time they have waited so far.
fn unanswered(window: &Rc<Window>, queue: &Queue) {
    for intended in queue.waiting.borrow_mut().drain(..) {
        window.ended(Flow::Complete, super::flow::Ending::Unanswered, intended, 0);
    }
}
