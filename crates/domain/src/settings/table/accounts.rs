//! Accounts of users: registration, what users may change of themselves, logins, second factors and avatars.

settings! {
    "Accounts" / "" {
        ANONYMOUS_READ = boolean("Accounts_AllowAnonymousRead", false) [public], "Public channels may be read without a login.";
        PROFILE_CHANGE = boolean("Accounts_AllowUserProfileChange", true) [public], "Users may change their own profile.";
        USERNAME_CHANGE = boolean("Accounts_AllowUsernameChange", true) [public], "Users may change their user name.";
        NAME_CHANGE = boolean("Accounts_AllowRealNameChange", true) [public], "Users may change their name.";
        EMAIL_CHANGE = boolean("Accounts_AllowEmailChange", true) [public], "Users may change their e-mail address.";
        PASSWORD_CHANGE = boolean("Accounts_AllowPasswordChange", true) [public], "Users may change their password.";
        STATUS_MESSAGE_CHANGE = boolean("Accounts_AllowUserStatusMessageChange", true) [public],
            "Users may say something beside their status.";
        INVISIBLE_STATUS = boolean("Accounts_AllowInvisibleStatusOption", true) [public],
            "Users may appear offline while they are there.";
        LOGIN_EXPIRATION_DAYS = integer("Accounts_LoginExpiration", 90) [public], "How many days a login lasts.";
    }
    "Accounts" / "Registration" {
        REGISTRATION = select("Accounts_RegistrationForm", "Public", &["Public", "Disabled", "Secret URL"]) [public],
            "Who may register an account: everybody, nobody, or whoever knows a secret address.";
        REGISTRATION_SECRET = text("Accounts_RegistrationForm_SecretURL", "") [secret],
            "The last part of the secret address to register at.";
        MANUAL_APPROVAL = boolean("Accounts_ManuallyApproveNewUsers", false) [public],
            "New accounts are off until an administrator turns them on.";
        NAME_REQUIRED = boolean("Accounts_RequireNameForSignUp", true) [public], "Whoever registers an account has to give a name.";
        EMAIL_VERIFICATION = boolean("Accounts_EmailVerification", false) [public],
            "Users cannot log in before they have verified their e-mail address.";
        DEFAULT_ROLES = text("Accounts_Registration_Users_Default_Roles", "user"),
            "The roles of new accounts, with commas between them.";
        CUSTOM_USER_FIELDS = code("Accounts_CustomFields", "") [public],
            "The custom fields of accounts as JSON; those marked `sendToIntegrations` are part of webhooks.";
    }
    "Accounts" / "Two Factor Authentication" {
        TWO_FACTOR = boolean("Accounts_TwoFactorAuthentication_Enabled", true) [public],
            "Users may protect their account by a second factor.";
        TWO_FACTOR_TOLERANCE = integer("Accounts_TwoFactorAuthentication_MaxDelta", 1),
            "By how many steps of 30 seconds the clock of a code may be off.";
        TWO_FACTOR_PASSWORD_FALLBACK = boolean("Accounts_TwoFactorAuthentication_Enforce_Password_Fallback", false),
            "Users without a second factor are asked for their password before delicate changes.";
        TWO_FACTOR_REMEMBERED_SECONDS = integer("Accounts_TwoFactorAuthentication_RememberFor", 1800),
            "For how many seconds a second factor is not asked for again.";
    }
    "Accounts" / "Login_Attempts" {
        BLOCK_FAILED_LOGINS = boolean("Block_Multiple_Failed_Logins_Enabled", true),
            "Whoever fails to log in too often has to wait.";
        BLOCK_BY_USER = boolean("Block_Multiple_Failed_Logins_By_User", true), "Failed logins are counted for each user name.";
        BLOCK_USER_ATTEMPTS = integer("Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User", 10),
            "How many failed logins with one user name are one too many.";
        BLOCK_USER_MINUTES = integer("Block_Multiple_Failed_Logins_Time_To_Unblock_By_User_In_Minutes", 5),
            "How many minutes a user name has to wait.";
        BLOCK_BY_ADDRESS = boolean("Block_Multiple_Failed_Logins_By_Ip", true), "Failed logins are counted for each address.";
        BLOCK_ADDRESS_ATTEMPTS = integer("Block_Multiple_Failed_Logins_Attempts_Until_Block_By_Ip", 50),
            "How many failed logins from one address are one too many.";
        BLOCK_ADDRESS_MINUTES = integer("Block_Multiple_Failed_Logins_Time_To_Unblock_By_Ip_In_Minutes", 5),
            "How many minutes an address has to wait.";
        BLOCK_EXEMPT_ADDRESSES = text("Block_Multiple_Failed_Logins_Ip_Whitelist", ""),
            "The addresses that never have to wait, with commas between them.";
    }
    "Accounts" / "Avatar" {
        AVATAR_CACHE_SECONDS = integer("Accounts_AvatarCacheTime", 3600), "For how many seconds browsers keep an avatar.";
        AVATAR_PROTECTED = boolean("Accounts_AvatarBlockUnauthenticatedAccess", false) [public],
            "Avatars are given only to users and to visitors of the widget.";
    }
}
