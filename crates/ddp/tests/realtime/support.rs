//! What the tests share.

use serde_json::{Value, json};
use usher_domain::Stream;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;
use usher_testkit::{RealtimeClient, Setup, TestApp};

/// An application in which chats wait until an agent takes them.
pub async fn usual(engine: &Engine) -> TestApp {
    process(engine, 1).await
}

/// One of several processes on the same data.
pub async fn process(engine: &Engine, number: u64) -> TestApp {
    let setup = Setup::default().seeded(number).setting("Livechat_accept_chats_with_no_agents", "true");
    setup.setting("Livechat_Routing_Method", "Manual_Selection").start(engine).await
}

/// An agent who is there and takes chats.
pub async fn employ(app: &TestApp, username: &str) -> Login {
    let login = app.user(username, &["user", "livechat-agent"]).await;
    post(app, &login, "/api/v1/users.setStatus", &json!({"status": "online", "message": ""})).await;
    post(app, &login, "/api/v1/livechat/agent.status", &json!({"status": "available"})).await;
    login
}

/// How a visitor shows who it is.
pub fn shown(token: &str) -> Value {
    json!({"useCollection": false, "args": [{"token": token, "visitorToken": token}]})
}

/// A refusal of a subscription that is nothing but a code.
pub fn refused(answer: &Value) -> &str {
    assert_eq!(answer["msg"], "nosub", "{answer}");
    answer["error"]["error"].as_str().expect("the code is a text")
}

/// A visitor called like its token, with an open room.
pub async fn visitor(app: &TestApp, token: &str) -> String {
    app.register(token, token).await;
    app.room(token).await
}

/// A visitor's client that hears of everything that the widget hears of.
pub async fn widget(app: &TestApp, token: &str, room: &str) -> RealtimeClient {
    let mut client = RealtimeClient::connect(app).await;
    client.follow(Stream::RoomMessages, json!([room, shown(token)])).await;
    for kind in ["typing", "user-activity", "deleteMessage"] {
        client.follow(Stream::NotifyRoom, json!([format!("{room}/{kind}"), shown(token)])).await;
    }
    client.follow(Stream::LivechatRoom, json!([room, shown(token)])).await;
    client
}

/// An agent's client that hears of what concerns the agent.
pub async fn desk(app: &TestApp, login: &Login) -> RealtimeClient {
    let mut client = RealtimeClient::log_in(app, login).await;
    for kind in ["subscriptions-changed", "rooms-changed", "notification", "userData"] {
        client.follow(Stream::NotifyUser, json!([format!("{}/{kind}", login.user_id), false])).await;
    }
    client
}

/// Takes a visitor's chat out of the queue.
pub async fn take(app: &TestApp, agent: &Login, room: &str) {
    let inquiry = app.call(axum::http::Method::GET, &format!("/api/v1/livechat/inquiries.getOne?roomId={room}")).as_user(agent);
    let inquiry = inquiry.send().await.ok()["inquiry"]["_id"].clone();
    post(app, agent, "/api/v1/livechat/inquiries.take", &json!({"inquiryId": inquiry})).await;
}

/// Calls an operation as somebody; it must do what is asked.
pub async fn post(app: &TestApp, login: &Login, path: &str, body: &Value) -> Value {
    app.call(axum::http::Method::POST, path).as_user(login).json(body).send().await.ok()
}
