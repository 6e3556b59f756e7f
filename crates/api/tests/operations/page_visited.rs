//! `POST livechat/page.visited`: pages that visitors see, in their rooms or before they have one.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Reply;
use usher_testkit::engines::Engine;

use crate::support::{VISITOR, coded, column, history, plain, rows, tamper, usual};

/// Where pages are told of.
pub const PATH: &str = "/api/v1/livechat/page.visited";

const SHOWN: &str = "Livechat_Visitor_navigation_as_a_message";

/// Tells that a visitor sees the page at `href`.
pub async fn see(app: &TestApp, token: &str, room: Option<&str>, href: &str) -> Reply {
    let mut body = json!({"token": token, "pageInfo": {"change": "url", "title": "Shop", "location": {"href": href}}});
    if let Some(room) = room {
        body["rid"] = json!(room);
    }
    app.post(PATH, &body).await
}

/// What is answered, whoever has the token and the room.
fn noted(token: &str, href: &str) -> Value {
    let page = json!({"change": "url", "title": "Shop", "location": {"href": href}});
    json!({"page": {"msg": format!("Shop - {href}"), "navigation": {"page": page, "token": token}}, "success": true})
}

/// The pages in rooms, in their order.
async fn in_rooms(app: &TestApp) -> Vec<String> {
    column(app, "SELECT text FROM messages WHERE kind = 'livechat_navigation_history' ORDER BY room_id, ts").await
}

/// The pages that wait for a room, with their tokens.
async fn waiting(app: &TestApp) -> Vec<String> {
    column(app, "SELECT token || ' ' || href FROM page_visits ORDER BY token, visited_at").await
}

/// The texts that the visitor's history shows, the latest first.
async fn told(app: &TestApp, token: &str, room: &str) -> Vec<Value> {
    let answer = app.get(&history(room, &format!("token={token}"))).await.ok();
    answer["messages"].as_array().expect("it is a list").iter().map(|message| message["msg"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_in_the_visitors_room() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let before = app.get("/api/v1/livechat/room?token=token-1").await.ok()["room"].clone();
        app.advance(Duration::from_secs(1));
        see(&app, "token-1", Some(&room), "/shoes").await.is(200, &noted("token-1", "/shoes"));
        assert_eq!((in_rooms(&app).await, waiting(&app).await), (vec!["Shop - /shoes".to_owned()], vec![]));
        assert_eq!(told(&app, "token-1", &room).await, [""], "no history shows it but the message that began the chat");

        let mut after = app.get("/api/v1/livechat/room?token=token-1").await.ok()["room"].clone();
        assert_eq!((&after["msgs"], &after["_updatedAt"]), (&json!(2), &json!("2024-01-31T12:00:01.000Z")));
        for member in ["msgs", "_updatedAt"] {
            after[member] = before[member].clone();
        }
        assert_eq!(after, before, "it is no news");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_show_it_where_the_setting_says_so() {
    for engine in Engine::all() {
        let app = usual().setting(SHOWN, "true").start(&engine).await;
        app.register("token-1", "Mary").await;
        see(&app, "token-1", None, "/before").await.ok();
        let room = app.room("token-1").await;
        see(&app, "token-1", Some(&room), "/after").await.ok();
        assert_eq!(told(&app, "token-1", &room).await, ["Shop - /after", "", "Shop - /before"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_room_it_waits_for_the_next_one() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        see(&app, "token-1", None, "/first").await.is(200, &noted("token-1", "/first"));
        app.advance(Duration::from_secs(5));
        app.register("token-1", "Mary").await;
        see(&app, "token-1", None, "/second").await.ok();
        see(&app, "token-2", None, "/of-somebody-else").await.ok();
        assert_eq!(waiting(&app).await, ["token-1 /first", "token-1 /second", "token-2 /of-somebody-else"]);
        assert_eq!(in_rooms(&app).await, [""; 0]);

        app.advance(Duration::from_secs(5));
        let room = app.room("token-1").await;
        assert_eq!(in_rooms(&app).await, ["Shop - /first", "Shop - /second"]);
        assert_eq!(waiting(&app).await, ["token-2 /of-somebody-else"]);
        let times = column(&app, "SELECT CAST(ts - 1706702400000 AS TEXT) FROM messages ORDER BY ts").await;
        assert_eq!(times, ["0", "5000", "10000"], "they have the times at which the pages were seen");
        assert_eq!(told(&app, "token-1", &room).await, [""]);
    }
}

/// Whatever is wrong with room and token, the answer is the same, so that it tells nothing of them.
#[tokio::test(flavor = "multi_thread")]
async fn no_room_of_somebody_else_learns_of_it() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for (token, name) in [("token-1", "Mary"), ("token-2", "Bob")] {
            app.register(token, name).await;
        }
        let (marys, bobs) = (app.room("token-1").await, app.room("token-2").await);
        for (token, room) in [
            ("token-1", Some(bobs.as_str())),
            ("nobody", Some(&marys)),
            ("token-1", Some("nowhere")),
            ("token-1", Some("")),
            ("token-1", None),
            ("TOKEN-1", Some(&marys)),
        ] {
            see(&app, token, room, "/page").await.is(200, &noted(token, "/page"));
        }
        assert_eq!(in_rooms(&app).await, [""; 0]);
        let before = waiting(&app).await;
        assert_eq!(before.len(), 6);
        for blank in ["", " "] {
            see(&app, blank, Some(&marys), "/page").await.is(200, &noted(blank, "/page"));
        }
        assert_eq!(waiting(&app).await, before, "a token that can be nobody's keeps nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_change_that_is_looked_at_counts() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_history_monitor_type", "title").start(&engine).await;
        let body = |change: &str| json!({"token": "t", "pageInfo": {"change": change, "title": "T", "location": {"href": "/h"}}});
        for change in ["url", "", "TITLE"] {
            app.post(PATH, &body(change)).await.is(200, &json!({"success": true}));
        }
        assert_eq!(waiting(&app).await, [""; 0]);
        let page = json!({"change": "title", "title": "T", "location": {"href": "/h"}});
        let expected = json!({"page": {"msg": "T - /h", "navigation": {"page": page, "token": "t"}}, "success": true});
        app.post(PATH, &body("title")).await.is(200, &expected);
        assert_eq!(waiting(&app).await, ["t /h"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_a_hundred_wait_for_a_room() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        see(&app, "other", None, "/page").await.ok();
        for number in 0..105 {
            app.advance(Duration::from_millis(1));
            see(&app, "token-1", None, &format!("/{number}")).await.ok();
        }
        let kept = waiting(&app).await;
        assert_eq!((kept.len(), kept[0].as_str(), kept[1].as_str()), (101, "other /page", "token-1 /5"), "the latest are kept");
        for number in 0..105 {
            see(&app, "token-2", None, &format!("/{number}")).await.ok();
        }
        assert_eq!(waiting(&app).await.len(), 201, "also of those that came at one time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_cannot_be_are_refused() {
    let page = |page: Value| json!({"token": "token-1", "pageInfo": page});
    let href = |href: Value| page(json!({"change": "url", "title": "", "location": {"href": href}}));
    let table = [
        (json!({}), "must have required property 'token'"),
        (json!({"token": "token-1"}), "must have required property 'pageInfo'"),
        (json!({"token": "token-1", "pageInfo": "x"}), "must be object"),
        (json!({"token": "t", "pageInfo": {}, "more": 1}), "must NOT have additional properties"),
        (page(json!({"title": "", "location": {"href": ""}})), "must have required property 'change'"),
        (page(json!({"change": "url", "location": {"href": ""}})), "must have required property 'title'"),
        (page(json!({"change": "url", "title": ""})), "must have required property 'location'"),
        (page(json!({"change": "url", "title": "", "location": {}})), "must have required property 'href'"),
        (page(json!({"change": "url", "title": "", "location": "x"})), "must be object"),
        (page(json!({"change": "c".repeat(65), "title": "", "location": {"href": ""}})), "must NOT have more than 64 characters"),
        (
            page(json!({"change": "url", "title": "t".repeat(1_025), "location": {"href": ""}})),
            "must NOT have more than 1024 characters",
        ),
        (href(json!("h".repeat(8_193))), "must NOT have more than 8192 characters"),
        (href(json!({"$ne": null})), "must be string"),
        (href(json!("\0")), "must NOT contain the NUL character"),
        (
            json!({"token": "t".repeat(1_025), "pageInfo": {"change": "", "title": "", "location": {"href": ""}}}),
            "must NOT have more than 1024 characters",
        ),
        (
            json!({"token": "t", "rid": "r".repeat(129), "pageInfo": {"change": "", "title": "", "location": {"href": ""}}}),
            "must NOT have more than 128 characters",
        ),
    ];
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let before = rows(&app).await;
        for (body, error) in &table {
            app.post(PATH, body).await.is(400, &coded(error, "invalid-params"));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_floods() {
    for engine in Engine::all() {
        let app = usual().with_rate_limits().start(&engine).await;
        for _ in 0..60 {
            see(&app, "token-1", None, "/page").await.ok();
        }
        let before = rows(&app).await;
        assert_eq!(see(&app, "token-1", None, "/page").await.status.as_u16(), 429);
        assert_eq!(rows(&app).await, before, "what is refused is not done");
        see(&app, "token-2", None, "/page").await.ok();
        app.advance(Duration::from_secs(1));
        see(&app, "token-1", None, "/page").await.ok();
    }
    let app = usual().with_rate_limits().start(&Engine::sqlite()).await;
    for token in 0..1_200 {
        see(&app, &format!("made-up-{token}"), None, "/page").await.ok();
    }
    assert_eq!(see(&app, "one-too-many", None, "/page").await.status.as_u16(), 429, "nor with tokens that are made up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_had_a_room_is_forgotten_after_thirty_days() {
    let day = Duration::from_secs(86_400);
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        see(&app, "token-1", None, "/old").await.ok();
        app.advance(day);
        see(&app, "token-1", None, "/young").await.ok();
        app.register("token-2", "Mary").await;
        see(&app, "token-2", None, "/in-a-room").await.ok();
        app.room("token-2").await;
        app.advance(day * 29);
        tamper(&app, "INSERT INTO removed_subscriptions VALUES ('old', 'user', 'room', 1706702400000)").await;
        tamper(&app, "INSERT INTO removed_subscriptions VALUES ('young', 'user', 'room', 1706702400001)").await;
        assert_eq!(app.services.forget_old().await, Ok(0), "thirty days are not over");
        app.advance(Duration::from_millis(1));
        assert_eq!(app.services.forget_old().await, Ok(2));
        assert_eq!(column(&app, "SELECT id FROM removed_subscriptions").await, ["young"]);
        assert_eq!(
            (waiting(&app).await, in_rooms(&app).await),
            (vec!["token-1 /young".to_owned()], vec!["Shop - /in-a-room".to_owned()])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_visitor_forgets_what_waits() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        app.register("token-1", "Mary").await;
        see(&app, "token-1", None, "/of-mary").await.ok();
        see(&app, "token-2", None, "/of-somebody-else").await.ok();
        app.delete(&format!("{VISITOR}/token-1")).await.ok();
        assert_eq!(waiting(&app).await, ["token-2 /of-somebody-else"]);
        app.get(&format!("{VISITOR}/token-2")).await.is(400, &coded("[invalid-token]", "invalid-token"));
        app.get("/api/v1/livechat/room?token=token-2").await.is(400, &plain("invalid-token"));
    }
}
