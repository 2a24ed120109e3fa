//! Connections to PostgreSQL: opened before the doors open, statements prepared, none tested before
//! it is used. Each HTTP thread has its own, so that nothing crosses threads.

use anyhow::Context;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, NoTls, Statement};

/// A connection with its prepared statements.
pub struct Wire<S> {
    /// The connection.
    pub client: Client,
    /// Its statements.
    pub statements: S,
    busy: Cell<usize>,
}

/// The connections of one thread.
pub struct Lines<S> {
    wires: Vec<Rc<Wire<S>>>,
    idle: RefCell<Vec<Rc<Wire<S>>>>,
    free: Semaphore,
}

/// A connection that somebody has for themselves, until they drop it.
pub struct Taken<'a, S> {
    lines: &'a Lines<S>,
    wire: Option<Rc<Wire<S>>>,
    _permit: SemaphorePermit<'a>,
}

/// A connection that others may use at the same time: what is sent by several is worked on one
/// after the other, each a transaction of its own.
pub struct Shared<S>(Rc<Wire<S>>);

impl<S> Lines<S> {
    /// Opens so many connections and prepares on each what `prepare` says.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn open(
        url: &str,
        count: usize,
        prepare: impl AsyncFn(&Client) -> Result<S, tokio_postgres::Error>,
    ) -> anyhow::Result<Self> {
        let mut wires = Vec::new();
        for _ in 0..count.max(1) {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.context("cannot connect")?;
            actix_web::rt::spawn(async move {
                // The client's next call tells what went wrong.
                let _ended = connection.await;
            });
            let statements = prepare(&client).await.context("cannot prepare")?;
            wires.push(Rc::new(Wire { client, statements, busy: Cell::new(0) }));
        }
        let free = Semaphore::new(wires.len());
        Ok(Self { idle: RefCell::new(wires.clone()), wires, free })
    }

    /// Waits for a connection to have alone, for a transaction of several round trips.
    pub async fn take(&self) -> Taken<'_, S> {
        let permit = self.free.acquire().await.expect("it is never closed");
        let wire = self.idle.borrow_mut().pop();
        Taken { lines: self, wire, _permit: permit }
    }

    /// The least busy connection, for single statements: they are sent at once and queue at the
    /// server, which begins the next without waiting for us.
    pub fn share(&self) -> Shared<S> {
        let wire = self.wires.iter().min_by_key(|wire| wire.busy.get());
        let wire = wire.expect("there is at least one").clone();
        wire.busy.set(wire.busy.get() + 1);
        Shared(wire)
    }
}

impl<S> std::ops::Deref for Taken<'_, S> {
    type Target = Wire<S>;
    fn deref(&self) -> &Wire<S> {
        self.wire.as_ref().expect("it is there until it is dropped")
    }
}

impl<S> Drop for Taken<'_, S> {
    fn drop(&mut self) {
        self.lines.idle.borrow_mut().extend(self.wire.take());
    }
}

impl<S> std::ops::Deref for Shared<S> {
    type Target = Wire<S>;
    fn deref(&self) -> &Wire<S> {
        &self.0
    }
}

impl<S> Drop for Shared<S> {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
    }
}

/// Prepares several statements at once.
///
/// # Errors
/// When the database refuses one.
pub async fn prepare<const N: usize>(
    client: &Client,
    texts: [&str; N],
) -> Result<[Statement; N], tokio_postgres::Error> {
    let prepared =
        futures_util::future::try_join_all(texts.map(|text| client.prepare(text))).await?;
    Ok(prepared.try_into().unwrap_or_else(|_| unreachable!("as many come out as go in")))
}
