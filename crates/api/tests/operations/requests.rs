//! A good request for every operation: what the tests of access, of bad input and of random input begin with.

use serde_json::{Map, Value, json};
use usher_domain::custom_field::{CustomField, Scope};
use usher_domain::department::Department;
use usher_domain::file::{File, FileState};
use usher_domain::mail::{Mail, MailKind};
use usher_domain::user::Availability;
use usher_services::StoreError;
use usher_services::logins::Account;
use usher_services::users::UserChoice;
use usher_store::q::roles::Role;
use usher_store::q::users::User;
use usher_store::{q, values};
use usher_testkit::application::{Call, Login, PASSWORD, Reply};
use usher_testkit::clock::START;
use usher_testkit::{Form, TestApp};

use crate::support::MESSAGE;

/// A request without its method and template.
#[derive(Debug, Clone, Default)]
pub struct Good {
    /// The values in the path, in their order.
    pub path: Vec<String>,
    /// The query.
    pub query: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<Value>,
    /// The form, for what takes a file in place of a body.
    pub form: Option<Form>,
    /// The visitor's token in the header, where it stands there.
    pub visitor_token: Option<String>,
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
        if operation.contains("/livechat/users/") || operation.contains("/livechat/agent") {
            insert_agent(app, &self.target()).await;
        }
        if operation.contains("/agent.info/") {
            serve_all_rooms(app, &self.target()).await;
        }
        if operation.contains("/livechat/inquir") {
            insert_agent(app, &self.target()).await;
            queue_rooms(app, &format!("inquiry-{}", self.number)).await;
        }
        if operation.contains("/livechat/department") {
            insert_agent(app, &self.target()).await;
            insert_department(app, &format!("department-{}", self.number)).await;
        }
        if operation.ends_with("/custom-fields.delete") || operation.contains("/custom.field") {
            insert_field(app, &format!("field-{}", self.number), Scope::Visitor).await;
        }
        if operation.ends_with("/offline.message") {
            insert_department(app, &format!("department-{}", self.number)).await;
            app.exchanges.add("example.com");
        }
        if operation.ends_with("/livechat/transcript/{rid}") {
            want_all_transcripts(app, operation.starts_with("DELETE")).await;
        }
        if operation.ends_with("/request-transcript") {
            close_all_rooms(app).await;
        }
        if operation.contains("/usher/contacts/") {
            insert_contact(app, &format!("contact-{}", self.number), operation.starts_with("DELETE")).await;
        }
        if operation.ends_with("/usher/retention/{id}") {
            insert_retention_rule(app, &format!("rule-{}", self.number)).await;
        }
        if operation.ends_with("/usher/erasures/{id}") {
            insert_erasure(app, &format!("erasure-{}", self.number)).await;
        }
        if operation.ends_with("/usher/mails.retry") {
            insert_failed_mail(app, &format!("mail-{}", self.number)).await;
        }
        if operation.ends_with("/roles.update") || operation.ends_with("/roles.delete") {
            insert_role(app, &format!("role-{}", self.number)).await;
        }
        if let Some(caller) = caller.filter(|_| operation.contains("/rooms.mediaConfirm/")) {
            insert_file(app, &format!("file-{}", self.number), &self.room, &caller.user.id).await;
        }
        let needs_token =
            operation.ends_with("/users.regeneratePersonalAccessToken") || operation.ends_with("/users.removePersonalAccessToken");
        if let Some(caller) = caller.filter(|_| needs_token) {
            let made = app.services.create_personal_token(caller, format!("mine-{}", self.number), false).await;
            made.expect("whoever calls may have tokens");
        }
    }
}

/// Whether an operation is about a message or a room of which users ask.
pub fn is_about_messages(operation: &str) -> bool {
    ["/chat.", "/channels.", "/rooms.info", "/rooms.upload", "/rooms.media", "/subscriptions.", "/livechat/message", "/messages"]
        .iter()
        .any(|part| operation.contains(part))
}

impl Subject {
    /// Posts the message that the request is about, `message-<number>`, into a visitor's room.
    pub async fn post_message(&self, app: &TestApp, token: &str, room: &str) {
        let id = format!("message-{}", self.number);
        app.post(MESSAGE, &json!({"token": token, "rid": room, "msg": "Hello", "_id": id})).await.ok();
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

/// Puts an agent into the store who takes chats.
pub async fn insert_agent(app: &TestApp, username: &str) {
    insert_user(app, username, &["user", "livechat-agent"]).await;
    let id = username.to_owned();
    let available = Some(Availability::Available);
    let change =
        app.services.store.write::<_, StoreError, _>(move |tx| q::agents::set_availability(tx, &id, available, false, START));
    change.await.expect("there is such an agent");
}

/// Puts a department into the store whose id is its name.
pub async fn insert_department(app: &TestApp, id: &str) {
    let department = Department {
        id: id.to_owned(),
        name: id.to_owned(),
        email: format!("{id}@example.com"),
        enabled: true,
        archived: false,
        show_on_registration: true,
        show_on_offline_form: true,
        fallback_id: None,
        agent_count: 0,
        members: Map::new(),
        created_at: START,
        updated_at: START,
    };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| q::departments::insert(tx, &department));
    insert.await.expect("there is no such department yet");
}

/// Makes somebody serve every room.
pub async fn serve_all_rooms(app: &TestApp, agent_id: &str) {
    let id = agent_id.to_owned();
    let serve = app.services.store.write::<_, StoreError, _>(move |tx| {
        tx.execute("UPDATE rooms SET agent_id = ?1, agent_username = ?1, agent_since = ?2", values![&id, START])
    });
    serve.await.expect("rooms can be changed");
}

/// Closes every room.
async fn close_all_rooms(app: &TestApp) {
    let close = app.services.store.write::<_, StoreError, _>(|tx| tx.execute("UPDATE rooms SET is_open = FALSE", values![]));
    close.await.expect("rooms can be closed");
}

/// Says of every room whether its transcript is to be sent once it is closed.
async fn want_all_transcripts(app: &TestApp, are_wanted: bool) {
    let request = json!({"requested_at": START, "user_id": "ann", "username": "ann", "name": null, "email": "a@b", "subject": ""});
    let request = are_wanted.then(|| request.to_string());
    let want = app
        .services
        .store
        .write::<_, StoreError, _>(move |tx| tx.execute("UPDATE rooms SET transcript_request = ?1", values![&request]));
    want.await.expect("rooms can be changed");
}

/// Puts a contact into the store that nobody has written as, with a legal hold on it if it is to have one.
async fn insert_contact(app: &TestApp, id: &str, is_held: bool) {
    let id = id.to_owned();
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| {
        let contact = "INSERT INTO contacts (id, name, unknown, created_at, updated_at) VALUES (?1, 'Zoe', FALSE, 0, 0)";
        tx.execute_one(contact, values![&id])?;
        let (reason, ends_at, placed_by, placed_at) = ("A lawsuit".to_owned(), i64::MAX, "admin".to_owned(), START);
        let hold = q::holds::Hold { reason, ends_at, placed_by, placed_at };
        if is_held { q::holds::place(tx, &id, &hold) } else { Ok(()) }
    });
    insert.await.expect("there is no such contact yet");
}

/// Puts a rule of retention into the store that only counts.
async fn insert_retention_rule(app: &TestApp, id: &str) {
    let (id, department_id, followed) = (id.to_owned(), None, None);
    let rule = q::retention::RetentionRule { id, department_id, days: 3_000, is_dry_run: true, created_at: START, followed };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| q::retention::add(tx, &rule));
    insert.await.expect("there is no such rule yet");
}

/// Puts an erasure into the store of which nothing is left to do.
async fn insert_erasure(app: &TestApp, id: &str) {
    let id = id.to_owned();
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| {
        let (subject, visitor_id) = ("subject", Some("nobody"));
        let (actor, reason, requested_at) = ("visitor", None, START);
        q::erasures::insert(tx, &q::erasures::Opening { id: &id, subject, visitor_id, actor, reason, requested_at })?;
        q::erasures::finish(tx, &id, START)
    });
    insert.await.expect("there is no such erasure yet");
}

/// Puts a mail into the store that was given up.
pub async fn insert_failed_mail(app: &TestApp, id: &str) {
    let mail = Mail {
        from: None,
        reply_to: None,
        to: "mary@example.com".to_owned(),
        subject: "Hello".to_owned(),
        html: String::new(),
        text: String::new(),
    };
    let (id, kind, about) = (id.to_owned(), MailKind::Transcript, "mary@example.com".to_owned());
    let new = q::mails::NewMail { id, kind, visitor_id: None, room_id: None, about, mail };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| {
        q::mails::insert(tx, &new, START)?;
        q::mails::give_up(tx, &new.id, "refused", START)
    });
    insert.await.expect("there is no such mail yet");
}

/// Lets all open rooms wait where agents see them, the one that was opened last with this id of its place.
pub async fn queue_rooms(app: &TestApp, inquiry_id: &str) {
    let id = inquiry_id.to_owned();
    let queue = app.services.store.write::<_, StoreError, _>(move |tx| {
        tx.execute("UPDATE rooms SET inquiry_status = 'queued', agent_id = NULL WHERE is_open", values![])?;
        tx.execute("UPDATE rooms SET inquiry_id = ?1 WHERE id = (SELECT MAX(id) FROM rooms WHERE is_open)", values![&id])
    });
    queue.await.expect("rooms can be changed");
}

/// Puts a file into the store that somebody sent for a room and that no message shows yet, in place of any of this id.
pub async fn insert_file(app: &TestApp, id: &str, room: &str, sender: &str) {
    let file = File {
        id: id.to_owned(),
        room_id: room.to_owned(),
        visitor_id: String::new(),
        sender_id: sender.to_owned(),
        name: "words.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        size: 5,
        dimensions: None,
        state: FileState::Stored,
        message_id: None,
        created_at: START,
    };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| {
        tx.execute("DELETE FROM files WHERE id = ?1", values![&file.id])?;
        let visitor_id = q::rooms::by_id(tx, &file.room_id)?.map_or_else(|| "visitor".to_owned(), |room| room.visitor_id);
        q::files::insert(tx, &file.id, &file.room_id, &visitor_id, &file.sender_id, START)?;
        q::files::store(tx, &file)
    });
    assert_eq!(insert.await, Ok(true));
}

/// Puts a custom field into the store of which nothing is asked.
pub async fn insert_field(app: &TestApp, id: &str, scope: Scope) {
    let field = CustomField {
        id: id.to_owned(),
        label: format!("The {id}"),
        scope,
        visibility: "visible".to_owned(),
        members: Map::new(),
        updated_at: START,
    };
    let insert = app.services.store.write::<_, StoreError, _>(move |tx| q::custom_fields::insert(tx, &field));
    insert.await.expect("there is no such field yet");
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

fn sends_file() -> Good {
    Good { form: Some(Form::file("words.txt", "text/plain", b"words")), ..Good::default() }
}

/// A department as it is sent, with an agent for it.
fn department(name: &str, agent_id: &str) -> Value {
    let members = json!({
        "enabled": true,
        "name": name,
        "showOnRegistration": true,
        "email": "sales@example.com",
        "showOnOfflineForm": true,
    });
    json!({"department": members, "agents": [{"agentId": agent_id}], "departmentUnit": {"_id": "unit"}})
}

impl Good {
    /// Sends it by `call`, which has its address already.
    pub async fn send(&self, call: Call<'_>) -> Reply {
        let call = match &self.visitor_token {
            Some(token) => call.header("x-visitor-token", token),
            None => call,
        };
        match (&self.form, &self.body) {
            (Some(form), _) => call.form(form.clone()).send().await,
            (None, Some(body)) => call.json(body).send().await,
            (None, None) => call.send().await,
        }
    }

    fn at(self, path: &str) -> Good {
        let path = self.path.into_iter().chain([path.to_owned()]).collect();
        Good { path, ..self }
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
        "v1/livechat/agent.info/{rid}/{token}" => plain().at(room).at(token),
        "v1/livechat/agent.next/{token}" => plain().at(token),
        "v1/livechat/agent.status" => sends(json!({"agentId": target, "status": "not-available"})),
        "v1/livechat/agents.saveInfo" => {
            sends(json!({"agentId": target, "agentData": {"maxNumberSimultaneousChat": 5}, "agentDepartments": []}))
        }
        "v1/livechat/agents/{agentId}/departments" => plain().at(&target),
        "v1/livechat/department" if operation.starts_with("POST") => sends(department(&named("made"), &target)),
        "v1/livechat/department/{_id}" if operation.starts_with("PUT") => {
            sends(department(&named("changed"), &target)).at(&named("department"))
        }
        "v1/livechat/department/{_id}" => plain().at(&named("department")),
        "v1/livechat/department/{_id}/agents" if operation.starts_with("POST") => {
            let agent = json!({"agentId": target, "count": 1, "order": 2});
            sends(json!({"upsert": [agent], "remove": [{"agentId": "nobody"}]})).at(&named("department"))
        }
        "v1/livechat/department/{_id}/agents" => plain().at(&named("department")),
        "v1/livechat/users/{type}" if operation.starts_with("POST") => sends(json!({"username": target})).at("agent"),
        "v1/livechat/users/{type}" => plain().at("agent"),
        "v1/livechat/users/{type}/{_id}" => plain().at("agent").at(&target),
        "v1/livechat/config" => asks(&[("token", token)]),
        "v1/livechat/custom-fields/{_id}" => plain().at("shoe"),
        "v1/livechat/custom-fields.delete" => sends(json!({"customFieldId": named("field")})),
        "v1/livechat/custom-fields.save" => {
            let data = json!({"field": named("new"), "label": "Shoe size", "scope": "visitor", "visibility": "visible"});
            sends(json!({"customFieldData": data}))
        }
        "v1/livechat/custom.field" => sends(json!({"token": token, "key": named("field"), "value": "42", "overwrite": true})),
        "v1/livechat/custom.fields" => {
            sends(json!({"token": token, "customFields": [{"key": named("field"), "value": "42", "overwrite": true}]}))
        }
        "v1/livechat/inquiries.list" | "v1/livechat/inquiries.queuedForUser" => plain(),
        "v1/livechat/inquiries.getOne" => asks(&[("roomId", room)]),
        "v1/livechat/inquiries.take" => {
            let options = json!({"clientAction": true, "forwardingToDepartment": {}});
            sends(json!({"inquiryId": named("inquiry"), "userId": target, "options": options}))
        }
        "v1/livechat/inquiries.returnAsInquiry" => sends(json!({"roomId": room})),
        "v1/livechat/inquiry.setSLA" => sends(json!({"roomId": room, "sla": "fast"})),
        "v1/channels.info" | "v1/rooms.info" | "v1/subscriptions.getOne" => asks(&[("roomId", room)]),
        "v1/chat.delete" => sends(json!({"roomId": room, "msgId": named("message")})),
        "v1/chat.getMessage" => asks(&[("msgId", &named("message"))]),
        "v1/chat.pinMessage" | "v1/chat.unPinMessage" | "v1/chat.starMessage" | "v1/chat.unStarMessage" => {
            sends(json!({"messageId": named("message")}))
        }
        "v1/chat.postMessage" => sends(json!({"roomId": room, "text": "Hello"})),
        "v1/chat.react" => sends(json!({"messageId": named("message"), "emoji": "smile"})),
        "v1/chat.search" => asks(&[("roomId", room), ("searchText", "hello")]),
        "v1/chat.sendMessage" => sends(json!({"message": {"rid": room, "msg": "Hello"}})),
        "v1/chat.syncMessages" => asks(&[("roomId", room), ("lastUpdate", "2024-01-01T00:00:00.000Z")]),
        "v1/chat.update" => sends(json!({"roomId": room, "msgId": named("message"), "text": "Hello!"})),
        "v1/subscriptions.read" => sends(json!({"rid": room})),
        "v1/subscriptions.unread" => sends(json!({"roomId": room, "firstUnreadMessage": {"_id": named("message")}})),
        "v1/livechat/message/{_id}" if operation.starts_with("GET") => {
            asks(&[("token", token), ("rid", room)]).at(&named("message"))
        }
        "v1/livechat/message/{_id}" if operation.starts_with("PUT") => {
            sends(json!({"token": token, "rid": room, "msg": "Hello!"})).at(&named("message"))
        }
        "v1/livechat/message/{_id}" => sends(json!({"token": token, "rid": room})).at(&named("message")),
        "v1/livechat/messages" => sends(json!({"visitor": {"token": token}, "messages": [{"msg": "Hello"}]})),
        "v1/livechat/{rid}/messages" | "v1/livechat/messages/{rid}" => plain().at(room),
        "v1/livechat/message" => sends(json!({"token": token, "rid": room, "msg": "Hello"})),
        "v1/livechat/messages.history/{rid}" => asks(&[("token", token)]).at(room),
        "v1/livechat/offline.message" => {
            let (email, department) = ("mary@example.com", named("department"));
            sends(json!({"name": "Mary", "email": email, "message": "Hello", "department": department}))
        }
        "v1/livechat/transcript" => sends(json!({"rid": room, "token": token, "email": "mary@example.com"})),
        "v1/livechat/transcript/{rid}" if operation.starts_with("POST") => {
            sends(json!({"email": "mary@example.com", "subject": "Your chat"})).at(room)
        }
        "v1/livechat/transcript/{rid}" => plain().at(room),
        "v1/omnichannel/{rid}/request-transcript" => plain().at(room),
        "v1/usher/contacts/{id}/erase" => sends(json!({"reason": "asked-for"})).at(&named("contact")),
        "v1/usher/contacts/{id}/hold" if operation.starts_with("POST") => {
            sends(json!({"reason": "A lawsuit", "endsAt": "2030-01-01T00:00:00.000Z"})).at(&named("contact"))
        }
        "v1/usher/contacts/{id}/hold" | "v1/usher/contacts/{id}/holdings" | "v1/usher/contacts/{id}/export" => {
            plain().at(&named("contact"))
        }
        "v1/usher/retention" if operation.starts_with("POST") => sends(json!({"days": 3_000, "dryRun": true})),
        "v1/usher/retention.preview" => sends(json!({"days": 3_000})),
        "v1/usher/retention/{id}" => plain().at(&named("rule")),
        "v1/usher/erasures/{id}" => plain().at(&named("erasure")),
        "v1/usher/mails.retry" => sends(json!({"mailId": named("mail")})),
        "v1/livechat/upload/{rid}" => Good { visitor_token: Some(token.clone()), ..sends_file().at(room) },
        "v1/rooms.upload/{rid}" | "v1/rooms.media/{rid}" => sends_file().at(room),
        "v1/rooms.mediaConfirm/{rid}/{fileId}" => sends(json!({"msg": "Look"})).at(room).at(&named("file")),
        "v1/livechat/room.close" => sends(json!({"rid": room, "token": token})),
        "v1/livechat/room.closeByUser" => {
            let transcript = json!({"sendToVisitor": false, "requestData": {"email": "mary@example.com", "subject": "Chat"}});
            sends(json!({"rid": room, "comment": "Done", "transcriptEmail": transcript}))
        }
        "v1/livechat/room.join" => asks(&[("roomId", room)]),
        "v1/livechat/room.saveInfo" => sends(json!({"guestData": {"_id": name}, "roomData": {"_id": room}})),
        "v1/livechat/room.survey" => sends(json!({"rid": room, "token": token, "data": [{"name": "satisfaction", "value": "5"}]})),
        "v1/usher/rooms/{rid}/routing" => plain().at(room),
        "v1/usher/rooms/{rid}/changes" => asks(&[("since", "0"), ("token", token)]).at(room),
        "v1/usher/me/changes" => asks(&[("since", "0")]),
        "v1/livechat/room" => asks(&[("token", token), ("rid", room)]),
        "v1/livechat/page.visited" => {
            let page = json!({"change": "url", "title": "Shoes", "location": {"href": "https://shop.example.com/shoes"}});
            sends(json!({"token": token, "rid": room, "pageInfo": page}))
        }
        "v1/livechat/visitor.status" | "v1/livechat/visitors.status" => sends(json!({"token": token, "status": "away"})),
        "v1/livechat/visitor/{token}/room" => plain().at(name),
        "v1/livechat/visitors.info" => asks(&[("visitorId", name)]),
        "v1/livechat/visitors.search" => asks(&[("term", "mary")]),
        "v1/livechat/visitors.autocomplete" => asks(&[("selector", r#"{"term":"ma"}"#)]),
        "v1/livechat/visitors.pagesVisited/{roomId}" => plain().at(room),
        "v1/livechat/visitors.chatHistory/room/{roomId}/visitor/{visitorId}"
        | "v1/livechat/visitors.searchChats/room/{roomId}/visitor/{visitorId}" => plain().at(room).at(name),
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
        | "v1/livechat/config/routing"
        | "v1/livechat/custom-fields"
        | "v1/livechat/department"
        | "v1/livechat/integrations.settings"
        | "v1/livechat/queue"
        | "v1/livechat/rooms"
        | "v1/livechat/rooms/filters"
        | "v1/settings"
        | "v1/settings.oauth"
        | "v1/service.configurations"
        | "v1/roles.list"
        | "v1/rooms.get"
        | "v1/subscriptions.get"
        | "v1/roles.getUsersInPublicRoles"
        | "v1/usher/erasures"
        | "v1/usher/retention"
        | "v1/usher/erasures/key"
        | "v1/usher/mails"
        | "v1/users.list"
        | "v1/users.listByStatus"
        | "v1/users.getPersonalAccessTokens"
        | "v1/users.getPreferences"
        | "v1/users.getUsernameSuggestion" => plain(),
        _ => panic!("{operation} needs a good request in requests.rs"),
    }
}

/// The address of a request: the template with the values in it, and the query.
pub fn address(operation: &str, good: &Good) -> String {
    let template = operation.split_once(' ').expect("an operation is a method and a path").1;
    let values: Vec<String> = good.path.iter().map(|value| crate::support::encoded(value)).collect();
    let mut address = with_values(template, &values);
    let pairs: Vec<String> = good.query.iter().map(|(name, value)| format!("{name}={}", crate::support::encoded(value))).collect();
    if !pairs.is_empty() {
        address.push('?');
        address.push_str(&pairs.join("&"));
    }
    address
}

/// The names of the values in a template, in their order.
pub fn names_in(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

/// A template with encoded values in their places.
pub fn with_values(template: &str, values: &[String]) -> String {
    let (mut parts, mut address) = (template.split('{'), String::new());
    address.push_str(parts.next().unwrap_or_default());
    let mut values = values.iter();
    for part in parts {
        let value = values.next().unwrap_or_else(|| panic!("{template} needs a value for every place in its path"));
        address.push_str(value);
        address.push_str(part.split_once('}').map_or("", |(_, after)| after));
    }
    assert!(values.next().is_none(), "{template} has too many values for its path");
    address
}
