//! A user who is logged in.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use usher_domain::permission::API_BYPASS_RATE_LIMIT;
use usher_services::limits::Limit;
use usher_services::logins::{Account, Shown};

use super::Input;
use super::input::{count, count_all, read};
use crate::access::{Access, DeclaresAccess, LoggedIn, Needs, Requirement, SecondFactor};
use crate::{ApiError, Shared};

/// The most characters of a code that is shown beside a login.
const CODE_LIMIT: usize = 128;

/// A call by the user whose id and login token the request's headers carry. `R` says what the user must hold besides.
///
/// Order: the login, the permissions, the input, the limits, the second factor. Whoever fails at one learns nothing of the next.
pub struct Caller<R = LoggedIn, I = ()> {
    /// Who.
    pub account: Account,
    /// What it is called with.
    pub input: I,
    /// From where.
    pub address: IpAddr,
    /// What was shown beside the login.
    pub shown: Shown,
    requirement: PhantomData<R>,
}

impl<R: Requirement, I> DeclaresAccess for Caller<R, I> {
    const ACCESS: Access = Access::Caller;
    const NEEDS: Needs = R::NEEDS;
}

impl<R: Requirement, I: Input> FromRequest<Shared> for Caller<R, I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shared) -> Result<Caller<R, I>, ApiError> {
        let account = logged_in(request.headers(), api).await?.ok_or(ApiError::NotLoggedIn)?;
        if !R::NEEDS.are_met(&account.user.roles, &api.services.platform().grants) {
            return Err(ApiError::NotPermitted);
        }
        let (head, input) = read::<I>(request).await?;
        let address = api.proxies.client_of(&head);
        limit(api, &head, &input, &account, address)?;
        let shown = shown(&head.headers);
        if R::SECOND_FACTOR != SecondFactor::NotAsked {
            let remembers = R::SECOND_FACTOR == SecondFactor::Asked;
            api.services.confirm(&account, shown.clone(), address, remembers).await?;
        }
        Ok(Caller { account, input, address, shown, requirement: PhantomData })
    }
}

/// Counts the call: against the limits that the operation declares, or else against the one of all operations.
fn limit(api: &Shared, head: &Parts, input: &impl Input, account: &Account, address: IpAddr) -> Result<(), ApiError> {
    if api.services.permits(&account.user, API_BYPASS_RATE_LIMIT) {
        return Ok(());
    }
    let declared = input.counted(address);
    if !declared.is_empty() || input.is_unlimited() {
        return count_all(api, head, declared);
    }
    let route = head.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    count(api, head, (Limit::Calls, format!("{address} {} {route}", head.method)))
}

/// The user whose id and login token the headers carry, if they belong together.
pub(super) async fn logged_in(headers: &HeaderMap, api: &Shared) -> Result<Option<Account>, ApiError> {
    let (token, user_id) = (header(headers, "x-auth-token"), header(headers, "x-user-id"));
    Ok(api.services.authenticate(user_id.to_owned(), token).await?)
}

/// What was shown beside a login.
pub(crate) fn shown(headers: &HeaderMap) -> Shown {
    let code = Some(header(headers, "x-2fa-code")).filter(|code| !code.is_empty() && code.len() <= CODE_LIMIT);
    Shown { code: code.map(str::to_owned), is_password: header(headers, "x-2fa-method") == "password" }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
