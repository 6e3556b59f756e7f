//! Methods: what clients call by name, over the realtime connection or by REST. One dispatcher serves both, over the same use cases
//! as all of REST.
//!
//! A method takes a list of parameters and gives a value or nothing. Moments are `{"$date": milliseconds}` in both directions.

mod error;
mod parameters;
mod platform;
mod session;
mod visitor;

use std::net::IpAddr;

use serde_json::Value;

use crate::Services;
use crate::limits::Limit;
use crate::logins::{Account, Shown};

pub use error::MethodError;
use parameters::Parameters;

/// What a method gives: a value, or nothing.
pub type Outcome = Result<Option<Value>, MethodError>;

/// A call.
#[derive(Debug, Clone)]
pub struct MethodCall {
    /// Who calls, if somebody is logged in.
    pub account: Option<Account>,
    /// From where.
    pub address: IpAddr,
    /// What was shown beside the login.
    pub shown: Shown,
    /// The name of the method.
    pub name: String,
    /// The parameters.
    pub parameters: Vec<Value>,
}

/// Declares the methods: a variant each, its name on the wire, and whether newer servers do without it.
macro_rules! methods {
    ($($(#[$attribute:meta])* $variant:ident = $name:literal $($old:ident)?;)*) => {
        /// The methods there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Method {
            $($(#[$attribute])* $variant,)*
        }

        impl Method {
            /// Every method.
            pub const ALL: &[Method] = &[$(Method::$variant),*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Method::$variant => $name,)*
                }
            }

            /// Whether newer servers do without it, so that only older clients call it.
            pub fn is_old(self) -> bool {
                match self {
                    $(Method::$variant => false $(|| is_old(stringify!($old)))?,)*
                }
            }
        }
    };
}

fn is_old(word: &str) -> bool {
    word == "old"
}

methods! {
    /// Logs in.
    LogIn = "login";
    /// Ends the login.
    LogOut = "logout";
    /// Says whether the caller is there.
    SetUserStatus = "setUserStatus";
    /// The same, until said otherwise.
    SetDefaultStatus = "UserPresence:setDefaultStatus";
    /// Begins to set a second factor up.
    EnrolTotp = "2fa:enable";
    /// Makes it count.
    EnableTotp = "2fa:validateTempToken";
    /// Takes it away.
    DisableTotp = "2fa:disable";
    /// Gives new backup codes.
    RenewBackupCodes = "2fa:regenerateCodes";
    /// Tells how many are left.
    CountBackupCodes = "2fa:checkCodesRemaining";
    /// The permissions.
    Permissions = "permissions/get";
    /// The settings that everybody may see.
    PublicSettings = "public-settings/get";
    /// The settings.
    PrivateSettings = "private-settings/get";
    /// Changes settings.
    SaveSettings = "saveSettings";
    /// Registers a visitor.
    RegisterGuest = "livechat:registerGuest" old;
    /// Tells whether a visitor is known.
    LoginByToken = "livechat:loginByToken" old;
    /// Posts a visitor's message.
    SendVisitorMessage = "sendMessageLivechat" old;
    /// Reads a visitor's history.
    LoadVisitorHistory = "livechat:loadHistory" old;
}

impl Method {
    /// The method called `name`.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.iter().copied().find(|method| method.name() == name)
    }
}

impl Services {
    /// Calls a method.
    ///
    /// # Errors
    ///
    /// There is no such method, it was called too often, its parameters are none, or its use case refuses.
    pub async fn call_method(&self, call: MethodCall) -> Outcome {
        let method = Method::from_name(&call.name).ok_or_else(|| MethodError::Unknown(call.name.clone()))?;
        self.count_method(&call)?;
        let parameters = Parameters(call.parameters);
        let (account, address) = (call.account, call.address);
        let caller = || account.clone().ok_or(MethodError::NotLoggedIn);
        match method {
            Method::LogIn => session::log_in(self, parameters, address).await,
            Method::LogOut => session::log_out(self, account).await,
            Method::SetUserStatus => session::set_status(self, caller()?, parameters).await,
            Method::SetDefaultStatus => session::set_default_status(self, caller()?, parameters).await,
            Method::EnrolTotp => session::enrol_totp(self, caller()?).await,
            Method::EnableTotp => session::enable_totp(self, caller()?, parameters).await,
            Method::DisableTotp => session::disable_totp(self, caller()?, parameters, address).await,
            Method::RenewBackupCodes => session::renew_backup_codes(self, caller()?, parameters, address).await,
            Method::CountBackupCodes => session::count_backup_codes(self, caller()?).await,
            Method::Permissions => platform::permissions(self, caller()?, parameters).await,
            Method::PublicSettings => platform::public_settings(self, parameters).await,
            Method::PrivateSettings => platform::private_settings(self, caller()?, parameters).await,
            Method::SaveSettings => platform::save_settings(self, caller()?, parameters, call.shown, address).await,
            Method::RegisterGuest => visitor::register(self, parameters, address).await,
            Method::LoginByToken => visitor::log_in(self, parameters).await,
            Method::SendVisitorMessage => visitor::send_message(self, parameters).await,
            Method::LoadVisitorHistory => visitor::load_history(self, parameters).await,
        }
    }

    /// Counts a call against the limits of methods.
    fn count_method(&self, call: &MethodCall) -> Result<(), MethodError> {
        self.count(Limit::MethodsPerAddress, &call.address.to_string())?;
        if let Some(account) = &call.account {
            let user_id = &account.user.id;
            self.count(Limit::MethodsPerUser, user_id)?;
            self.count(Limit::MethodPerUser, &format!("{user_id} {}", call.name))?;
        }
        Ok(())
    }

    fn count(&self, limit: Limit, whom: &str) -> Result<(), MethodError> {
        let Some(limits) = &self.limits else { return Ok(()) };
        limits.count(limit, whom, &self.platform().settings).map(|_| ()).map_err(MethodError::TooMany)
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn methods_are_found_by_name() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(*method));
        }
        assert_eq!(Method::from_name("Login"), None);
        assert!(Method::LoginByToken.is_old() && !Method::LogIn.is_old());
    }
}
