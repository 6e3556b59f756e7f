//! The operations on the queue: looking at it, taking chats out of it, and returning chats to it.

mod methods;
mod returning;
mod take;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::room::Room;
use usher_services::Error;
use usher_store::{StoreError, q, values};
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::omnichannel_users::somebody;
use crate::permissions::{get, not_logged_in, not_permitted};
use crate::requests::{account, insert_agent, insert_department, log_in_again};
use crate::support::{VISITOR, coded, plain, usual};

pub const LIST: &str = "/api/v1/livechat/inquiries.list";
pub const QUEUED: &str = "/api/v1/livechat/inquiries.queuedForUser";
pub const ONE: &str = "/api/v1/livechat/inquiries.getOne";
pub const TAKE: &str = "/api/v1/livechat/inquiries.take";
pub const RETURN: &str = "/api/v1/livechat/inquiries.returnAsInquiry";
const SET_LEVEL: &str = "/api/v1/livechat/inquiry.setSLA";

/// An application in which agents help themselves.
pub fn manual() -> Setup {
    usual().setting("Livechat_Routing_Method", "Manual_Selection")
}

/// An agent who takes chats and is there; logged in.
pub async fn agent(app: &TestApp, name: &str) -> Login {
    let admin = account(app, &app.admin().await).await.expect("the administrator is logged in");
    insert_agent(app, name).await;
    run(app, "UPDATE users SET status = 'online' WHERE id = ?1", name).await;
    log_in_again(app, &admin, name).await
}

/// Runs a statement with one value as nobody in the application would.
pub async fn run(app: &TestApp, sql: &'static str, value: &str) {
    let value = value.to_owned();
    let write = app.services.store.write::<_, StoreError, _>(move |tx| tx.execute(sql, values![&value]));
    write.await.expect("the statement runs");
}

/// A room as stored.
pub async fn stored_room(app: &TestApp, id: &str) -> Room {
    let id = id.to_owned();
    let found: Option<Room> =
        app.services.store.read(move |tx| q::rooms::by_id(tx, &id).map_err(Error::from)).await.expect("rooms can be read");
    found.expect("there is such a room")
}

/// Who serves a room.
pub async fn server(app: &TestApp, room: &str) -> Option<String> {
    stored_room(app, room).await.served_by.map(|served| served.agent.id)
}

/// The id of a room's place in the queue.
pub async fn inquiry_id(app: &TestApp, room: &str) -> String {
    stored_room(app, room).await.inquiry.expect("the room is open").id
}

/// Registers a visitor and opens its room, of a department if one is named. Each begins a second later than the one before.
pub async fn chat(app: &TestApp, token: &str, department: Option<&str>) -> String {
    register(app, token, department).await;
    app.advance(Duration::from_secs(1));
    app.room(token).await
}

/// Registers a visitor whose name is its token, who asks for a department if one is named.
pub async fn register(app: &TestApp, token: &str, department: Option<&str>) {
    let body = json!({"visitor": {"token": token, "name": token, "department": department.unwrap_or_default()}});
    app.post(VISITOR, &body).await.ok();
}

/// Changes a setting while the application runs.
pub async fn set(app: &TestApp, id: &str, value: &Value) {
    let admin = app.admin().await;
    let path = format!("/api/v1/settings/{id}");
    app.call(Method::POST, &path).as_user(&admin).json(&json!({"value": value})).send().await.ok();
}

async fn put(app: &TestApp, login: &Login, path: &str, body: &Value) -> Reply {
    app.call(Method::PUT, path).as_user(login).json(body).send().await
}

/// The rooms in a list of inquiries.
fn rooms_in(answer: &Value) -> Vec<&str> {
    let inquiries = answer["inquiries"].as_array().expect("it is a list");
    inquiries.iter().map(|inquiry| inquiry["rid"].as_str().expect("an inquiry has a room")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_see_the_queue() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let manager = app.user("manager", &["livechat-manager"]).await;
        insert_department(&app, "sales").await;
        let empty = json!({"inquiries": [], "count": 0, "offset": 0, "total": 0, "success": true});
        get(&app, &manager, LIST).await.is(200, &empty);
        let first = chat(&app, "mary", None).await;
        let second = chat(&app, "adam", Some("sales")).await;
        let third = chat(&app, "zoe", None).await;

        let entry = |id: String, room: &str, name: &str, second: u32, department: Option<&str>| {
            let ts = format!("2024-01-31T12:00:0{second}.000Z");
            let mut entry = json!({"_id": id, "rid": room, "name": name, "ts": ts, "status": "queued"});
            if let Some(department) = department {
                entry["department"] = department.into();
            }
            entry
        };
        let of_mary = entry(inquiry_id(&app, &first).await, &first, "mary", 1, None);
        let of_adam = entry(inquiry_id(&app, &second).await, &second, "adam", 2, Some("sales"));
        let of_zoe = entry(inquiry_id(&app, &third).await, &third, "zoe", 3, None);
        let page = |inquiries: &[&Value], offset: i64, total: i64| json!({"inquiries": inquiries, "count": inquiries.len(), "offset": offset, "total": total, "success": true});
        let latest_first = page(&[&of_zoe, &of_adam, &of_mary], 0, 3);
        for query in ["", "?department=", "?department=unknown", "?sort=%7B%22ts%22:-1%7D", "?sort=%7B%22status%22:1%7D"] {
            get(&app, &manager, &format!("{LIST}{query}")).await.is(200, &latest_first);
        }
        let by_time = page(&[&of_mary, &of_adam, &of_zoe], 0, 3);
        get(&app, &manager, &format!("{LIST}?sort=%7B%22ts%22:1%7D")).await.is(200, &by_time);
        let by_name = page(&[&of_adam, &of_mary, &of_zoe], 0, 3);
        get(&app, &manager, &format!("{LIST}?sort=%7B%22status%22:1,%22name%22:1%7D")).await.is(200, &by_name);
        get(&app, &manager, &format!("{LIST}?count=1&offset=1")).await.is(200, &page(&[&of_adam], 1, 3));
        let from_the_end = page(&[&of_zoe, &of_mary, &of_adam], 0, 3);
        get(&app, &manager, &format!("{LIST}?sort=%7B%22name%22:-1,%22ts%22:1%7D")).await.is(200, &from_the_end);
        // A department goes by its id and by its name.
        run(&app, "UPDATE departments SET name = 'The shop' WHERE id = ?1", "sales").await;
        for department in ["sales", "The%20shop"] {
            get(&app, &manager, &format!("{LIST}?department={department}")).await.is(200, &page(&[&of_adam], 0, 1));
        }
        // What is about to be given, what somebody serves and what is closed does not wait.
        run(&app, "UPDATE rooms SET inquiry_status = 'ready' WHERE id = ?1", &first).await;
        let agent = agent(&app, "agent").await;
        let body = json!({"inquiryId": inquiry_id(&app, &second).await});
        app.call(Method::POST, TAKE).as_user(&agent).json(&body).send().await.ok();
        get(&app, &manager, LIST).await.is(200, &page(&[&of_zoe], 0, 1));

        app.get(LIST).await.is(401, &not_logged_in());
        get(&app, &agent, LIST).await.is(403, &not_permitted());
        let unknown = coded("must NOT have additional properties [invalid-params]", "invalid-params");
        get(&app, &manager, &format!("{LIST}?other=1")).await.is(400, &unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_is_shown_whole_to_agents() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let visitor = app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        app.advance(Duration::from_secs(1));
        let message = app.message("token-1", &room, "Hello").await;
        let id = inquiry_id(&app, &room).await;
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let mut last_message = message;
        last_message["token"] = visitor["_id"].clone();
        let expected = json!({
            "_id": id,
            "rid": room,
            "name": "Mary",
            "ts": "2024-01-31T12:00:00.000Z",
            "status": "queued",
            "message": "",
            "v": {
                "_id": visitor["_id"],
                "username": "guest-1",
                "token": visitor["_id"],
                "status": "online",
                "lastMessageTs": "2024-01-31T12:00:01.000Z",
            },
            "t": "l",
            "source": {"type": "api"},
            "lastMessage": last_message,
            "queuedAt": "2024-01-31T12:00:00.000Z",
            "priorityWeight": 99,
            "estimatedWaitingTimeQueue": 9_999_999,
            "_updatedAt": "2024-01-31T12:00:00.000Z",
        });
        let one = format!("{ONE}?roomId={room}");
        get(&app, &agent, &one).await.is(200, &json!({"inquiry": expected, "success": true}));
        let page = json!({"inquiries": [expected], "count": 1, "offset": 0, "total": 1, "success": true});
        get(&app, &agent, QUEUED).await.is(200, &page);

        app.advance(Duration::from_secs(1));
        app.call(Method::POST, TAKE).as_user(&agent).json(&json!({"inquiryId": id})).send().await.ok();
        let mut taken = expected.clone();
        taken["status"] = json!("taken");
        taken["takenAt"] = json!("2024-01-31T12:00:02.000Z");
        taken["_updatedAt"] = json!("2024-01-31T12:00:02.000Z");
        for gone in ["lastMessage", "queuedAt"] {
            taken.as_object_mut().expect("it is an object").remove(gone);
        }
        get(&app, &agent, &one).await.is(200, &json!({"inquiry": taken, "success": true}));
        assert_eq!(get(&app, &agent, QUEUED).await.ok()["total"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_not_there_there_is_no_inquiry() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let user = somebody(&app, "user", &["user"]).await;
        for room in ["nowhere", ""] {
            get(&app, &agent, &format!("{ONE}?roomId={room}")).await.is(200, &json!({"inquiry": null, "success": true}));
        }
        app.get(&format!("{ONE}?roomId=x")).await.is(401, &not_logged_in());
        get(&app, &user, &format!("{ONE}?roomId=x")).await.is(403, &not_permitted());
        let missing = coded("must have required property 'roomId' [invalid-params]", "invalid-params");
        get(&app, &agent, ONE).await.is(400, &missing);
        let unknown = coded("must NOT have additional properties [invalid-params]", "invalid-params");
        get(&app, &agent, &format!("{ONE}?roomId=x&other=1")).await.is(400, &unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_see_what_they_may_take() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["sales", "help", "off"] {
            insert_department(&app, name).await;
        }
        run(&app, "UPDATE departments SET show_on_registration = FALSE WHERE id <> ?1", "").await;
        let (seller, helper, free) = (agent(&app, "seller").await, agent(&app, "helper").await, agent(&app, "free").await);
        for (agent, departments) in [("seller", &["sales", "off"] as &[&str]), ("helper", &["help"])] {
            crate::agents::put_into(&app, &admin, agent, departments).await;
        }
        run(&app, "UPDATE department_agents SET enabled = FALSE WHERE department_id = ?1", "off").await;
        let of_sales = chat(&app, "sales-1", Some("sales")).await;
        let of_nobody = chat(&app, "nobody-1", None).await;
        let of_help = chat(&app, "help-1", Some("help")).await;
        let of_off = chat(&app, "off-1", Some("off")).await;
        // Reserved: of no department for the seller, of sales for the helper, and of the one out of service for the seller.
        let (for_seller, for_helper, off_for_seller) =
            (chat(&app, "x-1", None).await, chat(&app, "x-2", Some("sales")).await, chat(&app, "x-3", Some("off")).await);
        for (room, agent) in [(&for_seller, "seller"), (&for_helper, "helper"), (&off_for_seller, "seller")] {
            let sql = if agent == "seller" {
                "UPDATE rooms SET default_agent_id = 'seller' WHERE id = ?1"
            } else {
                "UPDATE rooms SET default_agent_id = 'helper' WHERE id = ?1"
            };
            run(&app, sql, room).await;
        }
        let expected: [(&Login, &str, Vec<&String>); 7] = [
            (&seller, "", vec![&of_sales, &of_nobody, &for_seller, &off_for_seller]),
            (&seller, "?department=sales", vec![&of_sales, &of_nobody, &for_seller, &off_for_seller]),
            (&seller, "?department=", vec![&of_sales, &of_nobody, &for_seller, &off_for_seller]),
            (&seller, "?sort=%7B%22ts%22:-1%7D", vec![&of_sales, &of_nobody, &for_seller, &off_for_seller]),
            (&helper, "", vec![&of_nobody, &of_help, &for_helper]),
            (&free, "", vec![&of_nobody]),
            (&free, "?department=sales", vec![&of_nobody]),
        ];
        for (login, query, rooms) in expected {
            let answer = get(&app, login, &format!("{QUEUED}{query}")).await.ok();
            assert_eq!(rooms_in(&answer), rooms, "{} {query}", login.user_id);
            let rest = (&answer["count"], &answer["offset"], &answer["total"]);
            assert_eq!(rest, (&json!(rooms.len()), &json!(0), &json!(rooms.len())));
        }
        let reserved = get(&app, &helper, QUEUED).await.ok()["inquiries"][2].clone();
        assert_eq!(reserved["defaultAgent"], json!({"agentId": "helper"}));
        let page = get(&app, &seller, &format!("{QUEUED}?count=2&offset=1")).await.ok();
        assert_eq!(rooms_in(&page), [&of_nobody, &for_seller]);
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(2), &json!(1), &json!(4)));
        assert!(!rooms_in(&get(&app, &seller, QUEUED).await.ok()).contains(&of_off.as_str()));

        // A department goes by its id alone, and has to be one of the caller's that is in service.
        for department in ["help", "off", "unknown"] {
            let answer = get(&app, &seller, &format!("{QUEUED}?department={department}")).await;
            answer.is(400, &plain("error-not-authorized"));
        }
        let user = somebody(&app, "user", &["user"]).await;
        app.get(QUEUED).await.is(401, &not_logged_in());
        get(&app, &user, QUEUED).await.is(403, &not_permitted());
        let unknown = coded("must NOT have additional properties [invalid-params]", "invalid-params");
        get(&app, &seller, &format!("{QUEUED}?other=1")).await.is(400, &unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_service_level_to_give() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let user = somebody(&app, "user", &["user"]).await;
        let room = chat(&app, "mary", None).await;
        let body = json!({"roomId": room, "sla": "fast", "other": 1});
        put(&app, &agent, SET_LEVEL, &body).await.is(400, &plain("error-invalid-sla"));
        put(&app, &agent, SET_LEVEL, &json!({"roomId": room})).await.is(400, &plain("error-invalid-sla"));
        for body in [json!({}), json!({"sla": "fast"}), json!({"roomId": "", "sla": "fast"})] {
            put(&app, &agent, SET_LEVEL, &body).await.is(400, &plain("The 'roomId' param is required"));
        }
        let unknown = json!({"roomId": "nowhere", "sla": "fast"});
        put(&app, &agent, SET_LEVEL, &unknown).await.is(400, &plain("error-invalid-inquiry"));
        put(&app, &user, SET_LEVEL, &body).await.is(403, &not_permitted());
        app.call(Method::PUT, SET_LEVEL).json(&body).send().await.is(401, &not_logged_in());
        run(&app, "UPDATE rooms SET inquiry_status = 'ready' WHERE id = ?1", &room).await;
        put(&app, &agent, SET_LEVEL, &body).await.is(400, &plain("error-invalid-inquiry"));
    }
}
