//! Whether visitors are recognised by phone number and e-mail address: what the peer always does, and here a setting that is off.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Reply;
use usher_testkit::engines::Engine;

use crate::page_visited::see;
use crate::support::{ROOM, VISITOR, coded, column, plain, usual};

/// The setting.
const MATCHING: &str = "Usher_Match_Guests_By_Contact";

async fn register(app: &TestApp, members: Value) -> Reply {
    app.post(VISITOR, &json!({"visitor": members})).await
}

/// An application that recognises visitors, with Mary.
async fn with_mary(engine: &Engine) -> (TestApp, Value) {
    let app = usual().setting(MATCHING, "true").start(engine).await;
    let members = json!({"token": "former", "name": "Mary", "email": "mary@example.com", "phone": "555-1"});
    let mary = register(&app, members).await.ok()["visitor"].clone();
    app.advance(Duration::from_secs(1));
    (app, mary)
}

/// The addresses of the pages that were told with each token and wait for a room.
async fn waiting(app: &TestApp) -> Vec<String> {
    column(app, "SELECT token || ' ' || href FROM page_visits ORDER BY token, href").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_number_keeps_its_token() {
    for engine in Engine::all() {
        let (app, mary) = with_mary(&engine).await;
        see(&app, "dropped", None, "/by-the-new-one").await.ok();
        let members = json!({"token": "dropped", "name": "May", "phone": "555-1", "email": "may@example.com"});
        let mut expected = mary.clone();
        expected["name"] = json!("May");
        expected["visitorEmails"] = json!([{"address": "may@example.com"}]);
        expected["_updatedAt"] = json!("2024-01-31T12:00:01.000Z");
        let answer = register(&app, members).await;
        answer.is(200, &json!({"visitor": expected, "success": true}));
        assert_eq!(expected["token"], "former", "the client goes on with the token of the answer");
        app.get(&format!("{VISITOR}/dropped")).await.is(400, &coded("[invalid-token]", "invalid-token"));
        app.get(&format!("{VISITOR}/former")).await.ok();
        assert_eq!(waiting(&app).await, ["former /by-the-new-one"], "what was told with the token that is dropped is Mary's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_address_takes_the_new_token() {
    for engine in Engine::all() {
        let (app, mary) = with_mary(&engine).await;
        let room = app.room("former").await;
        see(&app, "former", None, "/by-the-former-one").await.ok();
        let members = json!({"token": "new", "email": " MARY@example.com"});
        let mut expected = mary.clone();
        expected["token"] = json!("new");
        expected["lastChat"] = json!({"_id": room, "ts": "2024-01-31T12:00:01.000Z"});
        expected["_updatedAt"] = json!("2024-01-31T12:00:01.000Z");
        register(&app, members).await.is(200, &json!({"visitor": expected, "success": true}));

        let nobody = coded("[invalid-token]", "invalid-token");
        app.get(&format!("{VISITOR}/former")).await.is(400, &nobody);
        app.delete(&format!("{VISITOR}/former")).await.is(400, &nobody);
        let post = json!({"token": "former", "rid": room, "msg": "Hello"});
        app.post("/api/v1/livechat/message", &post).await.is(400, &plain("invalid-token"));
        app.get(&format!("{ROOM}?token=former")).await.is(400, &plain("invalid-token"));
        let history = format!("/api/v1/livechat/messages.history/{room}?token=former");
        app.get(&history).await.is(400, &plain("invalid-token"));

        assert_eq!(app.room("new").await, room, "the room is still Mary's");
        app.message("new", &room, "Hello").await;
        assert_eq!(waiting(&app).await, ["new /by-the-former-one"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_of_a_token_comes_first_and_a_number_before_an_address() {
    for engine in Engine::all() {
        let (app, mary) = with_mary(&engine).await;
        let bob = register(&app, json!({"token": "bob", "email": "bob@example.com"})).await.ok()["visitor"].clone();
        let members = json!({"token": "bob", "email": "mary@example.com", "phone": "555-1"});
        assert_eq!(register(&app, members).await.ok()["visitor"]["_id"], bob["_id"], "by the token");
        let members = json!({"token": "other", "phone": "555-1", "email": "nobody@example.com"});
        let found = register(&app, members).await.ok();
        assert_eq!((&found["visitor"]["_id"], &found["visitor"]["token"]), (&mary["_id"], &json!("former")), "by the number");
        let members = json!({"token": "stranger", "phone": "555-2", "email": "unknown@example.com"});
        let stranger = register(&app, members).await.ok();
        assert_eq!((&stranger["visitor"]["token"], &stranger["visitor"]["name"]), (&json!("stranger"), &Value::Null));
        for blank in ["", " "] {
            let members = json!({"token": format!("blank{blank}"), "phone": blank, "email": blank});
            assert_ne!(register(&app, members).await.ok()["visitor"]["_id"], mary["_id"], "nothing recognises nobody");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn otherwise_a_stranger_is_marked_for_agents_to_look_at() {
    const CONTACTS: &str = "SELECT name || ' ' || CASE WHEN possible_duplicate THEN 'twice' ELSE 'once' END
                            FROM contacts ORDER BY created_at, name";
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        for (token, name, contact) in [
            ("1", "Mary", json!({"email": "mary@example.com", "phone": "555-1"})),
            ("2", "ByAddress", json!({"email": "Mary@Example.com"})),
            ("3", "ByNumber", json!({"phone": "555-1"})),
            ("4", "Stranger", json!({"email": "stranger@example.com"})),
        ] {
            let mut members = contact;
            members["token"] = json!(token);
            members["name"] = json!(name);
            let before = column(&app, CONTACTS).await;
            register(&app, members).await.ok();
            assert_eq!(column(&app, CONTACTS).await, before, "a contact comes into being with the first room");
            app.room(token).await;
            app.advance(Duration::from_secs(1));
        }
        assert_eq!(column(&app, CONTACTS).await, ["Mary once", "ByAddress twice", "ByNumber twice", "Stranger once"]);
        app.get(&format!("{VISITOR}/1")).await.ok();
    }
}
