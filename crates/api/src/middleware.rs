//! What every request passes on its way in and out.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::cors;
use crate::error::Cause;
use crate::{ApiError, Shared};
use usher_services::limits::Allowance;

/// Where a request's extractors note how much of its limit is left.
#[derive(Clone, Default)]
pub struct Spent(Arc<Mutex<Option<Allowance>>>);

impl Spent {
    /// Notes an allowance; the tightest one is told.
    pub fn note(&self, allowance: Allowance) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.is_none_or(|known| allowance.remaining < known.remaining) {
            *noted = Some(allowance);
        }
    }

    fn take(&self) -> Option<Allowance> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The headers of every answer of the API; and the answers to browsers that ask beforehand whether a page may call.
pub async fn common_headers(State(api): State<Shared>, mut request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::answer(request.headers(), &api.services.platform().settings);
    }
    const HEADERS: [(&str, &str); 4] = [
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", cors::ALLOWED_HEADERS),
    ];
    let spent = Spent::default();
    request.extensions_mut().insert(spent.clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(allowance) = spent.take() {
        add_allowance(headers, allowance);
    }
    response
}

fn add_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    headers.insert("x-ratelimit-limit", HeaderValue::from(allowance.limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(allowance.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(allowance.reset));
}

/// Counts and times a request, and writes one line about it: the route's template, never the address that was called, because that
/// holds tokens and ids of clients.
pub async fn observe(State(api): State<Shared>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = api.services.clock.monotonic();
    let response = next.run(request).await;
    let took = api.services.clock.monotonic().saturating_sub(begun);
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let status = response.status().as_u16();
    api.observation.count(method.as_str(), route, status, took);
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => {
            let request_id = api.services.new_id();
            tracing::error!(request_id, %method, route, status, duration_us = took.as_micros() as u64, cause, "request failed");
        }
        None => tracing::debug!(%method, route, status, duration_us = took.as_micros() as u64, "request"),
    }
    response
}

/// The answer where a handler panicked. What the panic said stays here: it may quote anything.
pub fn after_panic(_: Box<dyn Any + Send>) -> Response {
    ApiError::broken("a handler panicked").into_response()
}

/// The answer where there is no such path.
pub async fn unknown_path() -> ApiError {
    ApiError::UnknownPath
}

/// The answer where the path has no such method.
pub async fn unknown_method() -> ApiError {
    ApiError::UnknownMethod
}
