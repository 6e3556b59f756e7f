//! Users: people who log in.

pub mod accounts;
pub mod changes;
pub mod list;
pub mod preferences;
pub mod read;
pub mod status;
pub mod tokens;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_domain::password::PasswordDigest;
use usher_services::documents::UserDocument;
use usher_services::users::UserChoice;
use utoipa::ToSchema;

use crate::ApiError;
use crate::parse::schema::Schema;

/// The most characters of a name, an address, a password or an id.
const LIMIT: usize = 1_024;

/// The most characters of what a user says of itself.
const LONG_LIMIT: usize = 10_000;

/// An object of whatever members.
static ANYTHING: Schema = Schema::anything();

/// Which user is meant, as nearly every operation takes it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct UserSelection {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    username: Option<String>,
    user: Option<String>,
}

impl UserSelection {
    /// Whom it says, if it says anybody: the id first, then the names. What is empty says nobody.
    pub fn choice(self) -> Option<UserChoice> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let by_id = given(self.user_id).map(UserChoice::Id);
        by_id.or_else(|| given(self.username).or_else(|| given(self.user)).map(UserChoice::Username))
    }

    /// Whom it says.
    ///
    /// # Errors
    ///
    /// It says nobody.
    pub fn required(self) -> Result<UserChoice, ApiError> {
        self.choice().ok_or_else(|| {
            let told = "The required \"userId\" or \"username\" param was not provided";
            ApiError::coded("error-user-param-not-provided", Some(told))
        })
    }
}

/// A user, whole.
#[derive(Serialize, ToSchema)]
pub struct UserAnswer<'a> {
    user: UserDocument<'a>,
}

/// A password as clients send it: in clear, or as a digest that they computed.
fn password(given: Value) -> Result<Option<PasswordDigest>, ApiError> {
    // What logging in does not take is no password.
    let can_be = |text: &str| text.chars().nth(LIMIT).is_none() && !text.contains('\0');
    match given {
        Value::Null => Ok(None),
        Value::String(plain) if plain.is_empty() => Ok(None),
        Value::String(plain) if can_be(&plain) => Ok(Some(PasswordDigest::of_plain(&plain))),
        Value::Object(object) => match object.get("digest").or_else(|| object.get("hashed")).and_then(Value::as_str) {
            Some(digest) if can_be(digest) => Ok(Some(PasswordDigest::of_client(digest))),
            _ => Err(ApiError::typed_body("must be string".to_owned())),
        },
        _ => Err(ApiError::typed_body("must be string".to_owned())),
    }
}
