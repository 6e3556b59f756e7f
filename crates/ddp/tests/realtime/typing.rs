//! Telling the others that somebody is typing, in the old way and in the new one.

use serde_json::{Value, json};
use usher_domain::Stream;
use usher_testkit::RealtimeClient;
use usher_testkit::engines::Engine;

use crate::support::{employ, take, usual, visitor, widget};

const ACTIVE: [&str; 1] = ["user-typing"];

#[tokio::test(flavor = "multi_thread")]
async fn each_side_hears_that_the_other_is_typing() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let room = visitor(&app, "mary").await;
        take(&app, &agent, &room).await;
        let mut mary = widget(&app, "mary", &room).await;
        let mut desk = RealtimeClient::log_in(&app, &agent).await;
        let (typing, activity) = (format!("{room}/typing"), format!("{room}/user-activity"));
        for event in [&typing, &activity] {
            desk.follow(Stream::NotifyRoom, json!([event, false])).await;
        }
        let none: [&str; 0] = [];
        for (event, said, is_typing) in [
            (&typing, json!(true), true),
            (&typing, json!(false), false),
            (&activity, json!(ACTIVE), true),
            (&activity, json!([]), false),
        ] {
            let written = mary.call("stream-notify-room", json!([event, "guest-1", said, {"token": "mary"}])).await;
            assert_eq!(written, json!({"msg": "result", "id": written["id"]}), "it gives nothing");
            let activities: Value = if is_typing { json!(ACTIVE) } else { json!(none) };
            assert_eq!(desk.told(Stream::NotifyRoom, &typing).await, json!(["guest-1", is_typing]));
            assert_eq!(desk.told(Stream::NotifyRoom, &activity).await, json!(["guest-1", activities]));
            desk.call("stream-notify-room", json!([event, "agent", said])).await;
            assert_eq!(mary.told(Stream::NotifyRoom, &typing).await, json!(["agent", is_typing]));
            assert_eq!(mary.told(Stream::NotifyRoom, &activity).await, json!(["agent", activities]));
        }
        assert_eq!(mary.told_by_now(&app, Stream::NotifyRoom, &typing).await, [Value::Null; 0], "nobody hears itself");
        desk.call("stream-notify-room", json!([activity, "agent", ["user-uploading"]])).await;
        assert_eq!(mary.told(Stream::NotifyRoom, &activity).await, json!(["agent", ["user-uploading"]]));
        assert_eq!(mary.told_by_now(&app, Stream::NotifyRoom, &typing).await, [Value::Null; 0], "that is no typing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_said_is_not_heard() {
    let app = usual(&Engine::sqlite()).await;
    let agent = employ(&app, "agent").await;
    let other = employ(&app, "other").await;
    let room = visitor(&app, "mary").await;
    visitor(&app, "john").await;
    take(&app, &agent, &room).await;
    let mut mary = widget(&app, "mary", &room).await;
    let anonymous = RealtimeClient::connect(&app).await;
    let (desk, stranger) = (RealtimeClient::log_in(&app, &agent).await, RealtimeClient::log_in(&app, &other).await);
    let mut clients = [anonymous, desk, stranger];
    let typing = format!("{room}/typing");
    for (who, parameters) in [
        (0, json!([typing, "guest-1", true])),
        (0, json!([typing, "guest-1", true, {"token": "john"}])),
        (0, json!([typing, "guest-1", true, {"token": ""}])),
        (0, json!([typing, "guest-1", true, {"token": {"$ne": ""}}])),
        (0, json!(["nowhere/typing", "guest-1", true, {"token": "mary"}])),
        (0, json!([{"$ne": ""}, "guest-1", true, {"token": "mary"}])),
        (0, json!([])),
        (1, json!([typing, "other", true])),
        (1, json!([format!("{room}/deleteMessage"), "agent", [{"_id": "x"}]])),
        (2, json!([typing, "other", true])),
    ] {
        let written = clients[who].call("stream-notify-room", parameters.clone()).await;
        assert!(written.get("error").is_none(), "it is not told: {written}");
        for kind in ["typing", "user-activity", "deleteMessage"] {
            let told = mary.told_by_now(&app, Stream::NotifyRoom, &format!("{room}/{kind}")).await;
            assert_eq!(told, [Value::Null; 0], "{parameters}");
        }
    }
}
