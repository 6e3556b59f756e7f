//! The pages that a room's visitor saw, as agents see them.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::omnichannel_users::somebody;
use crate::page_visited::see;
use crate::permissions::{get, not_logged_in, not_permitted};
use crate::support::{coded, encoded, made_id, plain, tamper, usual};

fn path(room: &str, query: &str) -> String {
    format!("/api/v1/livechat/visitors.pagesVisited/{room}{query}")
}

/// Mary, who saw one page before she had a room and two more in it; gives the room.
async fn mary(app: &TestApp) -> String {
    app.register("token-1", "Mary").await;
    see(app, "token-1", None, "/first").await.ok();
    app.advance(Duration::from_secs(1));
    let room = app.room("token-1").await;
    app.message("token-1", &room, "Hello").await;
    for page in ["/second", "/third"] {
        app.advance(Duration::from_secs(1));
        see(app, "token-1", Some(&room), page).await.ok();
    }
    room
}

async fn told(app: &TestApp, login: &Login, room: &str, query: &str) -> Vec<Value> {
    let answer = get(app, login, &path(room, query)).await.ok();
    let pages = answer["pages"].as_array().expect("it is a list");
    assert_eq!((&answer["count"], &answer["total"]), (&json!(pages.len()), &json!(3)));
    pages.iter().map(|page| page["navigation"]["page"]["location"]["href"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_see_which_pages_a_visitor_saw() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let agent = somebody(&app, "agent", &["livechat-agent"]).await;
        let room = mary(&app).await;
        let visitor = app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"]["_id"].clone();
        let answer = get(&app, &agent, &path(&room, "?count=1")).await;
        let expected = json!({
            "pages": [{
                "_id": made_id(&answer.body["pages"][0]["_id"]),
                "rid": room,
                "t": "livechat_navigation_history",
                "msg": "Shop - /third",
                "ts": "2024-01-31T12:00:03.000Z",
                "u": {"_id": "rocket.cat", "username": "rocket.cat"},
                "groupable": false,
                "_hidden": true,
                "_updatedAt": "2024-01-31T12:00:03.000Z",
                "urls": [],
                "mentions": [],
                "channels": [],
                "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": "Shop - /third"}]}],
                "navigation": {
                    "page": {"change": "url", "title": "Shop", "location": {"href": "/third"}},
                    "token": visitor,
                },
            }],
            "count": 1,
            "offset": 0,
            "total": 3,
            "success": true,
        });
        answer.is(200, &expected);
        for (query, expected) in [
            ("", vec!["/third", "/second", "/first"]),
            (r#"?sort={"ts":1}"#, vec!["/first", "/second", "/third"]),
            (r#"?sort={"msg":1}"#, vec!["/third", "/second", "/first"]),
            ("?count=1&offset=1", vec!["/second"]),
            ("?count=0", vec!["/third", "/second", "/first"]),
            ("?offset=3", vec![]),
        ] {
            let query = query.replace('{', &encoded("{")).replace('}', &encoded("}")).replace('"', &encoded("\""));
            assert_eq!(told(&app, &agent, &room, &query).await, expected, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_rooms_that_are_none_are_not_told() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (agent, user) = (somebody(&app, "agent", &["livechat-agent"]).await, somebody(&app, "user", &["user"]).await);
        let room = mary(&app).await;
        app.get(&path(&room, "")).await.is(401, &not_logged_in());
        get(&app, &user, &path(&room, "")).await.is(403, &not_permitted());
        for nowhere in ["nowhere", "token-1", "%20"] {
            get(&app, &agent, &path(nowhere, "")).await.is(400, &plain("invalid-room"));
        }
        let told = "must NOT have additional properties [invalid-params]";
        get(&app, &agent, &path(&room, "?more=1")).await.is(400, &coded(told, "invalid-params"));
        let told = "must be integer [invalid-params]";
        get(&app, &agent, &path(&room, "?count=x")).await.is(400, &coded(told, "invalid-params"));
        tamper(&app, "UPDATE rooms SET erasing = TRUE").await;
        get(&app, &agent, &path(&room, "")).await.is(400, &plain("invalid-room"));
    }
}
