//! What a baseline has to do, apart from HTTP and JSON.

use tokio_postgres::error::SqlState;
use uuid::Uuid;

/// The name the client gave its attempt, and a hash of what it asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The idempotency key.
    pub key: String,
    /// The hash.
    pub fingerprint: String,
}

/// A checkout to be opened, with everything that is to be stored of it.
#[derive(Debug)]
pub struct NewCheckout<'a> {
    /// Its id.
    pub id: Uuid,
    /// SKUs, sorted, each once.
    pub skus: Vec<&'a str>,
    /// Units of each.
    pub quantities: Vec<i32>,
    /// Prices of each.
    pub prices: Vec<i64>,
    /// The sum.
    pub total: i64,
    /// The session.
    pub body: String,
    /// What will be answered.
    pub answer: String,
    /// Under which key.
    pub asked: Asked,
}

/// A payment attempt that is about to be made.
#[derive(Debug)]
pub struct NewAttempt {
    /// Its id.
    pub id: Uuid,
    /// The checkout.
    pub checkout: Uuid,
    /// Under which key.
    pub asked: Asked,
}

/// An order whose payment has been authorized.
#[derive(Debug)]
pub struct NewOrder<'a> {
    /// The attempt.
    pub attempt: Uuid,
    /// The checkout.
    pub checkout: Uuid,
    /// What the gateway gave.
    pub authorization: &'a str,
    /// Line by line: SKUs.
    pub skus: Vec<&'a str>,
    /// Line by line: units.
    pub quantities: Vec<i32>,
    /// Line by line: prices.
    pub prices: Vec<i64>,
    /// The sum.
    pub total: i64,
    /// The session, which the order and its event repeat.
    pub body: &'a str,
    /// What will be answered, and its status.
    pub answer: (i32, &'a str),
    /// The event.
    pub event: Uuid,
    /// Under which key.
    pub key: &'a str,
}

/// How a step ended.
#[derive(Debug)]
pub enum Done<T> {
    /// Done; what it gives.
    With(T),
    /// There are not enough units.
    SoldOut,
    /// The checkout is not there, or not open.
    NotOpen,
    /// The key was used before: with the same request, to be answered again, if there is an answer.
    Known(Option<(u16, String)>),
    /// The key was used before for another request.
    Conflict,
}

/// A baseline. Lives on one thread, so its futures need not be `Send`.
#[expect(async_fn_in_trait, reason = "used within this crate alone, each on one thread")]
pub trait Shop: 'static {
    /// Opens a checkout, holding its stock, and keeps the answer under its key.
    async fn create(&self, new: &NewCheckout<'_>) -> anyhow::Result<Done<()>>;

    /// Writes down that a payment is about to be asked for, and pins the holds. Gives the session.
    async fn begin(&self, attempt: &NewAttempt) -> anyhow::Result<Done<String>>;

    /// Writes down that it was authorized: order, lines, event, session, attempt, answer.
    async fn place(&self, order: &NewOrder<'_>) -> anyhow::Result<Done<()>>;

    /// Opens a checkout and begins its payment in one step, for the express lane.
    async fn begin_express(
        &self,
        new: &NewCheckout<'_>,
        attempt: &NewAttempt,
    ) -> anyhow::Result<Done<()>>;
}

/// Whether a row with this key is there already.
pub fn is_taken(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

/// What a known key stands for.
pub fn known<T>(asked: &Asked, row: Option<tokio_postgres::Row>) -> anyhow::Result<Done<T>> {
    let row = row.ok_or_else(|| anyhow::anyhow!("a key is taken and not there"))?;
    if row.try_get::<_, String>(0)? != asked.fingerprint {
        return Ok(Done::Conflict);
    }
    let status: Option<i32> = row.try_get(1)?;
    let body: Option<String> = row.try_get(2)?;
    let answer = status.zip(body).map(|(status, body)| (status.unsigned_abs() as u16, body));
    Ok(Done::Known(answer))
}

/// The statement that looks a key up.
pub const FIND_KEY: &str = "select fingerprint, answer_status, answer_body from idempotency_keys
    where caller = 'shop' and key = $1";
