//! Two processes on one database: whoever is connected to one hears what comes to the other.

use std::time::Duration;

use axum::http::Method;
use postgres::{Client, NoTls};
use serde_json::json;
use usher_domain::Stream;
use usher_testkit::RealtimeClient;
use usher_testkit::engines::Engine;

use crate::support::{desk, employ, post, process, take, usual, visitor, widget};

/// The engine that several processes can share.
fn shared() -> Option<Engine> {
    Engine::all().into_iter().find(|engine| matches!(engine, Engine::Postgres(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_goes_on_over_two_processes() {
    let Some(engine) = shared() else { return };
    let (here, there) = (usual(&engine).await, process(&engine, 2).await);
    let agent = employ(&here, "agent").await;
    let room = visitor(&here, "mary").await;
    let mut mary = widget(&there, "mary", &room).await;
    let mut desk = desk(&here, &agent).await;
    take(&here, &agent, &room).await;
    let told = mary.told(Stream::LivechatRoom, &room).await;
    assert_eq!(told[0]["data"]["username"], "agent");
    desk.follow(Stream::RoomMessages, json!([room, false])).await;
    for number in 0..20 {
        let (to, text) = (if number % 2 == 0 { &here } else { &there }, format!("message {number}"));
        to.message("mary", &room, &text).await;
        for client in [&mut mary, &mut desk] {
            let heard = client.wait_for(|frame| frame["fields"]["args"][0]["msg"] == text.as_str()).await;
            assert_eq!(heard["collection"], "stream-room-messages", "{heard}");
        }
    }
    let typing = format!("{room}/typing");
    desk.call("stream-notify-room", json!([typing, "agent", true])).await;
    assert_eq!(mary.told(Stream::NotifyRoom, &typing).await, json!(["agent", true]));
    post(&there, &agent, "/api/v1/users.setStatus", &json!({"status": "busy", "message": ""})).await;
    mary.wait_for(|frame| frame["fields"]["args"] == json!([{"type": "agentStatus", "status": "busy"}])).await;
    there.call(Method::POST, "/api/v1/logout").as_user(&agent).send().await.ok();
    assert_eq!(desk.closed().await, 4_001, "a login that ends in one process takes its connections to others along");
}

/// A process may die between its commit and telling of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_told_of_is_found() {
    let Some(engine) = shared() else { return };
    let Engine::Postgres(database) = &engine else { return };
    let app = usual(&engine).await;
    let agent = employ(&app, "agent").await;
    let room = visitor(&app, "mary").await;
    take(&app, &agent, &room).await;
    let mut desk = desk(&app, &agent).await;
    desk.follow(Stream::RoomData, json!([room, false])).await;
    desk.catch_up(&app).await;
    desk.told_by_now(&app, Stream::RoomData, &room).await;
    let (url, wanted) = (database.url.clone(), room.clone());
    let write = move || {
        let mut client = Client::connect(&url, NoTls).expect("the database is there");
        let mut transaction = client.transaction().expect("it can begin");
        let sql = "UPDATE rooms SET seq = seq + 1, visitor_status = 'away' WHERE id = $1";
        transaction.execute(sql, &[&wanted]).expect("it can be changed");
        let sql = "INSERT INTO room_changes SELECT id, seq, 'room-changed', id FROM rooms WHERE id = $1";
        transaction.execute(sql, &[&wanted]).expect("it can be noted");
        transaction.commit().expect("it can be committed");
    };
    tokio::task::spawn_blocking(write).await.expect("it is written");
    assert_eq!(desk.told(Stream::RoomData, &room).await[0]["v"]["status"], "away");
    let told = desk.told(Stream::NotifyUser, &format!("{}/rooms-changed", agent.user_id)).await;
    assert_eq!(told[0], "updated");
    let mut later = RealtimeClient::connect(&app).await;
    tokio::time::timeout(Duration::from_secs(20), later.catch_up(&app)).await.expect("all goes on");
}
