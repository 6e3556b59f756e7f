//! What a supervisor asks: is it alive, can it serve, how is it doing.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::answer::{Answer, json as answer};
use crate::{ApiError, Shared};

/// The probes.
pub fn router() -> Router<Shared> {
    Router::new().route("/health", get(health)).route("/ready", get(ready)).route("/metrics", get(metrics))
}

/// The process is alive.
async fn health() -> Answer {
    answer(StatusCode::OK, &json!({"status": "alive"}))
}

/// Reads and writes are served.
async fn ready(State(api): State<Shared>) -> Answer {
    let can_read = api.services.unsealed_erasures().await.is_ok();
    match (can_read, api.services.store.is_writing()) {
        (true, true) => answer(StatusCode::OK, &json!({"status": "ready"})),
        (false, _) => answer(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "not ready", "reason": "reads fail"})),
        (true, false) => answer(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "not ready", "reason": "writes are refused"})),
    }
}

/// Numbers for Prometheus.
async fn metrics(State(api): State<Shared>) -> Result<Response, ApiError> {
    let unsealed = api.services.unsealed_erasures().await?;
    let text = api.observation.text(unsealed).map_err(|_| ApiError::broken("the metrics could not be written"))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
