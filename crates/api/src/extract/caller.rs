//! A user who is logged in.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use usher_services::logins::Account;

use super::Input;
use super::input::{count, read};
use crate::access::{Access, DeclaresAccess};
use crate::{ApiError, Shared};

/// A call by the user whose id and login token the request's headers carry. Without both it is refused before anything else is
/// looked at.
pub struct Caller<I = ()> {
    /// Who.
    pub account: Account,
    /// The login token that was presented.
    pub token: String,
    /// What it is called with.
    pub input: I,
}

impl<I> DeclaresAccess for Caller<I> {
    const ACCESS: Access = Access::Caller;
}

impl<I: Input> FromRequest<Shared> for Caller<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shared) -> Result<Caller<I>, ApiError> {
        let token = header(request.headers(), "x-auth-token");
        let user_id = header(request.headers(), "x-user-id");
        let account = api.services.authenticate(user_id, &token).await?.ok_or(ApiError::NotLoggedIn)?;
        let (head, input) = read::<I>(request).await?;
        count(api, &head, &input, api.proxies.client_of(&head))?;
        Ok(Caller { account, token, input })
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
