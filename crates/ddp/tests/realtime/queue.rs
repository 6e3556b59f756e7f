//! What is told to those who look at the queue.

use serde_json::{Value, json};
use usher_domain::Stream;
use usher_testkit::RealtimeClient;
use usher_testkit::engines::Engine;

use crate::support::{employ, post, take, usual, visitor};

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_comes_into_the_queue_and_leaves_it() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let mut desk = RealtimeClient::log_in(&app, &agent).await;
        desk.follow(Stream::InquiryQueue, json!(["public", false])).await;
        let notification = format!("{}/notification", agent.user_id);
        desk.follow(Stream::NotifyUser, json!([notification, false])).await;
        let room = visitor(&app, "mary").await;
        let told = desk.told(Stream::NotifyUser, &notification).await;
        let shown = (&told[0]["title"], &told[0]["text"], &told[0]["payload"]["rid"]);
        assert_eq!(shown, (&json!("[Omnichannel] mary"), &json!("mary started a new conversation"), &json!(room)));
        let told = desk.told(Stream::InquiryQueue, "public").await;
        let inquiry = &told[0];
        let expected = (&json!("added"), &json!(room), &json!("queued"), &inquiry["v"]["_id"]);
        assert_eq!((&inquiry["type"], &inquiry["rid"], &inquiry["status"], &inquiry["v"]["token"]), expected, "{told}");
        desk.follow(Stream::InquiryQueue, json!([inquiry["_id"], false])).await;

        app.message("mary", &room, "Hello").await;
        let told = desk.told(Stream::InquiryQueue, "public").await;
        assert_eq!((&told[0]["type"], &told[0]["lastMessage"]["msg"]), (&json!("changed"), &json!("Hello")), "{told}");
        let id = inquiry["_id"].as_str().expect("it has an id");
        assert_eq!(desk.told(Stream::InquiryQueue, id).await[0]["clientAction"], "updated");

        take(&app, &agent, &room).await;
        let told = desk.told(Stream::InquiryQueue, "public").await;
        assert_eq!((&told[0]["type"], &told[0]["status"]), (&json!("changed"), &json!("taken")), "{told}");
        app.message("mary", &room, "How are you?").await;
        post(&app, &agent, "/api/v1/livechat/inquiries.returnAsInquiry", &json!({"roomId": room})).await;
        let told = desk.told(Stream::InquiryQueue, "public").await;
        assert_eq!(
            (&told[0]["type"], &told[0]["status"]),
            (&json!("changed"), &json!("queued")),
            "what is said in between is not told"
        );
        app.post("/api/v1/livechat/room.close", &json!({"rid": room, "token": "mary"})).await.ok();
        let told = desk.told(Stream::InquiryQueue, "public").await;
        assert_eq!((&told[0]["type"], &told[0]["_id"]), (&json!("removed"), &json!(id)), "{told}");
        desk.wait_for(|frame| frame["fields"]["args"] == json!([{"_id": id, "clientAction": "removed"}])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_department_has_a_queue_of_its_own() {
    let app = usual(&Engine::sqlite()).await;
    let (admin, agent) = (app.admin().await, employ(&app, "agent").await);
    let department = json!({"department": {"name": "sales", "enabled": true, "email": "sales@example.com", "showOnRegistration": true,
        "showOnOfflineForm": true}, "agents": [{"agentId": agent.user_id}]});
    let made = post(&app, &admin, "/api/v1/livechat/department", &department).await;
    let department = made["department"]["_id"].as_str().expect("it has an id").to_owned();
    let mut desk = RealtimeClient::log_in(&app, &agent).await;
    let event = format!("department/{department}");
    for event in ["public", &event] {
        desk.follow(Stream::InquiryQueue, json!([event, false])).await;
    }
    let visitor = json!({"visitor": {"token": "mary", "name": "mary", "department": department}});
    app.post("/api/v1/livechat/visitor", &visitor).await.ok();
    let room = app.room("mary").await;
    let told = desk.told(Stream::InquiryQueue, &event).await;
    assert_eq!((&told[0]["rid"], &told[0]["department"]), (&json!(room), &json!(department)));
    assert_eq!(desk.told_by_now(&app, Stream::InquiryQueue, "public").await, [Value::Null; 0]);
}
