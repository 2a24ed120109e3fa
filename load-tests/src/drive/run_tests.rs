//! The driver against servers that misbehave.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    acks::{AckLog, read_acks},
    arrivals::{Spacing, Stage},
    buyer::Manners,
    cart::{Pick, Picker},
    connection::Pace,
    figures::Figures,
    flow::{Ending, Flow},
    run::{Load, Plan, drive},
    target::Target,
    window::Live,
};

/// What a server of these tests does with its n-th request.
type Answers = Arc<dyn Fn(u64) -> (u16, String) + Send + Sync>;

/// A server that answers at once, except that all of it stands still for a while.
struct Shop {
    address: String,
    stop: Arc<AtomicBool>,
}

impl Shop {
    fn open(stall: std::ops::Range<Duration>, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let (began, count, stopped) = (Instant::now(), Arc::new(AtomicU64::new(0)), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (stall, count, answers) = (stall.clone(), count.clone(), answers.clone());
                std::thread::spawn(move || serve(stream, began, &stall, &count, &answers));
            }
        });
        Self { address, stop }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
    }
}

fn serve(
    mut stream: TcpStream,
    began: Instant,
    stall: &std::ops::Range<Duration>,
    count: &AtomicU64,
    answers: &Answers,
) {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).is_ok_and(|read| read > 0) {
        let now = began.elapsed();
        if stall.contains(&now) {
            std::thread::sleep(stall.end - now);
        }
        let (status, body) = answers(count.fetch_add(1, Ordering::Relaxed));
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// An order with an id of its own.
fn an_order(number: u64) -> (u16, String) {
    (201, format!(r#"{{"id":"ord_{number:032x}","status":"placed"}}"#))
}

fn plan(shop: &Shop, load: Load, measure: Duration) -> Plan {
    Plan {
        target: Target::parse(&shop.address).expect("loopback"),
        api_key: None,
        platform: None,
        load,
        flows: vec![(Flow::Express, 1)],
        picker: Picker::new(Pick::Uniform, 1, 1, 1),
        manners: Manners {
            copies: 5,
            slow: Pace::Whole,
            retries: 0,
            patience: Duration::from_secs(20),
            people: 0,
        },
        warm_up: Duration::ZERO,
        measure,
        most_flows: u64::MAX,
        threads: 1,
        seed: 1,
        run: "t".into(),
        acks: None,
    }
}

fn run(plan: &Plan) -> Figures {
    drive(plan, &Arc::default()).expect("it drives")
}

fn open(rate: f64, seconds: f64) -> Load {
    let stages = vec![Stage { seconds, from: rate, to: rate }];
    Load::Open { stages, spacing: Spacing::Constant, most_in_flight: 4 }
}

/// The server stands still for one second of two. In an open model half of the buyers came
/// meanwhile and waited; a driver that waits for its answers before it sends the next would have
/// seen four slow ones in thousands.
#[test]
fn a_stall_is_felt_by_everybody_who_came_meanwhile() {
    let second = Duration::from_secs(1);
    let stall = second / 2..second * 3 / 2;
    let shop = Shop::open(stall.clone(), Arc::new(an_order));
    let figures = run(&plan(&shop, open(200.0, 2.0), second * 2));
    let seen = figures.good();
    assert!((395..=400).contains(&seen.count()), "{}", seen.count());
    // The median buyer waited for about half of the stall or not at all; one in ten for most of it.
    assert!(seen.millis(0.9) > 500.0, "p90 {} ms", seen.millis(0.9));
    assert!(seen.millis(0.99) > 800.0, "p99 {} ms", seen.millis(0.99));

    let shop = Shop::open(stall, Arc::new(an_order));
    let figures = run(&plan(&shop, Load::Closed { in_flight: 4 }, second * 2));
    let seen = figures.good();
    assert!(seen.millis(0.99) < 500.0, "a closed loop hides it: p99 {} ms", seen.millis(0.99));
}

#[test]
fn the_acknowledgements_are_those_of_the_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("acks.jsonl");
    let mostly = |number: u64| match number % 5 {
        3 => (503, String::new()),
        4 => (409, r#"{"code":"out_of_stock"}"#.to_owned()),
        _ => an_order(number),
    };
    let shop = Shop::open(Duration::ZERO..Duration::ZERO, Arc::new(mostly));
    let plan = Plan {
        most_flows: 500,
        acks: Some(Arc::new(AckLog::open(&log).expect("a log"))),
        ..plan(&shop, Load::Closed { in_flight: 8 }, Duration::from_secs(20))
    };
    let started = Instant::now();
    let figures = run(&plan);
    assert!(started.elapsed() < Duration::from_secs(15), "bounded by count");
    let acks = read_acks(&log).expect("it reads");
    assert_eq!(figures.all_orders, acks.len() as u64);
    let ends = |ending| figures.count(ending);
    assert_eq!(ends(Ending::Ordered), acks.len() as u64);
    let others = ends(Ending::Refused) + ends(Ending::SoldOut);
    assert!((500..=508).contains(&(acks.len() as u64 + others)), "{figures:?}");
    assert!(ends(Ending::Refused) >= 90 && ends(Ending::SoldOut) >= 90);
}

#[test]
fn a_storm_with_two_answers_is_a_fault_and_one_with_one_is_not() {
    let once = |_| an_order(7);
    let storm = |answers: Answers| {
        let shop = Shop::open(Duration::ZERO..Duration::ZERO, answers);
        let load = Load::Closed { in_flight: 1 };
        let plan = Plan {
            flows: vec![(Flow::Storm, 1)],
            most_flows: 1,
            ..plan(&shop, load, Duration::from_secs(20))
        };
        run(&plan)
    };
    assert_eq!(storm(Arc::new(once)).count(Ending::OneOrder), 1);
    assert_eq!(storm(Arc::new(an_order)).count(Ending::TwoAnswers), 1);
}

#[test]
fn a_server_that_is_not_there_breaks_flows_and_not_the_driver() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let nobody = Shop { address: free.to_string(), stop: Arc::default() };
    let plan = plan(&nobody, open(100.0, 0.3), Duration::from_millis(300));
    let live = Arc::new(Live::default());
    let figures = drive(&plan, &live).expect("it drives");
    assert!(figures.count(Ending::Broken) >= 28, "{figures:?}");
    assert_eq!(live.orders.load(Ordering::Relaxed), 0);
}

/// A buyer who is let in and then turned away waited for two answers; the refusal is the second.
#[test]
fn a_no_is_timed_by_itself() {
    let slow = Duration::from_millis(60);
    let answers = move |number: u64| {
        if number % 2 == 1 {
            return (503, String::new());
        }
        std::thread::sleep(slow);
        (201, r#"{"id":"chk_7","status":"ready_for_complete"}"#.to_owned())
    };
    let shop = Shop::open(Duration::ZERO..Duration::ZERO, Arc::new(answers));
    let load = Load::Closed { in_flight: 1 };
    let mut plan = plan(&shop, load, Duration::from_secs(20));
    (plan.flows, plan.most_flows) = (vec![(Flow::Complete, 1)], 20);
    let figures = run(&plan);
    assert_eq!(figures.count(Ending::Refused), 20);
    assert!(figures.flows[&Flow::Complete].refused.millis(0.5) >= 59.0);
    assert!(figures.refused().millis(0.5) < 50.0, "{} ms", figures.refused().millis(0.5));
}
