//! Stripe behind the trait: which calls, in which order.

use async_trait::async_trait;
use std::time::Duration;

use super::{
    Stripe,
    answers::{AUTHORIZATION, authorized, found, unknown},
    calls::Answered,
    declines::decline,
    form::{self, Form},
    wire::{ATTEMPT, ErrorBody, Intent, ORDER, PART, Page, Refund},
};
use crate::{
    base::{AttemptId, Timestamp},
    ledger::row::OperationKind,
    payment::{
        AuthorizeRequest, Authorized, Credential, Decline, DeclineCode, Found, Gateway,
        GatewayFault, Listed, Listing, Lookup, MoneyRequest, Moved, Notification,
        NotificationRefused, Notified, Span,
    },
};

/// Rows of a page: the most that Stripe gives.
const PAGE: usize = 100;

/// Pages of a list that are looked through for one payment: two thousand payments begun within the
/// same few minutes. A shop with more waits until the search knows it.
const PAGES_MAX: usize = 20;

/// Seconds that our clock and Stripe's may be apart when a payment is looked up by time.
const SKEW_SECONDS: i64 = 120;

/// Seconds after which Stripe's search knows every payment: it says "under a minute", and in an
/// outage longer; an hour is safe.
const SEARCHABLE_SECONDS: u64 = 60 * 60;

/// The longest token of Stripe's that we send on.
const TOKEN_BYTES: usize = 255;

#[async_trait]
impl Gateway for Stripe {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn authorization_lasts(&self) -> Option<Duration> {
        Some(AUTHORIZATION)
    }

    fn is_test(&self) -> bool {
        self.settings.is_test()
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        if self.clock.now() > request.not_after {
            return Err(GatewayFault::NotSent("the call came after its deadline".into()));
        }
        let form = match authorize_form(request) {
            Ok(form) => form,
            Err(decline) => return Ok(Authorized::Declined(decline)),
        };
        let answer = self.post("/v1/payment_intents", form, Some(&request.key())).await?;
        match answer {
            Answered::Done(intent) => authorized(&intent, &request.lookup()),
            Answered::Failed(error) => declined(&error, &request.lookup()),
        }
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let path = format!("/v1/payment_intents/{}/capture", id(&request.authorization)?);
        let form = Form::default().with("amount_to_capture", amount(request)?.to_string());
        let key = request.key(OperationKind::Capture);
        match self.post::<Intent>(&path, form, Some(&key)).await? {
            Answered::Done(_) => Ok(Moved::Done),
            // Whoever asked first got no answer, and its key is gone since.
            Answered::Failed(error) => match error.payment_intent.as_deref() {
                Some(intent)
                    if intent.status == "succeeded"
                        && request.part == 0
                        && intent.amount_received == Some(amount(request)?) =>
                {
                    Ok(Moved::Done)
                }
                _ => Err(refused(&error)),
            },
        }
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        match self.cancel(id(&request.authorization)?).await? {
            Answered::Done(_) => Ok(Moved::Done),
            Answered::Failed(error) => match error.payment_intent.as_deref() {
                Some(intent) if intent.status == "canceled" => Ok(Moved::Done),
                // What a partial capture leaves, Stripe lets go by itself.
                Some(intent)
                    if intent.status == "succeeded"
                        && intent.amount_received < Some(intent.amount) =>
                {
                    Ok(Moved::Done)
                }
                _ => Err(refused(&error)),
            },
        }
    }

    /// Looks first: a key is forgotten after a day, and the debt may be older.
    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let intent = id(&request.authorization)?;
        if let Some(refund) = self.refund_of(intent, request).await? {
            return moved(&refund);
        }
        let form = Form::default()
            .with("payment_intent", intent)
            .with("amount", amount(request)?.to_string())
            .with(&format!("metadata[{ATTEMPT}]"), request.reference.to_string())
            .with(&format!("metadata[{PART}]"), request.part.to_string());
        let key = request.key(OperationKind::Refund);
        match self.post::<Refund>("/v1/refunds", form, Some(&key)).await? {
            Answered::Done(refund) => moved(&refund),
            Answered::Failed(error) => Err(refused(&error)),
        }
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        match self.intent_of(lookup).await? {
            Some(intent) => found(&intent, lookup),
            None => Ok(Found::Nothing),
        }
    }

    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        let Some(intent) = self.intent_of(lookup).await? else { return Ok(Found::Nothing) };
        let waits =
            matches!(&*intent.status, "requires_action" | "requires_confirmation" | "processing");
        if !waits {
            return found(&intent, lookup);
        }
        match self.cancel(&intent.id).await? {
            Answered::Done(intent) => found(&intent, lookup),
            // Somebody was faster, and the error says what is true.
            Answered::Failed(_) => match self.intent(&intent.id).await? {
                Some(intent) => found(&intent, lookup),
                None => Err(unknown("a payment that could not be ended is gone")),
            },
        }
    }

    async fn reference_of(&self, known: &str) -> Result<Option<AttemptId>, GatewayFault> {
        Ok(self.intent(id(known)?).await?.and_then(|intent| intent.reference()))
    }

    async fn read(&self, notification: &Notification<'_>) -> Result<Notified, NotificationRefused> {
        self.read_notification(notification)
    }

    async fn list(&self, span: &Span) -> Result<Option<Listing>, GatewayFault> {
        let (from, until) = (seconds(span.from), seconds(span.until));
        let page = self.page(from, until, span.cursor.as_deref()).await?;
        let next = page.has_more.then(|| page.data.last().map(|last| last.id.clone())).flatten();
        let payments = page.data.iter().filter_map(listed).collect();
        Ok(Some(Listing { payments, next }))
    }
}

impl Stripe {
    /// The PaymentIntent of a payment, by the name it is known by, else by ours.
    async fn intent_of(&self, lookup: &Lookup) -> Result<Option<Intent>, GatewayFault> {
        if let Some(known) = &lookup.known {
            return self.intent(id(known)?).await;
        }
        let query = format!("metadata['{ATTEMPT}']:'{}'", lookup.reference);
        let form = Form::default().with("query", query).with("limit", "1");
        // The search runs behind; what it knows is looked at as it is now.
        let hits = self.get::<Page<Intent>>("/v1/payment_intents/search", form).await?;
        if let Answered::Done(Page { data, .. }) = hits
            && let Some(hit) = data.iter().find(|hit| hit.reference() == Some(lookup.reference))
        {
            return self.intent(&hit.id).await;
        }
        match self.listed_as(lookup.reference, lookup.not_after).await? {
            Some(intent) => self.intent(&intent.id).await,
            None => Ok(None),
        }
    }

    /// Looks a payment up in the list, which shows it as soon as it is there.
    async fn listed_as(
        &self,
        reference: AttemptId,
        not_after: Timestamp,
    ) -> Result<Option<Intent>, GatewayFault> {
        let begun = reference.begun_at();
        let (from, until) = (seconds(begun) - SKEW_SECONDS, seconds(not_after) + SKEW_SECONDS);
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = self.page(from, until, cursor.as_deref()).await?;
            cursor = page.data.last().map(|last| last.id.clone());
            let mut intents = page.data.into_iter();
            let ours = intents.find(|intent| intent.reference() == Some(reference));
            if ours.is_some() || !page.has_more || cursor.is_none() {
                return Ok(ours);
            }
        }
        match self.clock.now().since(begun).as_secs() > SEARCHABLE_SECONDS {
            true => Ok(None),
            false => Err(unknown("too many payments began at once to look through now")),
        }
    }

    async fn page(
        &self,
        from: i64,
        until: i64,
        cursor: Option<&str>,
    ) -> Result<Page<Intent>, GatewayFault> {
        let mut form = Form::default()
            .with("created[gte]", from.to_string())
            .with("created[lt]", until.to_string())
            .with("limit", PAGE.to_string())
            .with("expand[]", "data.latest_charge");
        if let Some(cursor) = cursor {
            form = form.with("starting_after", cursor);
        }
        match self.get("/v1/payment_intents", form).await? {
            Answered::Done(page) => Ok(page),
            Answered::Failed(error) => Err(unknown(&words(&error))),
        }
    }

    /// A PaymentIntent as it is now, with its charge.
    async fn intent(&self, id: &str) -> Result<Option<Intent>, GatewayFault> {
        let form = Form::default().with("expand[]", "latest_charge");
        match self.get(&format!("/v1/payment_intents/{id}"), form).await? {
            Answered::Done(intent) => Ok(Some(intent)),
            Answered::Failed(error) if error.code.as_deref() == Some("resource_missing") => {
                Ok(None)
            }
            Answered::Failed(error) => Err(unknown(&words(&error))),
        }
    }

    /// Canceling twice is canceling once, so it has no key: a key would repeat an old error.
    async fn cancel(&self, id: &str) -> Result<Answered<Intent>, GatewayFault> {
        let form = Form::default().with("cancellation_reason", "abandoned");
        self.post(&format!("/v1/payment_intents/{id}/cancel"), form, None).await
    }

    /// The refund of this part, where it is there already.
    async fn refund_of(
        &self,
        intent: &str,
        request: &MoneyRequest,
    ) -> Result<Option<Refund>, GatewayFault> {
        let name = Some((request.reference, request.part));
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut form = Form::default();
            form = form.with("payment_intent", intent).with("limit", PAGE.to_string());
            if let Some(cursor) = &cursor {
                form = form.with("starting_after", cursor);
            }
            let page = match self.get::<Page<Refund>>("/v1/refunds", form).await? {
                Answered::Done(page) => page,
                Answered::Failed(error) => return Err(unknown(&words(&error))),
            };
            cursor = page.data.last().map(|last| last.id.clone());
            let ours = page.data.into_iter().find(|refund| refund.name() == name);
            if ours.is_some() || !page.has_more || cursor.is_none() {
                return Ok(ours);
            }
        }
        Err(unknown("more refunds of one payment than are looked through"))
    }
}

fn authorize_form(request: &AuthorizeRequest) -> Result<Form, Decline> {
    let amount = form::amount(request.amount).ok_or_else(|| {
        Decline::new(DeclineCode::NotPermitted, "amounts in this currency end in a zero")
    })?;
    let mut form = Form::default()
        .with("amount", amount.to_string())
        .with("currency", request.amount.currency().code().to_ascii_lowercase())
        .with("capture_method", "manual")
        .with("confirm", "true")
        .with("return_url", &request.return_url)
        .with("payment_method_types[]", "card")
        .with(&format!("metadata[{ATTEMPT}]"), request.reference.to_string())
        .with(&format!("metadata[{ORDER}]"), request.order.to_string())
        .with("expand[]", "latest_charge");
    if request.authenticate {
        form = form.with("payment_method_options[card][request_three_d_secure]", "any");
    }
    match token(&request.credential) {
        Some(Token::Method(id)) => Ok(form.with("payment_method", id)),
        Some(Token::Card(token)) => Ok(form
            .with("payment_method_data[type]", "card")
            .with("payment_method_data[card][token]", token)),
        None => Err(Decline::new(DeclineCode::InvalidInstrument, "not a token of Stripe")),
    }
}

/// What Stripe takes: a PaymentMethod, or a token of a card.
enum Token<'a> {
    Method(&'a str),
    Card(&'a str),
}

/// Anything else does not leave the house: it may be a card number.
fn token(credential: &Credential) -> Option<Token<'_>> {
    let raw = credential.expose();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if raw.len() > TOKEN_BYTES || !raw.bytes().all(is_plain) {
        return None;
    }
    let is_method = ["pm_", "card_", "src_"].iter().any(|prefix| raw.starts_with(prefix));
    match is_method {
        true => Some(Token::Method(raw)),
        false => raw.starts_with("tok_").then_some(Token::Card(raw)),
    }
}

/// What an authorization that failed came to.
fn declined(error: &ErrorBody, asked: &Lookup) -> Result<Authorized, GatewayFault> {
    match (error.kind.as_deref(), error.code.as_deref(), error.payment_intent.as_deref()) {
        (Some("card_error"), ..) => Ok(Authorized::Declined(decline(error))),
        // The error carries what is true.
        (_, Some("payment_intent_unexpected_state"), Some(intent)) => authorized(intent, asked),
        (_, Some("resource_missing" | "amount_too_small" | "amount_too_large"), None) => {
            Ok(Authorized::Declined(decline(error)))
        }
        (_, _, None) => Err(refused(error)),
        (_, _, Some(intent)) => authorized(intent, asked),
    }
}

/// What a refund came to.
fn moved(refund: &Refund) -> Result<Moved, GatewayFault> {
    match refund.status.as_deref() {
        Some("succeeded") => Ok(Moved::Done),
        Some("failed" | "canceled") => {
            let why = refund.failure_reason.as_deref().unwrap_or("the refund failed");
            Err(GatewayFault::Refused(why.to_owned()))
        }
        _ => Ok(Moved::Accepted),
    }
}

fn listed(intent: &Intent) -> Option<Listed> {
    let amount = intent.money()?;
    let minor = |amount_of: Option<i64>| form::minor(amount_of.unwrap_or(0), amount.currency());
    Some(Listed {
        id: intent.id.clone(),
        reference: intent.reference(),
        amount,
        capturable_minor: minor(intent.amount_capturable),
        captured_minor: minor(intent.amount_received),
        refunded_minor: minor(
            intent.latest_charge.as_ref().and_then(|charge| charge.amount_refunded),
        ),
    })
}

/// An id that goes into a path: nothing else may come of it.
fn id(name: &str) -> Result<&str, GatewayFault> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => Ok(name),
        false => Err(GatewayFault::Refused(format!("`{name}` is no id of Stripe's"))),
    }
}

fn amount(request: &MoneyRequest) -> Result<i64, GatewayFault> {
    form::amount(request.amount)
        .ok_or_else(|| GatewayFault::Refused("amounts in this currency end in a zero".to_owned()))
}

fn refused(error: &ErrorBody) -> GatewayFault {
    GatewayFault::Refused(words(error))
}

fn words(error: &ErrorBody) -> String {
    let code = error.code.as_deref().or(error.kind.as_deref()).unwrap_or("no reason");
    match &error.message {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    }
}

const fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}
