//! People who log in: what their records may say.

/// Whether a user is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// There.
    Online,
    /// Not at the desk.
    Away,
    /// Does not want to be disturbed.
    Busy,
    /// Not there, or not to be seen.
    Offline,
}

impl UserStatus {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            UserStatus::Online => "online",
            UserStatus::Away => "away",
            UserStatus::Busy => "busy",
            UserStatus::Offline => "offline",
        }
    }

    /// The status called `name`.
    pub fn from_name(name: &str) -> Option<UserStatus> {
        let all = [UserStatus::Online, UserStatus::Away, UserStatus::Busy, UserStatus::Offline];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// Whether an agent takes chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Takes them.
    Available,
    /// Takes none.
    NotAvailable,
}

impl Availability {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Availability::Available => "available",
            Availability::NotAvailable => "not-available",
        }
    }

    /// The one called `name`.
    pub fn from_name(name: &str) -> Option<Availability> {
        [Availability::Available, Availability::NotAvailable].into_iter().find(|availability| availability.name() == name)
    }

    /// The opposite.
    pub fn opposite(self) -> Availability {
        match self {
            Availability::Available => Availability::NotAvailable,
            Availability::NotAvailable => Availability::Available,
        }
    }
}

/// The name of the user in whose name the server itself speaks. It has no password: nobody can log in as it.
pub const SYSTEM_USER: &str = "rocket.cat";

/// The most characters of a user name.
const USERNAME_LIMIT: usize = 128;

/// Whether a user may be called `name`: letters and digits of ASCII, `-`, `_` and `.`.
pub fn is_username(name: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    !name.is_empty() && name.len() <= USERNAME_LIMIT && name.chars().all(is_allowed)
}

/// The names that nobody may have, because they stand for many or for parts of the server.
const RESERVED: [&str; 2] = ["all", "here"];

/// Whether `name` stands for something else.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Whether `text` can be an e-mail address: something, `@`, and a domain. `a@b` is one.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
    let is_domain = domain.split('.').all(|label| !label.is_empty()) && !domain.contains(['<', '>', ',', '"', '\'']);
    !local.is_empty() && is_domain && is_clean && text.len() <= 254 && !local.contains(['@', '<', '>', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_of_few_characters() {
        for name in ["user.test.1700000000000.abc", "A-1_b", "7"] {
            assert!(is_username(name), "{name}");
        }
        for name in ["", "two words", "jürgen", "a/b", "a@b", &"x".repeat(129)] {
            assert!(!is_username(name), "{name}");
        }
        assert!(is_reserved("All") && !is_reserved("allan"));
    }

    #[test]
    fn addresses_have_a_domain() {
        for address in ["a@b", "mary@example.com", "mary+chat@mail.example.com"] {
            assert!(is_email(address), "{address}");
        }
        for address in
            ["", "mary", "@example.com", "mary@", "mary@.com", "mary@example..com", "ma ry@example.com", "a@b@c", "<a@b>"]
        {
            assert!(!is_email(address), "{address}");
        }
    }

    #[test]
    fn statuses_are_found_by_name() {
        assert_eq!(UserStatus::from_name("busy"), Some(UserStatus::Busy));
        assert_eq!(UserStatus::from_name("Busy"), None);
    }

    #[test]
    fn availabilities_are_found_by_name() {
        for availability in [Availability::Available, Availability::NotAvailable] {
            assert_eq!(Availability::from_name(availability.name()), Some(availability));
            assert_eq!(availability.opposite().opposite(), availability);
            assert_ne!(availability.opposite(), availability);
        }
        assert_eq!(Availability::from_name("Available"), None);
    }
}
