//! The REST surface of Usher.
//!
//! A handler parses, authorises, calls one use case and renders; who may call it is its first argument. Depends on `services` and
//! `domain`; knows nothing of SQL. One OpenAPI tag is one file in [`tags`].

pub mod access;
mod answer;
mod avatars;
mod cors;
mod documentation;
mod error;
pub mod extract;
mod files;
mod middleware;
mod observation;
mod operation;
pub mod parse;
mod probes;
pub mod tags;
mod widget;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use usher_services::Services;

pub use documentation::{document, document_text};
pub use error::ApiError;
pub use extract::address::TrustedProxies;

/// What every handler works with.
pub struct Api {
    services: Arc<Services>,
    proxies: TrustedProxies,
    observation: observation::Observation,
    /// The folder with the widget's files.
    widget: Option<PathBuf>,
}

impl Api {
    /// The surface over `services`. Forwarding headers count only from `proxies`.
    pub fn new(services: Arc<Services>, proxies: TrustedProxies) -> Api {
        let observation = observation::Observation::new(Arc::clone(&services));
        Api { services, proxies, observation, widget: None }
    }

    /// The same, with the widget whose files are in `folder`, if there is one.
    pub fn with_widget(self, folder: Option<PathBuf>) -> Api {
        Api { widget: folder, ..self }
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
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&api), middleware::common_headers))
        .merge(avatars::router())
        .merge(files::router())
        .merge(widget::router())
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
