//! The forms in which clients log in, over REST and over the realtime connection alike.

use serde_json::{Map, Value};
use usher_domain::password::PasswordDigest;

use crate::users::UserChoice;

/// The most characters of a name, a password or a token.
const LIMIT: usize = 1_024;

/// How somebody logs in.
#[derive(Debug, Clone)]
pub enum LoginForm {
    /// By name and password.
    Password {
        /// Who.
        name: UserChoice,
        /// The password.
        password: PasswordDigest,
        /// A code of the second factor.
        code: Option<String>,
    },
    /// By the token of an earlier login, which goes on.
    Resume(String),
}

impl LoginForm {
    /// Reads `user` (a name or address, or an object with one of them), `username` or `email` with `password`; `totp` with a code and
    /// one of these; or `resume`. `None` if it is none of them.
    pub fn read(given: &Map<String, Value>) -> Option<LoginForm> {
        if let Some(totp) = given.get("totp") {
            let LoginForm::Password { name, password, .. } = read_plain(totp.get("login")?.as_object()?)? else { return None };
            return Some(LoginForm::Password { name, password, code: totp.get("code").and_then(bounded) });
        }
        read_plain(given)
    }

    /// What attempts are counted under: the name in lower case, or the token. Tokens cannot be guessed, so each counts for itself, and many
    /// people behind one address can go on at once.
    pub fn name(&self) -> String {
        match self {
            LoginForm::Password { name, .. } => name.text().to_lowercase(),
            LoginForm::Resume(token) => token.clone(),
        }
    }
}

fn read_plain(given: &Map<String, Value>) -> Option<LoginForm> {
    if let Some(token) = given.get("resume") {
        return Some(LoginForm::Resume(bounded(token)?));
    }
    let name = match given.get("user") {
        Some(Value::Object(user)) => named(user)?,
        Some(user) => {
            let user = bounded(user)?;
            if user.contains('@') { UserChoice::Email(user) } else { UserChoice::Username(user) }
        }
        None => named(given)?,
    };
    Some(LoginForm::Password { name, password: password(given.get("password")?)?, code: given.get("code").and_then(bounded) })
}

/// The first of the names that is there; clients send null for those they do not use.
fn named(given: &Map<String, Value>) -> Option<UserChoice> {
    let value = |key: &str| given.get(key).filter(|value| !value.is_null());
    if let Some(username) = value("username") {
        return bounded(username).map(UserChoice::Username);
    }
    if let Some(email) = value("email") {
        return bounded(email).map(UserChoice::Email);
    }
    bounded(value("id")?).map(UserChoice::Id)
}

/// A password in clear, or as the digest that a client computed.
fn password(given: &Value) -> Option<PasswordDigest> {
    match given {
        Value::String(_) => bounded(given).map(|plain| PasswordDigest::of_plain(&plain)),
        Value::Object(object) => {
            let is_known = object.get("algorithm").is_none_or(|algorithm| algorithm == "sha-256");
            let digest = object.get("digest").or_else(|| object.get("hashed")).filter(|_| is_known)?;
            bounded(digest).map(|digest| PasswordDigest::of_client(&digest))
        }
        _ => None,
    }
}

/// A text that can be looked up: not empty, not too long, without NUL.
fn bounded(given: &Value) -> Option<String> {
    let text = given.as_str()?;
    let can_be = !text.is_empty() && !text.contains('\0') && text.chars().nth(LIMIT).is_none();
    can_be.then(|| text.to_owned())
}
