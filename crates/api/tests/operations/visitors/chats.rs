//! The rooms of a visitor, as those see them who may read one of them.

use std::time::Duration;

use serde_json::{Value, json};
use usher_domain::visitor::VisitorToken;
use usher_services::rooms::ClosingByUser;
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::omnichannel_users::somebody;
use crate::permissions::{get, not_logged_in, not_permitted};
use crate::requests::{account, serve_all_rooms};
use crate::support::{ROOM, coded, encoded, plain, tamper, usual};

fn history(room: &str, visitor: &str, query: &str) -> String {
    format!("/api/v1/livechat/visitors.chatHistory/room/{room}/visitor/{visitor}{query}")
}

fn search(room: &str, visitor: &str, query: &str) -> String {
    format!("/api/v1/livechat/visitors.searchChats/room/{room}/visitor/{visitor}{query}")
}

/// Mary with three rooms, of which the last is open; a second between each two events.
struct Scene {
    app: TestApp,
    agent: Login,
    manager: Login,
    visitor: String,
    rooms: [String; 3],
}

impl Scene {
    async fn new(engine: &Engine) -> Scene {
        let app = usual().start(engine).await;
        let (agent, manager) =
            (somebody(&app, "agent", &["livechat-agent"]).await, somebody(&app, "manager", &["livechat-manager"]).await);
        let record = app.register("token-1", "Mary").await;
        let visitor = record["_id"].as_str().expect("a visitor has an id").to_owned();
        let second = Duration::from_secs(1);
        let first = app.room("token-1").await;
        app.message("token-1", &first, "Shoes, 100%").await;
        serve_all_rooms(&app, "agent").await;
        app.advance(second);
        close(&app, &manager, &first, "done").await;
        app.advance(second);
        let then =
            app.call(axum::http::Method::GET, &format!("{ROOM}?token=token-1")).header("cookie", "rc_room_type=l; rc_is_widget=t");
        let then = then.send().await.ok()["room"]["_id"].as_str().expect("a room has an id").to_owned();
        app.message("token-1", &then, "shoes").await;
        app.advance(second);
        app.services.close_by_visitor(VisitorToken::new("token-1").expect("it is one"), then.clone()).await.expect("it closes");
        app.advance(second);
        let last = app.room("token-1").await;
        Scene { app, agent, manager, visitor, rooms: [first, then, last] }
    }

    /// The numbers of the rooms that are found, in their order.
    async fn found(&self, query: &str) -> Vec<usize> {
        let answer = get(&self.app, &self.manager, &search(&self.rooms[0], &self.visitor, query)).await.ok();
        let list = answer["history"].as_array().expect("it is a list");
        assert_eq!(answer["count"], list.len());
        let number = |room: &Value| self.rooms.iter().position(|id| room["_id"] == *id).expect("it is one of them");
        list.iter().map(number).collect()
    }
}

async fn close(app: &TestApp, login: &Login, room: &str, comment: &str) {
    let account = account(app, login).await.expect("it is logged in");
    let tags = vec!["sold".to_owned(), "happy".to_owned()];
    let closing = ClosingByUser { room_id: room.to_owned(), comment: comment.to_owned(), tags, ..ClosingByUser::default() };
    app.services.close_by_user(&account, closing).await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rooms_of_a_visitor_are_listed_whole() {
    for engine in Engine::all() {
        let scene = Scene::new(&engine).await;
        let Scene { app, manager, visitor, rooms, .. } = &scene;
        app.message("token-1", &rooms[2], "Hello").await;
        // What the visitor sees of its room, with its id where a token stands.
        let mut open = app.get(&format!("{ROOM}?token=token-1")).await.ok()["room"].clone();
        open["v"]["token"] = json!(visitor);
        open["lastMessage"]["token"] = json!(visitor);
        let answer = get(app, manager, &history(&rooms[0], visitor, "?count=1")).await;
        answer.is(200, &json!({"history": [open], "count": 1, "offset": 0, "total": 3, "success": true}));

        let listed = get(app, manager, &history(&rooms[0], visitor, "")).await.ok();
        let ids: Vec<&Value> = listed["history"].as_array().expect("it is a list").iter().map(|room| &room["_id"]).collect();
        assert_eq!(ids, [&rooms[2], &rooms[1], &rooms[0]]);
        let closed = &listed["history"][2];
        assert_eq!(
            (&closed["closedAt"], &closed["closer"], &closed["open"]),
            (&json!("2024-01-31T12:00:01.000Z"), &json!("user"), &Value::Null)
        );
        assert_eq!(closed["lastMessage"]["t"], "livechat-close");
        assert!(!listed.to_string().contains("token-1"), "{listed}");

        for (query, expected) in [
            (r#"{"ts":1}"#, [0, 1, 2]),
            (r#"{"closedAt":1}"#, [2, 0, 1]),
            (r#"{"closedAt":-1}"#, [1, 0, 2]),
            (r#"{"lm":1}"#, [0, 1, 2]),
            (r#"{"lm":-1}"#, [2, 1, 0]),
            (r#"{"msgs":1}"#, [2, 1, 0]),
        ] {
            let listed = get(app, manager, &history(&rooms[0], visitor, &format!("?sort={}", encoded(query)))).await.ok();
            let ids: Vec<&Value> = listed["history"].as_array().expect("it is a list").iter().map(|room| &room["_id"]).collect();
            assert_eq!(ids, expected.map(|number| &rooms[number]), "{query}");
        }
        let page = get(app, manager, &history(&rooms[0], visitor, "?offset=2&count=5")).await.ok();
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(1), &json!(2), &json!(3)));
        let fields = format!("?count=1&fields={}", encoded(r#"{"fname":1}"#));
        let projected = get(app, manager, &history(&rooms[0], visitor, &fields)).await.ok();
        assert_eq!(projected["history"], json!([{"_id": rooms[2], "fname": "Mary"}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_shows_what_a_list_needs_and_how_a_chat_ended() {
    for engine in Engine::all() {
        let scene = Scene::new(&engine).await;
        let Scene { app, manager, visitor, rooms, .. } = &scene;
        let told = app.get(&crate::support::history(&rooms[0], "token=token-1&limit=1")).await.ok();
        let closing = &told["messages"][0];
        assert_eq!(
            (&closing["t"], &closing["msg"], &closing["u"]["_id"]),
            (&json!("livechat-close"), &json!("done"), &json!("manager"))
        );
        let person = json!({"_id": "agent", "username": "agent", "ts": "2024-01-31T12:00:00.000Z"});
        let whole = get(app, manager, &history(&rooms[0], visitor, "?offset=2")).await.ok()["history"][0].clone();
        let expected = json!({
            "history": [{
                "_id": rooms[0],
                "fname": "Mary",
                "ts": "2024-01-31T12:00:00.000Z",
                "v": {
                    "_id": visitor,
                    "username": "guest-1",
                    "token": visitor,
                    "status": "offline",
                    "lastMessageTs": whole["v"]["lastMessageTs"],
                },
                "msgs": whole["msgs"],
                "servedBy": person,
                "closedAt": "2024-01-31T12:00:01.000Z",
                "closedBy": {"_id": "manager", "username": "manager"},
                "closer": "user",
                "tags": ["sold", "happy"],
                "closingMessage": closing,
            }],
            "count": 1,
            "offset": 0,
            "total": 1,
            "success": true,
        });
        get(app, manager, &search(&rooms[1], visitor, "?closedChatsOnly=true&servedChatsOnly=true")).await.is(200, &expected);

        let by_visitor = get(app, manager, &search(&rooms[1], visitor, "?offset=1&count=1")).await.ok()["history"][0].clone();
        assert_eq!((&by_visitor["closer"], &by_visitor["closingMessage"]["token"]), (&json!("visitor"), &json!(visitor)));
        let open = get(app, manager, &search(&rooms[1], visitor, "?count=1")).await.ok()["history"][0].clone();
        let v = json!({"_id": visitor, "username": "guest-1", "token": visitor, "status": "online"});
        assert_eq!(open, json!({"_id": rooms[2], "fname": "Mary", "ts": "2024-01-31T12:00:04.000Z", "v": v, "msgs": 1}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_has_filters() {
    let table: [(&str, &[usize]); 20] = [
        ("", &[2, 1, 0]),
        ("?closedChatsOnly=true", &[1, 0]),
        ("?closedChatsOnly=false", &[2, 1, 0]),
        ("?closedChatsOnly=1", &[2, 1, 0]),
        ("?servedChatsOnly=true", &[0]),
        ("?searchText=Shoes", &[0]),
        ("?searchText=shoes", &[1]),
        ("?searchText=hoes", &[1, 0]),
        ("?searchText=", &[2, 1, 0]),
        ("?searchText=100%25", &[0]),
        ("?searchText=%25", &[0]),
        ("?searchText=_", &[]),
        ("?searchText=done", &[0]),
        ("?source=widget", &[1]),
        ("?source=WID", &[1]),
        ("?source=i", &[2, 1, 0]),
        ("?source=%25", &[]),
        ("?source=", &[2, 1, 0]),
        ("?searchText=hoes&servedChatsOnly=true&closedChatsOnly=true&source=api", &[0]),
        ("?searchText=shoes&source=api", &[]),
    ];
    for engine in Engine::all() {
        let scene = Scene::new(&engine).await;
        for (query, expected) in table {
            assert_eq!(scene.found(query).await, expected, "{query}");
        }
        let Scene { app, manager, visitor, rooms, .. } = &scene;
        let page = get(app, manager, &search(&rooms[0], visitor, "?searchText=hoes&count=1&offset=1")).await.ok();
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(1), &json!(1), &json!(2)));
        for (query, told) in [
            ("?more=1", "must NOT have additional properties"),
            ("?searchText[]=a", "must be string"),
            ("?count=x", "must be integer"),
        ] {
            let expected = coded(&format!("{told} [invalid-params]"), "invalid-params");
            get(app, manager, &search(&rooms[0], visitor, query)).await.is(400, &expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_see_them_who_may_read_the_room() {
    for engine in Engine::all() {
        let Scene { app, agent, manager, visitor, rooms } = Scene::new(&engine).await;
        let user = somebody(&app, "user", &["user"]).await;
        for path in [history, search] {
            app.get(&path(&rooms[0], &visitor, "")).await.is(401, &not_logged_in());
            get(&app, &user, &path(&rooms[0], &visitor, "")).await.is(403, &not_permitted());
            let seen = get(&app, &agent, &path(&rooms[0], &visitor, "")).await.ok();
            assert_eq!(seen["total"], 3, "whoever served one of the rooms sees them all");
            for room in &rooms[1..] {
                get(&app, &agent, &path(room, &visitor, "")).await.is(400, &plain("error-not-allowed"));
            }
            for nowhere in ["nowhere", "token-1", &visitor] {
                get(&app, &manager, &path(nowhere, &visitor, "")).await.is(400, &plain("invalid-room"));
            }
        }
        serve_all_rooms(&app, "agent").await;
        get(&app, &agent, &history(&rooms[2], &visitor, "")).await.ok();
    }
}

/// The peer lists the rooms of whoever is named, whatever room is named with it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_seen_through_the_room_of_somebody_else() {
    let nothing = json!({"history": [], "count": 0, "offset": 0, "total": 0, "success": true});
    for engine in Engine::all() {
        let Scene { app, agent, manager, visitor, rooms } = Scene::new(&engine).await;
        let bob = app.register("token-2", "Bob").await["_id"].as_str().expect("a visitor has an id").to_owned();
        let bobs = app.room("token-2").await;
        for path in [history, search] {
            for (login, room, who) in [
                (&agent, &rooms[0], &bob),
                (&manager, &rooms[0], &bob),
                (&manager, &bobs, &visitor),
                (&manager, &bobs, &"nobody".to_owned()),
            ] {
                get(&app, login, &path(room, who, "")).await.is(200, &nothing);
            }
            assert_eq!(get(&app, &manager, &path(&bobs, &bob, "")).await.ok()["total"], 1);
        }
        tamper(&app, "UPDATE rooms SET contact_id = (SELECT contact_id FROM visitors WHERE name = 'Mary')").await;
        let same = get(&app, &manager, &history(&bobs, &visitor, "")).await.ok();
        assert_eq!(same["total"], 3, "the same contact by another channel is no other");
    }
}
