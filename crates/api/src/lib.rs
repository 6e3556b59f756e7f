//! The REST surface of Usher.
//!
//! A handler parses, authorises, calls one use case and renders; who may call it is its first argument. Depends on `services` and
//! `domain`; knows nothing of SQL. One OpenAPI tag is one file in [`tags`].

pub mod access;
mod answer;
mod documentation;
mod error;
pub mod extract;
mod limits;
mod middleware;
mod observation;
mod operation;
pub mod parse;
mod probes;
pub mod tags;

use std::sync::Arc;

use axum::Router;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use usher_services::Services;

pub use documentation::{document, document_text};
pub use error::ApiError;
pub use extract::address::TrustedProxies;
pub use limits::Limits;

/// What every handler works with.
pub struct Api {
    services: Arc<Services>,
    limits: Option<Limits>,
    proxies: TrustedProxies,
    observation: observation::Observation,
}

impl Api {
    /// The surface over `services`. Forwarding headers count only from `proxies`; without `rate_limits` nobody is slowed down.
    pub fn new(services: Arc<Services>, proxies: TrustedProxies, rate_limits: bool) -> Api {
        let limits = rate_limits.then(|| Limits::new(&services.settings, Arc::clone(&services.clock)));
        let observation = observation::Observation::new(Arc::clone(&services));
        Api { services, limits, proxies, observation }
    }

    /// Forgets callers who have not been seen for so long that they have all of their calls back.
    pub fn forget_idle_callers(&self) {
        if let Some(limits) = &self.limits {
            limits.forget_idle();
        }
    }
}

/// What handlers share.
type Shared = Arc<Api>;

/// Everything that is served: the operations, the probes, the documentation.
pub fn router(api: Arc<Api>) -> Router {
    let (operations, document) = tags::router().split_for_parts();
    operations
        .fallback(middleware::unknown_path)
        .method_not_allowed_fallback(middleware::unknown_method)
        .layer(axum::middleware::from_fn(middleware::common_headers))
        .merge(probes::router())
        .merge(documentation::router(document))
        .layer(
            // As one layer: each one more costs every request some memory.
            ServiceBuilder::new()
                .layer(axum::middleware::from_fn_with_state(Arc::clone(&api), middleware::observe))
                .layer(CatchPanicLayer::custom(middleware::after_panic)),
        )
        .with_state(api)
}
