//! The API's description of itself: OpenAPI 3.1 made from the code, and a page to read it.

use axum::Router;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{Shared, tags};

/// The head of the document; paths and types come from the operations.
#[derive(OpenApi)]
#[openapi(info(
    title = "Usher",
    description = "Omnichannel live chat: visitors of a web site talk to agents. Compatible with the Rocket.Chat Omnichannel API."
))]
struct Head;

/// The document, whole.
pub fn document() -> utoipa::openapi::OpenApi {
    tags::router().into_openapi()
}

/// The document as text, for files and pipes.
pub fn document_text() -> String {
    document().to_pretty_json().unwrap_or_else(|error| unreachable!("a document of our own making can be written: {error}"))
}

/// An empty document with everything but paths.
pub(crate) fn head() -> utoipa::openapi::OpenApi {
    let mut document = Head::openapi();
    let components = document.components.get_or_insert_default();
    for (name, header, meaning) in [
        ("userId", "X-User-Id", "The id of a user who is logged in"),
        ("authToken", "X-Auth-Token", "The token that logging in gave"),
    ] {
        let key = ApiKey::Header(ApiKeyValue::with_description(header, meaning));
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
    }
    document
}

/// `/api-docs` and `/api-docs/openapi.json`.
pub(crate) fn router(document: utoipa::openapi::OpenApi) -> Router<Shared> {
    // Otherwise the page sends the document to a validator on somebody else's server.
    let config = Config::default().try_it_out_enabled(true).validator_url("none");
    SwaggerUi::new("/api-docs").url("/api-docs/openapi.json", document).config(config).into()
}
