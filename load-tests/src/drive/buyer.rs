//! A buyer at work: one flow at a time, over connections of their own.

use futures_util::future::join_all;
use memchr::memmem;
use rand::{Rng, rngs::SmallRng};
use std::{
    io,
    time::{Duration, Instant},
};

use super::{
    cart::Picker,
    connection::{Answer, Connection, Pace},
    flow::{Ending, Flow},
    request::{Line, Who},
    window::Window,
};

/// Longest wait before a refused step is tried again, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often the last word of a storm is asked for while its request is in flight.
const STORM_QUESTIONS: u32 = 200;

/// How buyers behave.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Sendings at once in a storm.
    pub copies: u32,
    /// How a slow buyer's create is sent.
    pub slow: Pace,
    /// How often a refused step after the first is tried again.
    pub retries: u32,
    /// How long a whole flow may take.
    pub patience: Duration,
    /// How many different people they are; without any, always the same one.
    pub people: u32,
}

/// A buyer.
pub struct Buyer {
    pub(super) name: String,
    pub(super) serial: u64,
    pub(super) window: std::rc::Rc<Window>,
    pub(super) connections: Vec<Connection>,
    pub(super) chance: SmallRng,
    pub(super) picker: Picker,
    pub(super) cart: Vec<Line>,
    pub(super) who: Who,
    pub(super) out: Vec<u8>,
    pub(super) key: String,
}

/// What a step came to, when the flow goes on.
type Step<T> = Result<T, Ending>;

impl Buyer {
    /// Goes through a flow whose buyer wanted to start at `intended`, and notes how it went.
    pub async fn go(&mut self, flow: Flow, intended: Instant) -> Ending {
        let window = self.window.clone();
        window.started();
        let patience = window.manners.patience;
        let ending = match tokio::time::timeout(patience, self.walk(flow, intended)).await {
            Ok(Ok(ending) | Err(ending)) => ending,
            Err(_) => Ending::Unanswered,
        };
        if matches!(ending, Ending::Unanswered | Ending::Broken) {
            // What comes back on the old connections belongs to nobody any more.
            let address = window.target.address;
            self.connections.iter_mut().for_each(|line| *line = Connection::to(address));
        }
        let units = self.cart.iter().map(|line| u64::from(line.quantity)).sum();
        window.ended(flow, ending, intended, units);
        ending
    }

    async fn walk(&mut self, flow: Flow, intended: Instant) -> Step<Ending> {
        self.serial += 1;
        let mut cart = std::mem::take(&mut self.cart);
        self.picker.fill(&mut self.chance, &mut cart);
        self.cart = cart;
        if let people @ 1.. = self.window.manners.people {
            self.who = Who::Person(self.chance.random_range(0..people));
        }
        match flow {
            Flow::Complete => {
                let id = self.create(intended, Pace::Whole).await?;
                self.complete(&id).await
            }
            Flow::Slow => {
                let id = self.create(intended, self.window.manners.slow).await?;
                self.complete(&id).await
            }
            Flow::Update => {
                let id = self.create(intended, Pace::Whole).await?;
                self.update(&id).await?;
                self.complete(&id).await
            }
            Flow::Abandon => {
                self.create(intended, Pace::Whole).await?;
                Ok(Ending::Abandoned)
            }
            Flow::Express => self.express(intended).await,
            Flow::Storm => self.storm(intended).await,
        }
    }

    fn name_key(&mut self, step: char) {
        use std::fmt::Write as _;
        self.key.clear();
        let written = write!(self.key, "{}-{}{step}", self.name, self.serial);
        written.expect("a string takes what is written to it");
    }

    /// Opens a checkout and returns its id.
    async fn create(&mut self, intended: Instant, pace: Pace) -> Step<String> {
        self.name_key('c');
        let window = self.window.clone();
        window.requests.create(&mut self.out, &self.key, &self.cart, self.who);
        let answer = self.connections[0].exchange(&self.out, pace).await;
        let answer = window.heard("create", intended, &answer)?;
        match (answer.status, self.answered(br#""id":"chk_"#)) {
            (200 | 201, Some(digits)) => Ok(format!("chk_{digits}")),
            (200, None) => Err(Ending::SoldOut),
            _ => Err(window.failed("create", answer, self.body())),
        }
    }

    async fn update(&mut self, id: &str) -> Step<()> {
        self.name_key('u');
        let window = self.window.clone();
        self.cart.iter_mut().for_each(|line| line.quantity += 1);
        window.requests.update(&mut self.out, &self.key, id, &self.cart, self.who);
        let answer = self.step("update").await?;
        if answer.status != 200 {
            return Err(window.failed("update", answer, self.body()));
        }
        let short = memmem::find(self.body(), br#""status":"incomplete""#).is_some();
        if short { Err(Ending::SoldOut) } else { Ok(()) }
    }

    async fn complete(&mut self, id: &str) -> Step<Ending> {
        self.name_key('p');
        let window = self.window.clone();
        window.requests.complete(&mut self.out, &self.key, id);
        let answer = self.step("complete").await?;
        let done = memmem::find(self.body(), br#""status":"completed""#).is_some();
        match self.answered(br#""id":"ord_"#) {
            Some(digits) if answer.status == 200 && done => {
                window.acknowledge(digits, &self.key, &self.cart);
                Ok(Ending::Ordered)
            }
            _ if answer.status == 200 => Err(Ending::NoOrder),
            _ => Err(window.failed("complete", answer, self.body())),
        }
    }

    async fn express(&mut self, intended: Instant) -> Step<Ending> {
        self.name_key('x');
        let window = self.window.clone();
        window.requests.express(&mut self.out, &self.key, &self.cart, (self.who, "success_token"));
        let answer = self.connections[0].exchange(&self.out, Pace::Whole).await;
        let answer = window.heard("express", intended, &answer)?;
        match (answer.status, self.answered(br#""id":"ord_"#)) {
            (201, Some(digits)) => {
                window.acknowledge(digits, &self.key, &self.cart);
                Ok(Ending::Ordered)
            }
            (202, _) => Err(Ending::NoOrder),
            (409, _) if is_sold_out(self.body()) => Err(Ending::SoldOut),
            _ => Err(window.failed("express", answer, self.body())),
        }
    }

    /// A step after the first, tried again while it is refused and the buyer has the patience.
    async fn step(&mut self, name: &'static str) -> Step<Answer> {
        let window = self.window.clone();
        let began = Instant::now();
        let mut retries = window.manners.retries;
        loop {
            let answer = self.connections[0].exchange(&self.out, Pace::Whole).await;
            match answer {
                Ok(Answer { status: 429 | 503, retry_after_ms }) if retries > 0 => {
                    retries -= 1;
                    let asked = Duration::from_millis(retry_after_ms.unwrap_or(100));
                    let spread = self.chance.random_range(0.5..1.0);
                    tokio::time::sleep(asked.min(LONGEST_PAUSE).mul_f64(spread)).await;
                }
                answer => return window.heard(name, began, &answer),
            }
        }
    }

    fn body(&self) -> &[u8] {
        self.connections[0].body()
    }

    fn answered(&self, beginning: &[u8]) -> Option<&str> {
        text_after(self.body(), beginning)
    }

    /// The same request under the same key, many times at once: one order, one answer.
    async fn storm(&mut self, intended: Instant) -> Step<Ending> {
        self.name_key('s');
        let window = self.window.clone();
        let copies = window.manners.copies.max(2) as usize;
        self.connections.resize_with(copies, || Connection::to(window.target.address));
        window.requests.express(&mut self.out, &self.key, &self.cart, (self.who, "success_token"));
        let out = &self.out;
        let sent = self.connections.iter_mut().map(|line| async move {
            let answer = line.exchange(out, Pace::Whole).await?;
            Ok((answer.status, line.body().to_vec()))
        });
        let mut answers = join_all(sent).await;
        answers.push(self.last_word().await);
        let mut first: Option<Vec<u8>> = None;
        for answer in answers {
            match answer.map_err(|error| window.broke("storm", &error))? {
                (201, body) if first.as_ref().is_none_or(|known| *known == body) => {
                    first = Some(body);
                }
                (201, _) => return Err(Ending::TwoAnswers),
                (409, body) if is_sold_out(&body) => return Err(Ending::SoldOut),
                (409, _) => {}
                (429 | 503, _) => return Err(Ending::Refused),
                (status, body) => {
                    let answer = Answer { status, retry_after_ms: None };
                    return Err(window.failed("storm", answer, &body));
                }
            }
        }
        window.took("storm", intended);
        let body = first.ok_or(Ending::NoOrder)?;
        let digits = text_after(&body, br#""id":"ord_"#).ok_or(Ending::NoOrder)?;
        window.acknowledge(digits, &self.key, &self.cart);
        Ok(Ending::OneOrder)
    }

    /// What the key answers once nothing of the storm is in flight any more.
    async fn last_word(&mut self) -> io::Result<(u16, Vec<u8>)> {
        for _ in 0..STORM_QUESTIONS {
            let answer = self.connections[0].exchange(&self.out, Pace::Whole).await?;
            let busy = answer.status == 409 && !is_sold_out(self.body());
            if !busy {
                return Ok((answer.status, self.body().to_vec()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

fn is_sold_out(body: &[u8]) -> bool {
    memmem::find(body, b"out_of_stock").is_some()
}

/// The text between this beginning and the next quotation mark.
pub fn text_after<'a>(body: &'a [u8], beginning: &[u8]) -> Option<&'a str> {
    let start = memmem::find(body, beginning)? + beginning.len();
    let end = start + memchr::memchr(b'"', &body[start..])?;
    std::str::from_utf8(&body[start..end]).ok()
}
