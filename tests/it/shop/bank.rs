//! The sandbox gateway behind a line that can be cut, before it acts or after.

use async_trait::async_trait;
use doorbuster::{
    base::{AttemptId, Clock, Money, OrderId, Timestamp},
    payment::{
        AuthorizeRequest, Authorized, Credential, Found, Gateway, GatewayFault, Lookup,
        MoneyRequest, Moved,
        sandbox::{Charge, Sandbox, SandboxSettings},
    },
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::sync::Notify;

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Authorize,
    Capture,
    Void,
    Find,
    End,
}

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It never gets there, and we know.
    NotSent,
    /// It never gets there, and we do not know.
    Lost,
    /// It gets there and acts; the answer is lost.
    Unanswered,
    /// The gateway says that it will never do it.
    Refused,
    /// It waits on the line until told to go on, and then acts, however late it is.
    Late(Arc<Gate>),
    /// The same, but it minds when the call should have come.
    Held(Arc<Gate>),
    /// It acts at once, and the answer waits until told to go on.
    Delayed(Arc<Gate>),
}

/// Where a call waits: the test sees it come and lets it go.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    here: Notify,
    go: Notify,
}

impl Gate {
    async fn pass(&self) {
        self.here.notify_one();
        self.go.notified().await;
    }

    pub(crate) async fn reached(&self) {
        self.here.notified().await;
    }

    pub(crate) fn open(&self) {
        self.go.notify_one();
    }
}

/// The bank: counts calls, and breaks when told to.
pub(crate) struct Bank {
    name: &'static str,
    pub(crate) sandbox: Sandbox,
    troubles: Mutex<Vec<(Call, Trouble)>>,
    calls: Mutex<BTreeMap<Call, usize>>,
}

impl Bank {
    pub(crate) fn open(folder: &Path, clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::named("bank", folder, clock)
    }

    /// One of several.
    pub(crate) fn named(name: &'static str, folder: &Path, clock: Arc<dyn Clock>) -> Arc<Self> {
        let settings = SandboxSettings { slow_ms: 20, client_timeout_ms: 60 };
        let sandbox = Sandbox::open(folder.join(name).with_extension("jsonl"), settings, clock);
        Arc::new(Self {
            name,
            sandbox: sandbox.expect("a new book"),
            troubles: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// The next call of this kind runs into this trouble.
    pub(crate) fn next(&self, call: Call, trouble: Trouble) {
        self.troubles.lock().unwrap().push((call, trouble));
    }

    /// How many calls of a kind there were.
    pub(crate) fn calls(&self, call: Call) -> usize {
        self.calls.lock().unwrap().get(&call).copied().unwrap_or(0)
    }

    /// Everything that was charged.
    pub(crate) fn charges(&self) -> Vec<Charge> {
        self.sandbox.charges()
    }

    /// Authorizations that hold a buyer's money: neither captured nor let go.
    pub(crate) fn open_authorizations(&self) -> usize {
        self.charges().iter().filter(|charge| charge.is_open()).count()
    }

    /// A call that was on the line for long gets there, and the gateway acts on it.
    pub(crate) async fn acts_late(&self, reference: AttemptId, amount: Money) {
        let request = AuthorizeRequest {
            reference,
            order: OrderId::from_uuid(reference.uuid()),
            amount,
            credential: Credential::new("success_token".into()),
            not_after: Timestamp::from_micros(i64::MAX),
            authenticate: false,
            return_url: String::new(),
        };
        self.sandbox.authorize(&request).await.expect("it is approved");
    }

    fn take(&self, call: Call) -> Option<Trouble> {
        *self.calls.lock().unwrap().entry(call).or_default() += 1;
        let mut troubles = self.troubles.lock().unwrap();
        let at = troubles.iter().position(|(of, _)| *of == call)?;
        Some(troubles.remove(at).1)
    }

    async fn through<T>(
        &self,
        call: Call,
        act: impl Future<Output = Result<T, GatewayFault>>,
    ) -> Result<T, GatewayFault> {
        let why = || "the line was cut".to_owned();
        match self.take(call) {
            None => act.await,
            Some(Trouble::NotSent) => Err(GatewayFault::NotSent(why())),
            Some(Trouble::Lost) => Err(GatewayFault::Unknown(why())),
            Some(Trouble::Refused) => Err(GatewayFault::Refused("account_closed".into())),
            Some(Trouble::Unanswered) => {
                act.await?;
                Err(GatewayFault::Unknown(why()))
            }
            Some(Trouble::Late(gate) | Trouble::Held(gate)) => {
                gate.pass().await;
                act.await
            }
            Some(Trouble::Delayed(gate)) => {
                let answer = act.await;
                gate.pass().await;
                answer
            }
        }
    }
}

#[async_trait]
impl Gateway for Bank {
    fn name(&self) -> &str {
        self.name
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        let late = {
            let troubles = self.troubles.lock().unwrap();
            let late = |(of, trouble): &(Call, Trouble)| {
                *of == Call::Authorize && matches!(trouble, Trouble::Late(_))
            };
            troubles.iter().any(late)
        };
        let mut request = request.clone();
        if late {
            // A careless gateway: it takes no notice of when the call should have come.
            request.not_after = Timestamp::from_micros(i64::MAX);
        }
        self.through(Call::Authorize, self.sandbox.authorize(&request)).await
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.through(Call::Capture, self.sandbox.capture(request)).await
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.through(Call::Void, self.sandbox.void(request)).await
    }

    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.sandbox.refund(request).await
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        self.through(Call::Find, self.sandbox.find(lookup)).await
    }

    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        self.through(Call::End, self.sandbox.end(lookup)).await
    }
}
