//! People who log in: their records and roles.

use usher_domain::message::Author;
use usher_domain::user::Availability;
use usher_domain::{Event, RoleEvent, UserEvent, UserEventKind};

use super::page::first_pages;
use super::statement::{self, Statement, containing};
use super::statements;
use crate::{Row, StoreError, Tx, Value, values};

/// A user with all that is kept of it, and what `more` adds.
macro_rules! select {
    ($more:literal, $from:literal) => {
        concat!(
            "SELECT users.id, users.username, users.kind, users.email, users.email_verified, users.name, users.nickname, users.bio,
                    users.password_hash, users.active, users.status, users.status_default, users.status_text, users.preferences,
                    users.custom_fields, users.password_change_required, users.password_change_reason, users.registration_reason,
                    users.last_login_at, users.status_updated_at, users.created_at, users.updated_at,
                    users.availability, users.unavailable_by_system, users.agent_data,
                    (SELECT string_agg(role, ',') FROM user_roles WHERE user_roles.user_id = users.id)",
            $more,
            " FROM ",
            $from
        )
    };
}

statements! {
    BY_ID = select!("", "users WHERE id = ?1");
    BY_USERNAME = select!("", "users WHERE username_key = ?1");
    BY_EMAIL = select!("", "users WHERE email_key = ?1");
    BY_LOGIN_TOKEN = select!(
        ", token.name, token.bypasses_second_factor, token.confirmed_at, token.created_at",
        "login_tokens AS token JOIN users ON users.id = token.user_id
         WHERE token.token_hash = ?1 AND token.user_id = ?2 AND (token.created_at > ?3 OR token.name IS NOT NULL)"
    );
    BY_ANY_LOGIN_TOKEN = select!(
        ", token.name, token.bypasses_second_factor, token.confirmed_at, token.created_at",
        "login_tokens AS token JOIN users ON users.id = token.user_id
         WHERE token.token_hash = ?1 AND (token.created_at > ?2 OR token.name IS NOT NULL)"
    );
    ANY_PERSON = "SELECT 1 FROM users WHERE kind = 'user' LIMIT 1";
    INSERT = "INSERT INTO users (id, username, username_key, kind, email, email_key, email_verified, name, name_key, nickname, bio,
                  password_hash, active, status, status_default, status_text, preferences, custom_fields, password_change_required,
                  password_change_reason, registration_reason, status_updated_at, created_at, updated_at, availability,
                  unavailable_by_system, agent_data)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
                  ?25, ?26, ?27)";
    UPDATE = "UPDATE users SET username = ?2, username_key = ?3, kind = ?4, email = ?5, email_key = ?6, email_verified = ?7, name = ?8,
                  name_key = ?9, nickname = ?10, bio = ?11, password_hash = ?12, active = ?13, status = ?14, status_default = ?15,
                  status_text = ?16, preferences = ?17, custom_fields = ?18, password_change_required = ?19,
                  password_change_reason = ?20, registration_reason = ?21, status_updated_at = ?22, updated_at = ?24,
                  availability = ?25, unavailable_by_system = ?26, agent_data = ?27
              WHERE id = ?1 AND created_at = ?23";
    DELETE = "DELETE FROM users WHERE id = ?1";
    ADD_ROLE = "INSERT INTO user_roles (user_id, role) VALUES (?1, ?2)";
    REMOVE_ROLE = "DELETE FROM user_roles WHERE user_id = ?1 AND role = ?2";
    REMOVE_ROLES = "DELETE FROM user_roles WHERE user_id = ?1 RETURNING role";
    COUNT_ACTIVE_WITH_ROLE = "SELECT COUNT(*) FROM user_roles JOIN users ON users.id = user_roles.user_id
                              WHERE user_roles.role = ?1 AND users.active";
    SET_PASSWORD = "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1";
    LOGGED_IN = "UPDATE users SET last_login_at = ?2 WHERE id = ?1";
    THERE = select!("", "users WHERE active AND status <> 'offline' ORDER BY username_key LIMIT 10000");
    WITH_STATUS_SINCE = select!("", "users WHERE status_updated_at > ?1 ORDER BY status_updated_at LIMIT 10000");
}

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: String,
    /// The user name.
    pub username: String,
    /// `user` or `bot`.
    pub kind: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the address is known to be the user's.
    pub email_verified: bool,
    /// The display name.
    pub name: Option<String>,
    /// Another name.
    pub nickname: Option<String>,
    /// What the user says of itself.
    pub bio: Option<String>,
    /// The slow hash of the password's digest; empty for one that cannot log in with a password.
    pub password_hash: String,
    /// Whether the user may log in.
    pub active: bool,
    /// Whether the user is there.
    pub status: String,
    /// What the user chose to be.
    pub status_default: String,
    /// What the user says of its status.
    pub status_text: String,
    /// Preferences that differ from the defaults: a JSON object.
    pub preferences: String,
    /// Custom fields: a JSON object.
    pub custom_fields: String,
    /// Whether the user has to choose another password.
    pub password_change_required: bool,
    /// Why.
    pub password_change_reason: Option<String>,
    /// Why the user wants to be let in.
    pub registration_reason: Option<String>,
    /// Whether the agent takes chats; `None` for users who are no agents.
    pub availability: Option<Availability>,
    /// Whether it was the server that made the agent take no chats.
    pub unavailable_by_system: bool,
    /// What administrators keep of the agent: a JSON object.
    pub agent_data: Option<String>,
    /// When the user last logged in (milliseconds UTC).
    pub last_login_at: Option<i64>,
    /// When status or status text last changed (milliseconds UTC).
    pub status_updated_at: i64,
    /// When the user came into being (milliseconds UTC).
    pub created_at: i64,
    /// When the record last changed (milliseconds UTC).
    pub updated_at: i64,
    /// The roles, in the order of their ids.
    pub roles: Vec<String>,
}

impl From<&User> for Author {
    fn from(user: &User) -> Author {
        let User { id, username, name, .. } = user;
        Author { id: id.clone(), username: username.clone(), name: name.clone(), is_visitor: false }
    }
}

impl User {
    /// Somebody of whom nothing is known but that it came into being now: an active user who is not there and holds no role.
    pub fn new(id: String, now: i64) -> User {
        User {
            id,
            username: String::new(),
            kind: "user".to_owned(),
            email: None,
            email_verified: false,
            name: None,
            nickname: None,
            bio: None,
            password_hash: String::new(),
            active: true,
            status: "offline".to_owned(),
            status_default: "online".to_owned(),
            status_text: String::new(),
            preferences: "{}".to_owned(),
            custom_fields: "{}".to_owned(),
            password_change_required: false,
            password_change_reason: None,
            registration_reason: None,
            availability: None,
            unavailable_by_system: false,
            agent_data: None,
            last_login_at: None,
            status_updated_at: now,
            created_at: now,
            updated_at: now,
            roles: Vec::new(),
        }
    }
}

/// The login whose token was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whether it is a personal access token.
    pub is_personal: bool,
    /// Whether the second factor is not asked for.
    pub bypasses_second_factor: bool,
    /// When the second factor was last shown (milliseconds UTC).
    pub confirmed_at: Option<i64>,
    /// When it began (milliseconds UTC).
    pub begun_at: i64,
}

/// The user with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The users with these ids, in no order.
pub fn by_ids(tx: &mut Tx<'_>, ids: &[&str]) -> Result<Vec<User>, StoreError> {
    statement::by_ids(tx, select!("", "users WHERE"), ids, read)
}

/// The user with this name, compared without regard to case.
pub fn by_username(tx: &mut Tx<'_>, username: &str) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_USERNAME, values![username.to_lowercase().as_str()], read)
}

/// The user with this e-mail address, compared without regard to case.
pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>, StoreError> {
    tx.query_optional(BY_EMAIL, values![email.to_lowercase().as_str()], read)
}

/// The user who logged in with the token of this hash after `since`.
pub fn by_login_token(tx: &mut Tx<'_>, token_hash: &str, user_id: &str, since: i64) -> Result<Option<(User, Session)>, StoreError> {
    tx.query_optional(BY_LOGIN_TOKEN, values![token_hash, user_id, since], read_with_session)
}

/// The user, whoever it is, who logged in with the token of this hash after `since`.
pub fn by_any_login_token(tx: &mut Tx<'_>, token_hash: &str, since: i64) -> Result<Option<(User, Session)>, StoreError> {
    tx.query_optional(BY_ANY_LOGIN_TOKEN, values![token_hash, since], read_with_session)
}

/// Whether there is any user but those that the server itself made.
pub fn any_person(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.query_optional(ANY_PERSON, values![], |_| Ok(()))?.is_some())
}

/// Adds a user with its roles.
pub fn insert(tx: &mut Tx<'_>, user: &User) -> Result<(), StoreError> {
    store(tx, INSERT, user)?;
    user.roles.iter().try_for_each(|role| hold(tx, &user.id, role))?;
    announce(tx, &user.id, UserEventKind::Record);
    user.roles.iter().for_each(|role| announce_role(tx, &user.id, role, true));
    Ok(())
}

/// Stores a user that exists anew, without its roles, and announces what of it changed.
pub fn update(tx: &mut Tx<'_>, user: &User, what: UserEventKind) -> Result<(), StoreError> {
    store(tx, UPDATE, user)?;
    announce(tx, &user.id, what);
    Ok(())
}

/// Announces that something of a user changed.
pub(super) fn announce(tx: &mut Tx<'_>, user_id: &str, kind: UserEventKind) {
    tx.emit(Event::User(UserEvent { user_id: user_id.to_owned(), kind }));
}

fn store(tx: &mut Tx<'_>, sql: &str, user: &User) -> Result<(), StoreError> {
    let email_key = user.email.as_ref().map(|email| email.to_lowercase());
    let name_key = user.name.as_deref().unwrap_or_default().to_lowercase();
    tx.execute_one(
        sql,
        values![
            &user.id,
            &user.username,
            user.username.to_lowercase().as_str(),
            &user.kind,
            &user.email,
            &email_key,
            user.email_verified,
            &user.name,
            &name_key,
            &user.nickname,
            &user.bio,
            &user.password_hash,
            user.active,
            &user.status,
            &user.status_default,
            &user.status_text,
            &user.preferences,
            &user.custom_fields,
            user.password_change_required,
            &user.password_change_reason,
            &user.registration_reason,
            user.status_updated_at,
            user.created_at,
            user.updated_at,
            user.availability.map(Availability::name),
            user.unavailable_by_system,
            &user.agent_data,
        ],
    )
}

/// Deletes a user and its roles. What else belongs to it is deleted by whoever calls.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    remove_roles(tx, id)?;
    tx.execute_one(DELETE, values![id])?;
    announce(tx, id, UserEventKind::Removed);
    Ok(())
}

/// Gives a user a role it does not hold.
pub fn add_role(tx: &mut Tx<'_>, user_id: &str, role: &str) -> Result<(), StoreError> {
    hold(tx, user_id, role)?;
    announce(tx, user_id, UserEventKind::Record);
    announce_role(tx, user_id, role, true);
    Ok(())
}

fn hold(tx: &mut Tx<'_>, user_id: &str, role: &str) -> Result<(), StoreError> {
    tx.execute_one(ADD_ROLE, values![user_id, role])
}

/// Takes all roles from a user. Gives which.
fn remove_roles(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<String>, StoreError> {
    tx.query(REMOVE_ROLES, values![user_id], |row| row.text(0))
}

/// Takes a role from a user who holds it.
pub fn remove_role(tx: &mut Tx<'_>, user_id: &str, role: &str) -> Result<(), StoreError> {
    tx.execute_one(REMOVE_ROLE, values![user_id, role])?;
    announce(tx, user_id, UserEventKind::Record);
    announce_role(tx, user_id, role, false);
    Ok(())
}

/// Makes a user hold exactly these roles.
pub fn set_roles(tx: &mut Tx<'_>, user_id: &str, roles: &[String]) -> Result<(), StoreError> {
    let before = remove_roles(tx, user_id)?;
    roles.iter().try_for_each(|role| hold(tx, user_id, role))?;
    announce(tx, user_id, UserEventKind::Record);
    before.iter().filter(|role| !roles.contains(role)).for_each(|role| announce_role(tx, user_id, role, false));
    roles.iter().filter(|role| !before.contains(role)).for_each(|role| announce_role(tx, user_id, role, true));
    Ok(())
}

fn announce_role(tx: &mut Tx<'_>, user_id: &str, role: &str, is_held: bool) {
    tx.emit(Event::Role(RoleEvent { user_id: user_id.to_owned(), role_id: role.to_owned(), is_held }));
}

/// How many users who may log in hold the role.
pub fn count_active_with_role(tx: &mut Tx<'_>, role: &str) -> Result<i64, StoreError> {
    tx.query_one(COUNT_ACTIVE_WITH_ROLE, values![role], |row| row.integer(0))
}

/// Stores another password hash.
pub fn set_password(tx: &mut Tx<'_>, user_id: &str, password_hash: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(SET_PASSWORD, values![user_id, password_hash, now])
}

/// Remembers that a user logged in.
pub fn logged_in(tx: &mut Tx<'_>, user_id: &str, now: i64) -> Result<(), StoreError> {
    tx.execute_one(LOGGED_IN, values![user_id, now])
}

/// Users who may log in and are not away altogether, by user name.
pub fn there(tx: &mut Tx<'_>) -> Result<Vec<User>, StoreError> {
    tx.query(THERE, values![], read)
}

/// Users whose status changed after `since`.
pub fn with_status_since(tx: &mut Tx<'_>, since: i64) -> Result<Vec<User>, StoreError> {
    tx.query(WITH_STATUS_SINCE, values![since], read)
}

/// Which users are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Whether they may log in.
    pub active: Option<bool>,
    /// Whether they have ever logged in.
    pub has_logged_in: Option<bool>,
    /// `user` or `bot`.
    pub kind: Option<String>,
    /// They hold one of these roles.
    pub roles: Vec<String>,
    /// Name, user name or e-mail address contains this, without regard to case.
    pub term: Option<String>,
    /// They have one of these ids.
    pub ids: Vec<String>,
    /// Their user name is none of these.
    pub except: Vec<String>,
    /// They have not this id.
    pub except_id: Option<String>,
    /// They are agents who say this of themselves.
    pub availability: Option<Availability>,
    /// They are there, or programs.
    pub are_there: bool,
}

/// The order of a list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By user name.
    #[default]
    Username,
    /// By display name.
    Name,
    /// By the time they came into being.
    CreatedAt,
}

/// Which part of a list is wanted, in which order.
pub type Page = super::Page<Order>;

/// One page of the users that are wanted.
pub fn list(tx: &mut Tx<'_>, wanted: &Wanted, page: &Page) -> Result<Vec<User>, StoreError> {
    let pattern = wanted.term.as_deref().map(containing);
    let statement = listing(wanted, pattern.as_deref(), Some(page));
    tx.query(statement.sql(), statement.values(), read)
}

/// How many users are wanted.
pub fn count(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<i64, StoreError> {
    let pattern = wanted.term.as_deref().map(containing);
    let statement = listing(wanted, pattern.as_deref(), None);
    tx.query_one(statement.sql(), statement.values(), |row| row.integer(0))
}

/// The page of a list, or without one its length.
fn listing<'a>(wanted: &'a Wanted, pattern: Option<&'a str>, page: Option<&Page>) -> Statement<'a> {
    const LISTED: &str = select!("", "users WHERE TRUE");
    let mut statement = Statement::new(if page.is_some() { LISTED } else { "SELECT COUNT(*) FROM users WHERE TRUE" });
    if let Some(active) = wanted.active {
        statement.add("AND active = ?", &[active.into()]);
    }
    match wanted.has_logged_in {
        Some(true) => statement.add("AND last_login_at IS NOT NULL", &[]),
        Some(false) => statement.add("AND last_login_at IS NULL", &[]),
        None => {}
    }
    if let Some(kind) = &wanted.kind {
        statement.add("AND kind = ?", &[kind.into()]);
    }
    if !wanted.roles.is_empty() {
        let roles = wanted.roles.iter().map(Value::from);
        statement.add_list("AND users.id IN (SELECT user_id FROM user_roles WHERE role IN (?))", roles);
    }
    if !wanted.ids.is_empty() {
        statement.add_list("AND users.id IN (?)", wanted.ids.iter().map(Value::from));
    }
    if !wanted.except.is_empty() {
        statement.add_list("AND username NOT IN (?)", wanted.except.iter().map(Value::from));
    }
    if let Some(id) = &wanted.except_id {
        statement.add("AND users.id <> ?", &[id.into()]);
    }
    if let Some(availability) = wanted.availability {
        statement.add("AND availability = ?", &[availability.name().into()]);
    }
    if wanted.are_there {
        const THERE_OR_BOT: &str = "AND (status <> 'offline'
             OR EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id AND user_roles.role = 'bot'))";
        statement.add(THERE_OR_BOT, &[]);
    }
    if let Some(pattern) = pattern.map(Value::from) {
        const TERM: &str = r"AND (username_key LIKE ? ESCAPE '\' OR name_key LIKE ? ESCAPE '\' OR email_key LIKE ? ESCAPE '\')";
        statement.add(TERM, &[pattern, pattern, pattern]);
    }
    if let Some(page) = page {
        statement.add_page(order(page), page);
    }
    statement
}

fn order(page: &Page) -> &'static str {
    match (page.order, page.descending) {
        (Order::Username, false) => "ORDER BY username_key",
        (Order::Username, true) => "ORDER BY username_key DESC",
        (Order::Name, false) => "ORDER BY name_key, users.id",
        (Order::Name, true) => "ORDER BY name_key DESC, users.id DESC",
        (Order::CreatedAt, false) => "ORDER BY created_at, users.id",
        (Order::CreatedAt, true) => "ORDER BY created_at DESC, users.id DESC",
    }
}

/// The statements of lists, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    let orders = [Order::Username, Order::Name, Order::CreatedAt];
    let plain = Wanted::default();
    let with_role = Wanted { roles: vec![String::new()], ..Wanted::default() };
    let with_ids = Wanted { ids: vec![String::new()], ..Wanted::default() };
    let mut lists: Vec<String> = first_pages(orders).map(|page| listing(&plain, None, Some(&page)).sql().to_owned()).collect();
    lists.extend([&with_role, &with_ids].map(|wanted| listing(wanted, None, Some(&Page::whole())).sql().to_owned()));
    lists
}

fn read(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.text(0)?,
        username: row.text(1)?,
        kind: row.text(2)?,
        email: row.optional_text(3)?,
        email_verified: row.boolean(4)?,
        name: row.optional_text(5)?,
        nickname: row.optional_text(6)?,
        bio: row.optional_text(7)?,
        password_hash: row.text(8)?,
        active: row.boolean(9)?,
        status: row.text(10)?,
        status_default: row.text(11)?,
        status_text: row.text(12)?,
        preferences: row.text(13)?,
        custom_fields: row.text(14)?,
        password_change_required: row.boolean(15)?,
        password_change_reason: row.optional_text(16)?,
        registration_reason: row.optional_text(17)?,
        last_login_at: row.optional_integer(18)?,
        status_updated_at: row.integer(19)?,
        created_at: row.integer(20)?,
        updated_at: row.integer(21)?,
        availability: row.optional_text(22)?.as_deref().and_then(Availability::from_name),
        unavailable_by_system: row.boolean(23)?,
        agent_data: row.optional_text(24)?,
        roles: row.optional_text(25)?.as_deref().map(sorted).unwrap_or_default(),
    })
}

/// The roles of a list, in the order of their ids.
fn sorted(list: &str) -> Vec<String> {
    let mut roles: Vec<String> = list.split(',').map(str::to_owned).collect();
    roles.sort_unstable();
    roles
}

/// The columns before the session's.
const WIDTH: usize = 26;

fn read_with_session(row: &Row<'_>) -> Result<(User, Session), StoreError> {
    let session = Session {
        is_personal: row.optional_text(WIDTH)?.is_some(),
        bypasses_second_factor: row.boolean(WIDTH + 1)?,
        confirmed_at: row.optional_integer(WIDTH + 2)?,
        begun_at: row.integer(WIDTH + 3)?,
    };
    Ok((read(row)?, session))
}
