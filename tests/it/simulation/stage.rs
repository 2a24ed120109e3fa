//! Everything that lives in a run, on one thread and virtual time: replicas that freeze and die,
//! the people in front of the shop, and the director who brings trouble.

use doorbuster::base::SeededChance;
use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::{LocalSet, spawn_local},
};

use super::{
    chaos::{Chaos, usize_of},
    reckoning,
    replica::{self, Door, World},
    shopper::{Shopper, Street},
};

/// A running process.
struct Process {
    tasks: Pin<Box<LocalSet>>,
    frozen: bool,
}

/// What the director orders.
#[derive(Debug, Clone, Copy)]
enum Order {
    Start(usize),
    Kill(usize),
    Freeze(usize),
    Thaw(usize),
}

/// The director's voice.
#[derive(Clone)]
pub(crate) struct Orders {
    chaos: Arc<Chaos>,
    queue: Rc<RefCell<VecDeque<Order>>>,
}

impl Orders {
    fn give(&self, order: Order) {
        self.chaos.tell(|| format!("{order:?}"));
        self.queue.borrow_mut().push_back(order);
    }
}

/// Polls whoever is not frozen.
pub(crate) struct Stage<P> {
    world: World,
    doors: Arc<Mutex<Vec<Option<Door>>>>,
    orders: Orders,
    processes: Vec<Option<Process>>,
    lifetimes: u64,
    people: Pin<Box<P>>,
}

impl<P> Stage<P> {
    fn obey(&mut self, order: Order) {
        match order {
            Order::Start(number) => {
                self.lifetimes += 1;
                let (tasks, door) = replica::start(&self.world, number, self.lifetimes);
                self.processes[number] = Some(Process { tasks: Box::pin(tasks), frozen: false });
                self.doors.lock().unwrap()[number] = Some(door);
            }
            Order::Kill(number) => {
                self.doors.lock().unwrap()[number] = None;
                self.processes[number] = None;
            }
            Order::Freeze(number) | Order::Thaw(number) => {
                if let Some(process) = &mut self.processes[number] {
                    process.frozen = matches!(order, Order::Freeze(_));
                }
            }
        }
    }
}

impl<P: Future<Output = ()>> Future for Stage<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let ended = self.people.as_mut().poll(context);
            loop {
                // Taken before it is obeyed: obeying may queue another.
                let next = self.orders.queue.borrow_mut().pop_front();
                let Some(order) = next else { break };
                self.obey(order);
            }
            if ended.is_ready() {
                self.processes.clear();
                return Poll::Ready(());
            }
            for process in self.processes.iter_mut().flatten().filter(|one| !one.frozen) {
                // A set of tasks that has nothing left to do waits for the next request.
                let _all_done = process.tasks.as_mut().poll(context);
            }
            if self.orders.queue.borrow().is_empty() {
                return Poll::Pending;
            }
        }
    }
}

/// Plays a run to its end.
pub(crate) async fn play(world: World, mut doomed: mpsc::UnboundedReceiver<usize>, street: Street) {
    let chaos = world.chaos.clone();
    let orders = Orders { chaos: chaos.clone(), queue: Rc::default() };
    let outside = LocalSet::new();
    let (voice, scene) = (orders.clone(), (world.clone(), street.clone()));
    let people = async move {
        outside
            .run_until(async move {
                for number in 0..chaos.plan.replicas {
                    voice.give(Order::Start(number));
                }
                let reaper = voice.clone();
                spawn_local(async move {
                    while let Some(number) = doomed.recv().await {
                        dies(&reaper, number).await;
                    }
                });
                crowd(&scene.1, &voice).await;
                chaos.calm_down();
                chaos.tell(|| "the troubles are over".into());
                for number in 0..chaos.plan.replicas {
                    voice.give(Order::Thaw(number));
                }
                reckoning::reckon(&scene.0, &scene.1).await;
            })
            .await;
    };
    let processes = (0..world.chaos.plan.replicas).map(|_| None).collect();
    let doors = street.doors.clone();
    Stage { world, doors, orders, processes, lifetimes: 0, people: Box::pin(people) }.await;
}

/// A process ends, and another one takes its place.
async fn dies(orders: &Orders, number: usize) {
    orders.give(Order::Kill(number));
    tokio::time::sleep(orders.chaos.between(200, 12_000)).await;
    orders.give(Order::Start(number));
}

/// Shoppers come and go while the director brings trouble; ends when both are done.
async fn crowd(street: &Street, orders: &Orders) {
    let chaos = &street.chaos;
    let shoppers = (0..chaos.plan.shoppers).map(|number| {
        let dice = SeededChance::new(chaos.below(u64::MAX));
        spawn_local(Shopper { street: street.clone(), number, dice, asked: 0 }.visits())
    });
    let shoppers: Vec<_> = shoppers.collect();
    let replica = || usize_of(chaos.below(chaos.plan.replicas as u64));
    let mut troubles = Vec::new();
    for _ in 0..chaos.plan.kills {
        let (orders, number, at) = (orders.clone(), replica(), chaos.between(500, 30_000));
        troubles.push(spawn_local(async move {
            tokio::time::sleep(at).await;
            dies(&orders, number).await;
        }));
    }
    for _ in 0..chaos.plan.freezes {
        let (orders, number, at) = (orders.clone(), replica(), chaos.between(500, 30_000));
        // Longer than a heartbeat is waited for, or not.
        let how_long = chaos.between(1000, 20_000);
        troubles.push(spawn_local(async move {
            tokio::time::sleep(at).await;
            orders.give(Order::Freeze(number));
            tokio::time::sleep(how_long).await;
            orders.give(Order::Thaw(number));
        }));
    }
    for task in shoppers.into_iter().chain(troubles) {
        task.await.expect("people do not panic");
    }
    // Whoever died last is back before the reckoning.
    tokio::time::sleep(Duration::from_secs(15)).await;
}
