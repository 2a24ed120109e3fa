//! What every request passes on its way in and out: request id, draining, body, admission,
//! deadline, panics, problems, figures.

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use super::{
    body::{self, Body},
    caller::{self, Caller},
    cors::Grant,
    door::Door,
    free_text,
    gate::Place,
    head,
    kinds::Kind,
    problem::{Dialect, Problem, Scene},
    request_id::{self, RequestId},
    signed,
    sliced::sliced,
    timer::{self, Timer},
    trace_context::TraceId,
};
use crate::telemetry::metrics;
use tracing::{Instrument, Span, field};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Bodies arriving at once, per request worked on: they wait for the network, not for us.
const READING_PER_WORKING: usize = 4;

/// All who read what needs no key share one share.
const NOBODY: &str = "";

/// What the answer needs of the request, which is gone by then.
struct Memo {
    door: web::Data<Door>,
    id: Arc<str>,
    trace: Option<TraceId>,
    path: String,
    method: Method,
    dialect: Dialect,
    grant: Grant,
    /// The idempotency key, where the protocol wants it back.
    key: Option<HeaderValue>,
}

/// The middleware around every route.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(door) = request.app_data::<web::Data<Door>>().cloned() else {
        return Err(Problem::fault(Kind::Internal, "no door").into());
    };
    let memo = Memo::of(&request, door);
    let pattern = caller::pattern(&request);
    let span = memo.span(pattern.as_deref());
    within(memo, pattern, request, next).instrument(span).await
}

/// The same within the request's span.
async fn within(
    memo: Memo,
    pattern: Option<String>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let timer = Timer::start();
    if let Some(mut answer) = memo.grant.preflight(&request) {
        memo.name(answer.headers_mut());
        timer.stop(&memo.method, "preflight", answer.status());
        return Ok(request.into_response(answer));
    }
    request.extensions_mut().insert(RequestId(Arc::clone(&memo.id)));
    let _place = match let_in(&mut request, pattern.as_deref(), &memo.door).await {
        Ok(place) => place,
        Err(problem) => {
            let response = memo.write(&problem);
            timer.stop(&memo.method, "refused", response.status());
            return Ok(request.into_response(response));
        }
    };
    head::read_as_get(&mut request);
    let limit = Duration::from_secs(memo.door.limits.request_seconds);
    let work = AssertUnwindSafe(next.call(request)).catch_unwind();
    let response = match tokio::time::timeout(limit, work).await {
        Ok(Ok(Ok(response))) => {
            let response = memo.finish(response.map_into_boxed_body());
            let (request, response) = response.into_parts();
            ServiceResponse::new(request, sliced(response))
        }
        Ok(Ok(Err(error))) => return Err(error),
        Ok(Err(_panic)) => {
            let fault = format!("the handler of {} {} panicked", memo.method, memo.path);
            return Err(memo.fail(Problem::fault(Kind::Internal, fault), timer));
        }
        Err(_elapsed) => {
            let seconds = memo.door.limits.request_seconds;
            let text = format!("No answer within {seconds} seconds; the work goes on.");
            let problem = Problem::new(Kind::DeadlinePassed, text).limit(seconds);
            return Err(memo.fail(problem.suggest("Ask again with the same key."), timer));
        }
    };
    let route = response.request().match_pattern();
    timer.stop(&memo.method, route.as_deref().unwrap_or("unknown"), response.status());
    Ok(response)
}

/// Reads the body and takes a place inside, or says why not.
async fn let_in(
    request: &mut ServiceRequest,
    pattern: Option<&str>,
    door: &Door,
) -> Result<Option<Place>, Problem> {
    door.browsers.hosts.check(request)?;
    let changes = !request.method().is_safe();
    if changes && door.draining.has_begun() {
        return Err(Problem::new(Kind::Draining, "This replica takes no new work."));
    }
    head::check(request)?;
    if pattern.is_some_and(is_watched) {
        return Ok(None);
    }
    if pattern.is_none() && body::is_announced(request) {
        body::spare(request, &door.limits).await;
    }
    caller::admit(request, pattern, door).await?;
    free_text::refuse_card_numbers_in_head(request)?;
    let asks = request.extensions().get::<Caller>().map(|caller| caller.0.clone());
    let asks = asks.unwrap_or_else(|| Arc::from(NOBODY));
    let places = door.limits.in_flight;
    if body::is_announced(request) {
        // A body that nobody will look at is not waited for.
        let crowded = !door.working.would_admit(&asks, places);
        let reading = door.reading.enter(&asks, places * READING_PER_WORKING);
        let Some(_reading) = reading.filter(|_| !crowded) else {
            body::spare(request, &door.limits).await;
            return Err(overloaded());
        };
        let limits = match pattern {
            Some("/v1/models") => &door.limits.for_a_model(),
            _ => &door.limits,
        };
        let bytes = body::read(request, limits).await?;
        request.extensions_mut().insert(Body(bytes));
    }
    signed::check(request, door).await?;
    let place = door.working.enter(&asks, places).ok_or_else(overloaded)?;
    metrics::admission_in_flight(door.working.inside());
    Ok(Some(place))
}

/// Whoever watches the house must get in while it is full.
fn is_watched(pattern: &str) -> bool {
    matches!(pattern, "/healthz" | "/readyz" | "/metrics")
}

fn overloaded() -> Problem {
    metrics::admission_refused();
    Problem::new(Kind::Overloaded, "Too many requests are being worked on; come back shortly.")
}

impl Memo {
    fn of(request: &ServiceRequest, door: web::Data<Door>) -> Self {
        let dialect = Dialect::of(request.request());
        let key = || request.headers().get(IDEMPOTENCY_KEY).cloned();
        Self {
            id: request_id::of(request.headers(), &door),
            trace: TraceId::of(request.headers()),
            path: request.uri().path().to_owned(),
            method: request.method().clone(),
            key: if dialect == Dialect::Acp { key() } else { None },
            grant: door.browsers.cors.grant(request),
            dialect,
            door,
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            base_url: &self.door.site().base_url,
            path: Some(&self.path),
            request_id: Some(&self.id),
            trace_id: self.trace.as_ref().map(TraceId::as_str),
            dialect: self.dialect,
        }
    }

    /// What the log knows of everything that is done for this request. The route is its pattern:
    /// paths may hold what people typed.
    fn span(&self, route: Option<&str>) -> Span {
        tracing::info_span!(
            "request",
            request.id = %self.id,
            trace.id = self.trace.as_ref().map(field::display),
            http.method = %self.method,
            http.route = route,
        )
    }

    /// The problem as an answer, with this request's id.
    fn write(&self, problem: &Problem) -> HttpResponse {
        timer::count(problem);
        if let Some(fault) = problem.what_broke() {
            let (id, method, path) = (&self.id, &self.method, &self.path);
            let trace = self.trace.as_ref().map(field::display);
            tracing::error!(
                request.id = %id, trace.id = trace, http.method = %method, http.path = path,
                fault = %fault, "{method} {path}: {fault}"
            );
        }
        let mut response = problem.response(self.scene());
        self.name(response.headers_mut());
        response.map_body(|_, body| head::body_for(&self.method, body))
    }

    /// Writes the problem a handler ended with, and the request's id in any case.
    fn finish(&self, mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
        if let Some(written) = problem.map(|problem| self.write(problem)) {
            return response.into_response(written);
        }
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            return self.wrong_method(response);
        }
        self.name(response.headers_mut());
        response.map_body(|_, body| head::body_for(&self.method, body))
    }

    /// The framework says which methods there are, and nothing else.
    fn wrong_method(&self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let allowed = head::allowed(response.headers());
        let text = format!("{} is not for this resource.", self.method);
        let mut written = self.write(&Problem::new(Kind::MethodNotAllowed, text));
        if let Some(allowed) = allowed {
            written.headers_mut().insert(ALLOW, allowed);
        }
        response.into_response(written)
    }

    /// Without a response there is no request to attach one to; the error becomes the answer.
    fn fail(&self, problem: Problem, timer: Timer) -> Error {
        let response = self.write(&problem);
        timer.stop(&self.method, "failed", response.status());
        actix_web::error::InternalError::from_response(problem, response).into()
    }

    fn name(&self, headers: &mut HeaderMap) {
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            headers.insert(X_REQUEST_ID, id.clone());
            headers.insert(REQUEST_ID, id);
        }
        self.grant.write(headers);
        if let Some(key) = &self.key {
            headers.insert(IDEMPOTENCY_KEY, key.clone());
        }
    }
}
