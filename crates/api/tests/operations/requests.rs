//! A good request for every operation: what the tests of access, of bad input and of random input begin with.

use serde_json::{Value, json};
use usher_services::StoreError;
use usher_services::logins::Account;
use usher_services::users::UserChoice;
use usher_store::q;
use usher_store::q::roles::Role;
use usher_store::q::users::User;
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD};
use usher_testkit::clock::START;

/// A request without its method and template.
#[derive(Debug, Clone, Default)]
pub struct Good {
    /// The value in the path.
    pub path: Option<String>,
    /// The query.
    pub query: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<Value>,
}

/// What a request is about. Numbered, so that no request stands in the way of the next.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Names what the request makes, and whom it is about: the user `target-<number>` and the role `role-<number>`.
    pub number: usize,
    /// The visitor's token that is presented.
    pub token: String,
    /// What stands where the visitor's token is the name of the record.
    pub name: String,
    /// The visitor's room.
    pub room: String,
}

impl Subject {
    /// A request about users and roles, by nobody who is a visitor.
    pub fn numbered(number: usize) -> Subject {
        Subject { number, token: "nobody".to_owned(), name: "nobody".to_owned(), room: "nowhere".to_owned() }
    }

    /// The user whom the request is about: id and name alike.
    pub fn target(&self) -> String {
        format!("target-{}", self.number)
    }

    /// Makes what the operation is about, as far as it is about something that has to be there.
    pub async fn prepare(&self, app: &TestApp, operation: &str, caller: Option<&Account>) {
        if operation.contains("/users.") || operation.contains("/roles.") {
            insert_user(app, &self.target(), &["user", "livechat-agent"]).await;
        }
        if operation.ends_with("/roles.update") || operation.ends_with("/roles.delete") {
            insert_role(app, &format!("role-{}", self.number)).await;
        }
        let needs_token =
            operation.ends_with("/users.regeneratePersonalAccessToken") || operation.ends_with("/users.removePersonalAccessToken");
        if let Some(caller) = caller.filter(|_| needs_token) {
            let made = app.services.create_personal_token(caller, format!("mine-{}", self.number), false).await;
            made.expect("whoever calls may have tokens");
        }
    }
}

/// Puts a user without a password into the store.
pub async fn insert_user(app: &TestApp, username: &str, roles: &[&str]) {
    let user = User {
        username: username.to_owned(),
        name: Some(username.to_owned()),
        kind: "user".to_owned(),
        active: true,
        email: Some(format!("{username}@example.com")),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..User::new(username.to_owned(), START)
    };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| q::users::insert(tx, &user));
    insert.await.expect("nobody has this name yet");
}

async fn insert_role(app: &TestApp, id: &str) {
    let role = Role {
        id: id.to_owned(),
        name: id.to_owned(),
        description: String::new(),
        scope: "Users".to_owned(),
        is_protected: false,
        needs_second_factor: false,
        updated_at: START,
    };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| q::roles::add(tx, &role));
    insert.await.expect("there is no such role yet");
}

/// Somebody new with these roles who is logged in, without waiting for a password to be hashed.
pub async fn person(app: &TestApp, admin: &Account, username: &str, roles: &[&str]) -> Login {
    insert_user(app, username, roles).await;
    log_in_again(app, admin, username).await
}

/// Logs somebody in whom [`person`] made.
pub async fn log_in_again(app: &TestApp, admin: &Account, username: &str) -> Login {
    let login = app.services.log_in_for(admin, UserChoice::Id(username.to_owned())).await.expect("the administrator may");
    Login { user_id: login.user.id, token: login.token }
}

/// The account behind a login.
pub async fn account(app: &TestApp, login: &Login) -> Option<Account> {
    app.services.authenticate(login.user_id.clone(), &login.token).await.expect("logins can be read")
}

fn plain() -> Good {
    Good::default()
}

fn sends(body: Value) -> Good {
    Good { body: Some(body), ..Good::default() }
}

fn asks(query: &[(&'static str, &str)]) -> Good {
    let query = query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Good { query, ..Good::default() }
}

impl Good {
    fn at(self, path: &str) -> Good {
        Good { path: Some(path.to_owned()), ..self }
    }
}

/// The request of an operation, called with everything that it needs and next to nothing that it does not.
pub fn good(operation: &str, subject: &Subject) -> Good {
    let Subject { number, token, name, room } = subject;
    let target = subject.target();
    let named = |what: &str| format!("{what}-{number}");
    let method = json!({"message": r#"{"msg":"method","id":"1","method":"public-settings/get","params":[]}"#});
    match operation.split_once("/api/").expect("every operation is one of the API").1 {
        "v1/login" => sends(json!({"user": "admin", "password": PASSWORD})),
        "v1/livechat/config" => asks(&[("token", token)]),
        "v1/livechat/message" => sends(json!({"token": token, "rid": room, "msg": "Hello"})),
        "v1/livechat/messages.history/{rid}" => asks(&[("token", token)]).at(room),
        "v1/livechat/room" => asks(&[("token", token), ("rid", room)]),
        "v1/livechat/visitor" => sends(json!({"visitor": {"token": token}})),
        "v1/livechat/visitor/{token}" => plain().at(name),
        "v1/method.call/{method}" | "v1/method.callAnon/{method}" => sends(method).at("public-settings:get"),
        "v1/permissions.listAll" | "v1/roles.sync" => asks(&[("updatedSince", "2024-01-01T00:00:00.000Z")]),
        "v1/permissions.update" => sends(json!({"permissions": [{"_id": "view-logs", "roles": ["admin"]}]})),
        "v1/roles.addUserToRole" => sends(json!({"username": target, "roleId": "livechat-manager"})),
        "v1/roles.removeUserFromRole" => sends(json!({"username": target, "roleId": "livechat-agent"})),
        "v1/roles.create" => sends(json!({"name": named("new")})),
        "v1/roles.update" => sends(json!({"roleId": named("role"), "name": named("renamed")})),
        "v1/roles.delete" => sends(json!({"roleId": named("role")})),
        "v1/roles.getUsersInRole" => asks(&[("role", "admin")]),
        "v1/settings.public" => asks(&[("_id", "Livechat_title")]),
        "v1/settings" if operation.starts_with("POST") => {
            sends(json!({"settings": [{"_id": "Livechat_title_color", "value": "red"}]}))
        }
        "v1/settings/{id}" if operation.starts_with("POST") => sends(json!({"value": "Ask us"})).at("Livechat_title"),
        "v1/settings/{id}" => plain().at("Livechat_title"),
        "v1/commands.get" => asks(&[("command", "invite")]),
        "v1/commands.run" => sends(json!({"command": "invite", "params": "", "roomId": "GENERAL"})),
        "v1/spotlight" => asks(&[("query", "admin")]),
        "v1/users.autocomplete" => asks(&[("selector", r#"{"term":"admin"}"#)]),
        "v1/users.create" => {
            let (username, email) = (named("user"), named("user@example.com"));
            sends(json!({"username": username, "name": "Mary", "email": email, "password": PASSWORD}))
        }
        "v1/users.register" => {
            let (username, email) = (named("user"), named("user@example.com"));
            sends(json!({"username": username, "name": "Mary", "email": email, "pass": PASSWORD}))
        }
        "v1/users.createToken" | "v1/users.delete" | "v1/users.logout" => sends(json!({"userId": target})),
        "v1/users.generatePersonalAccessToken" => sends(json!({"tokenName": named("token")})),
        "v1/users.regeneratePersonalAccessToken" | "v1/users.removePersonalAccessToken" => {
            sends(json!({"tokenName": named("mine")}))
        }
        "v1/users.getAvatar" => asks(&[("username", "admin")]),
        "v1/users.info" | "v1/users.getPresence" | "v1/users.getStatus" => asks(&[("userId", &target)]),
        "v1/users.presence" => asks(&[("ids", &target)]),
        "v1/users.setActiveStatus" => sends(json!({"userId": target, "activeStatus": false})),
        "v1/users.setPreferences" => sends(json!({"userId": target, "data": {"language": "en"}})),
        "v1/users.setStatus" => sends(json!({"userId": target, "status": "busy"})),
        "v1/users.update" => sends(json!({"userId": target, "data": {"nickname": "Molly"}})),
        "v1/users.updateOwnBasicInfo" => sends(json!({"data": {"nickname": "Molly"}})),
        // These take nothing, or nothing that is needed.
        "info"
        | "v1/info"
        | "v1/me"
        | "v1/logout"
        | "v1/pw.getPolicy"
        | "v1/licenses.info"
        | "v1/commands.list"
        | "v1/settings"
        | "v1/settings.oauth"
        | "v1/service.configurations"
        | "v1/roles.list"
        | "v1/roles.getUsersInPublicRoles"
        | "v1/users.list"
        | "v1/users.listByStatus"
        | "v1/users.getPersonalAccessTokens"
        | "v1/users.getPreferences"
        | "v1/users.getUsernameSuggestion" => plain(),
        _ => panic!("{operation} needs a good request in requests.rs"),
    }
}

/// The address of a request: the template with the value in it, and the query.
pub fn address(operation: &str, good: &Good) -> String {
    let template = operation.split_once(' ').expect("an operation is a method and a path").1;
    let mut address = match (template.split_once('{'), &good.path) {
        (Some((before, _)), Some(value)) => format!("{before}{}", crate::support::encoded(value)),
        (None, _) => template.to_owned(),
        (Some(_), None) => panic!("{operation} needs a value in its path"),
    };
    let pairs: Vec<String> = good.query.iter().map(|(name, value)| format!("{name}={}", crate::support::encoded(value))).collect();
    if !pairs.is_empty() {
        address.push('?');
        address.push_str(&pairs.join("&"));
    }
    address
}
