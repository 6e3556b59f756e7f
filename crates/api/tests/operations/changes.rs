//! `GET usher/rooms/{rid}/changes` and `GET usher/me/changes`: what clients missed while they were not connected.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use crate::inquiries::agent;
use crate::permissions::{not_logged_in, post};
use crate::support::{plain, usual};

async fn get(app: &TestApp, login: &Login, path: &str) -> Reply {
    app.call(Method::GET, path).as_user(login).send().await
}

/// What happened in a room, as its visitor asks.
async fn since(app: &TestApp, room: &str, seq: i64) -> Value {
    app.get(&format!("/api/v1/usher/rooms/{room}/changes?token=token-1&since={seq}")).await.ok()
}

fn texts(answer: &Value) -> Vec<&str> {
    let messages = answer["messages"].as_array().expect("it is a list");
    messages.iter().map(|message| message["msg"].as_str().expect("a message has a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_catch_up_with_their_room() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let begun = since(&app, &room, 0).await;
        assert_eq!((&begun["refetch"], &begun["room"]["_id"]), (&json!(false), &json!(room)));
        let known = begun["seq"].as_i64().expect("it is a number");
        let nothing = json!({"seq": known, "refetch": false, "messages": [], "deleted": [], "success": true});
        assert_eq!(since(&app, &room, known).await, nothing);

        let first = app.message("token-1", &room, "One").await;
        let second = app.message("token-1", &room, "Two").await;
        let edit = json!({"token": "token-1", "rid": room, "msg": "First"});
        let path = format!("/api/v1/livechat/message/{}", first["_id"].as_str().expect("it has an id"));
        app.call(Method::PUT, &path).json(&edit).send().await.ok();
        let missed = since(&app, &room, known).await;
        assert_eq!(texts(&missed), ["First", "Two"], "oldest first, and as they are by now");
        assert_eq!((&missed["messages"][0]["token"], &missed["room"]["lastMessage"]["msg"]), (&json!("token-1"), &json!("Two")));
        let delete = json!({"token": "token-1", "rid": room});
        let path = format!("/api/v1/livechat/message/{}", second["_id"].as_str().expect("it has an id"));
        app.call(Method::DELETE, &path).json(&delete).send().await.ok();
        let later = since(&app, &room, missed["seq"].as_i64().expect("it is a number")).await;
        assert_eq!((texts(&later), &later["deleted"]), (vec![], &json!([second["_id"]])));

        let now = later["seq"].as_i64().expect("it is a number");
        let anew = json!({"seq": now, "refetch": true, "messages": [], "deleted": [], "success": true});
        for unknown in [-1, now + 1, i64::MAX] {
            assert_eq!(since(&app, &room, unknown).await, anew, "{unknown}");
        }
        for number in 0..501 {
            app.message("token-1", &room, &number.to_string()).await;
        }
        assert_eq!(since(&app, &room, now).await["refetch"], true, "too much to be told at once");
        assert_eq!(since(&app, &room, now + 1).await["messages"].as_array().map(Vec::len), Some(500));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_hears_of_a_room() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Manual_Selection").start(&engine).await;
        let (ana, ben) = (agent(&app, "ana").await, agent(&app, "ben").await);
        app.register("token-1", "Mary").await;
        app.register("token-2", "John").await;
        let room = app.room("token-1").await;
        let inquiry = get(&app, &ana, &format!("/api/v1/livechat/inquiries.getOne?roomId={room}")).await.ok();
        post(&app, &ana, "/api/v1/livechat/inquiries.take", &json!({"inquiryId": inquiry["inquiry"]["_id"]})).await.ok();
        let path = format!("/api/v1/usher/rooms/{room}/changes?since=0");
        let seen = get(&app, &ana, &path).await.ok();
        assert_eq!(seen["room"]["v"]["token"], seen["room"]["v"]["_id"], "nobody else sees the token");
        get(&app, &ben, &path).await.is(400, &plain("invalid-room"));
        app.get(&path).await.is(401, &not_logged_in());
        for (token, room) in [("token-2", room.as_str()), ("", &room), ("nobody", &room), ("token-1", "nowhere")] {
            let path = format!("/api/v1/usher/rooms/{room}/changes?since=0&token={token}");
            app.get(&path).await.is(400, &plain("invalid-room"));
            // Whoever shows a token is asked for it.
            get(&app, &ana, &path).await.is(400, &plain("invalid-room"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_catch_up_with_their_list() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Manual_Selection").start(&engine).await;
        let ana = agent(&app, "ana").await;
        let list = async |since: i64| get(&app, &ana, &format!("/api/v1/usher/me/changes?since={since}")).await.ok();
        let begun = list(0).await;
        let known = begun["seq"].as_i64().expect("it is a number");
        let anew = |seq: i64, refetch: bool| {
            json!({"seq": seq, "refetch": refetch, "subscriptions": [], "rooms": [], "removedSubscriptions": [], "removedRooms": [],
                "success": true})
        };
        assert_eq!(begun, anew(known, true), "who knows nothing reads all");
        assert_eq!(list(known).await, anew(known, false));
        assert_eq!(list(known + 1).await, anew(known, true), "nobody knows the future");

        app.advance(Duration::from_secs(60));
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let inquiry = get(&app, &ana, &format!("/api/v1/livechat/inquiries.getOne?roomId={room}")).await.ok();
        post(&app, &ana, "/api/v1/livechat/inquiries.take", &json!({"inquiryId": inquiry["inquiry"]["_id"]})).await.ok();
        let came = list(known).await;
        assert_eq!((&came["subscriptions"][0]["rid"], &came["rooms"][0]["_id"]), (&json!(room), &json!(room)));
        let later = came["seq"].as_i64().expect("it is a number");
        assert_eq!(list(later).await["rooms"], came["rooms"], "what has just come may come twice");
        app.advance(Duration::from_secs(60));
        let later = later + 60_000;
        assert_eq!(list(later).await, anew(later, false));
        app.post("/api/v1/livechat/room.close", &json!({"rid": room, "token": "token-1"})).await.ok();
        let gone = list(later).await;
        assert_eq!(
            (&gone["removedSubscriptions"][0]["_id"], &gone["removedRooms"][0]["_id"]),
            (&came["subscriptions"][0]["_id"], &json!(room))
        );
        app.advance(Duration::from_secs(31 * 86_400));
        let login = app.admin().await;
        let path = format!("/api/v1/usher/me/changes?since={later}");
        assert_eq!(get(&app, &login, &path).await.ok()["refetch"], true, "that is too long ago");
    }
}
