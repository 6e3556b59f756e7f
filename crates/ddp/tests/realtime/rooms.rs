//! What is told of chats: messages, who serves them, what lists show.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::stream::MY_MESSAGES;
use usher_domain::{Event, Stream};
use usher_services::realtime::{Audience, Follower, RoomNews};
use usher_store::{StoreError, q};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;
use usher_testkit::{RealtimeClient, TestApp};

use crate::support::{desk, employ, post, refused, shown, take, usual, visitor, widget};

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_heard_by_both_sides_from_its_beginning_to_its_end() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let room = visitor(&app, "mary").await;
        let mut mary = widget(&app, "mary", &room).await;
        let mut desk = desk(&app, &agent).await;
        let subscriptions = format!("{}/subscriptions-changed", agent.user_id);
        let rooms = format!("{}/rooms-changed", agent.user_id);

        take(&app, &agent, &room).await;
        let told = desk.told(Stream::NotifyUser, &subscriptions).await;
        assert_eq!((&told[0], &told[1]["rid"], &told[1]["v"]["token"]), (&json!("inserted"), &json!(room), &told[1]["v"]["_id"]));
        let told = desk.told(Stream::NotifyUser, &rooms).await;
        assert_eq!(
            (&told[0], &told[1]["_id"], &told[1]["servedBy"]["username"]),
            (&json!("inserted"), &json!(room), &json!("agent"))
        );
        assert!(told[1]["ts"]["$date"].is_i64(), "{told}");
        let agent_data = &mary.told(Stream::LivechatRoom, &room).await[0];
        assert_eq!((&agent_data["type"], &agent_data["data"]["username"]), (&json!("agentData"), &json!("agent")));
        let connected = mary.told(Stream::RoomMessages, &room).await[0].clone();
        assert_eq!((&connected["t"], &connected["msg"]), (&json!("command"), &json!("connected")));
        assert_eq!(mary.told(Stream::RoomMessages, &room).await[0]["t"], "uj");

        desk.follow(Stream::RoomMessages, json!([room, false])).await;
        let posted = app.message("mary", &room, "Hello").await;
        for client in [&mut mary, &mut desk] {
            let told = client.told(Stream::RoomMessages, &room).await;
            let message = &told[0];
            assert_eq!((&message["_id"], &message["msg"]), (&posted["_id"], &json!("Hello")), "{told}");
            assert_eq!(message["token"], message["u"]["_id"], "nobody sees the token");
            assert!(message["ts"]["$date"].is_i64() && message["_updatedAt"]["$date"].is_i64(), "{told}");
        }
        let told = desk.told(Stream::NotifyUser, &subscriptions).await;
        assert_eq!((&told[0], &told[1]["alert"]), (&json!("updated"), &json!(true)));
        assert_eq!(desk.told(Stream::NotifyUser, &rooms).await[1]["lastMessage"]["msg"], "Hello");
        let notification = desk.told(Stream::NotifyUser, &format!("{}/notification", agent.user_id)).await;
        assert_eq!((&notification[0]["text"], &notification[0]["payload"]["rid"]), (&json!("Hello"), &json!(room)));

        let answer = post(&app, &agent, "/api/v1/chat.sendMessage", &json!({"message": {"rid": room, "msg": "Hi"}})).await;
        let id = answer["message"]["_id"].clone();
        assert_eq!(mary.told(Stream::RoomMessages, &room).await[0]["msg"], "Hi");
        assert_eq!(desk.told(Stream::RoomMessages, &room).await[0]["msg"], "Hi", "whoever sends it hears it as well");
        post(&app, &agent, "/api/v1/chat.update", &json!({"roomId": room, "msgId": id, "text": "Hi!"})).await;
        let edited = mary.told(Stream::RoomMessages, &room).await[0].clone();
        assert_eq!((&edited["_id"], &edited["msg"]), (&id, &json!("Hi!")));
        assert!(edited["editedAt"]["$date"].is_i64(), "{edited}");
        post(&app, &agent, "/api/v1/chat.delete", &json!({"roomId": room, "msgId": id, "asUser": true})).await;
        assert_eq!(mary.told(Stream::NotifyRoom, &format!("{room}/deleteMessage")).await, json!([{"_id": id}]));

        let close = json!({"rid": room, "token": "mary"});
        app.post("/api/v1/livechat/room.close", &close).await.ok();
        let closed = mary.wait_for(|frame| frame["fields"]["args"][0]["t"] == "livechat-close").await;
        assert_eq!(closed["collection"], "stream-room-messages");
        desk.catch_up(&app).await;
        let told = desk.told_by_now(&app, Stream::NotifyUser, &subscriptions).await;
        let removed = told.last().expect("the chat has left the list");
        assert_eq!(
            (&removed[0], &removed[1]["rid"], &removed[1]["u"]["username"]),
            (&json!("removed"), &json!(room), &json!("agent"))
        );
        let told = desk.told_by_now(&app, Stream::NotifyUser, &rooms).await;
        let updated = told.last().expect("the room has changed");
        assert_eq!((&updated[0], &updated[1]["open"]), (&json!("updated"), &Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_heard_by_those_who_may_read_them() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let other = employ(&app, "other").await;
        let room = visitor(&app, "mary").await;
        visitor(&app, "john").await;
        take(&app, &agent, &room).await;
        let (typing, webrtc) = (format!("{room}/typing"), format!("{room}/webrtc"));
        let mut anonymous = RealtimeClient::connect(&app).await;
        let only = |key: &str| json!({"useCollection": false, "args": [{key: "mary"}]});
        for (stream, event, options) in [
            (Stream::RoomMessages, &room, json!(false)),
            (Stream::RoomMessages, &room, shown("john")),
            (Stream::RoomMessages, &room, shown("")),
            (Stream::RoomMessages, &room, only("token")),
            (Stream::RoomMessages, &room, json!({"args": [{"visitorToken": {"$ne": ""}}]})),
            (Stream::RoomMessages, &"nowhere".to_owned(), shown("mary")),
            (Stream::NotifyRoom, &typing, only("visitorToken")),
            (Stream::NotifyRoom, &typing, shown("john")),
            (Stream::LivechatRoom, &room, only("token")),
            (Stream::LivechatRoom, &room, shown("john")),
            (Stream::RoomData, &room, shown("mary")),
        ] {
            let answer = anonymous.subscribe(stream, json!([event, options])).await;
            assert_eq!(refused(&answer), "not-allowed", "{stream:?} {options}");
        }
        anonymous.follow(Stream::NotifyRoom, json!([webrtc, false])).await;
        let mut stranger = RealtimeClient::log_in(&app, &other).await;
        for (stream, event) in [(Stream::RoomMessages, &room), (Stream::NotifyRoom, &typing), (Stream::RoomData, &room)] {
            assert_eq!(refused(&stranger.subscribe(stream, json!([event, false])).await), "not-allowed");
        }
        let mut reader = RealtimeClient::log_in(&app, &agent).await;
        assert_eq!(refused(&reader.subscribe(Stream::LivechatRoom, json!([room, false])).await), "not-allowed");
        reader.follow(Stream::RoomData, json!([room, false])).await;
        app.message("mary", &room, "Hello").await;
        assert_eq!(reader.told(Stream::RoomData, &room).await[0]["lastMessage"]["msg"], "Hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_hear_all_rooms_that_they_may_read() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let (room, others) = (visitor(&app, "mary").await, visitor(&app, "john").await);
        take(&app, &agent, &room).await;
        let other = employ(&app, "other").await;
        take(&app, &other, &others).await;
        let mut bot = RealtimeClient::log_in(&app, &agent).await;
        bot.send(&json!({"msg": "sub", "id": "all", "name": "stream-room-messages", "params": [MY_MESSAGES, true]})).await;
        bot.wait_for(|frame| frame["msg"] == "added" && frame["fields"] == json!({"eventName": MY_MESSAGES})).await;
        let mut anonymous = RealtimeClient::connect(&app).await;
        anonymous.follow(Stream::RoomMessages, json!([MY_MESSAGES, false])).await;
        app.message("john", &others, "not for the bot").await;
        app.message("mary", &room, "Hello").await;
        let told = bot.told(Stream::RoomMessages, MY_MESSAGES).await;
        assert_eq!(told[0]["msg"], "Hello", "{told}");
        assert_eq!(told[1], json!({"roomParticipant": true, "roomType": "l", "roomName": "mary"}));
        assert_eq!(anonymous.told_by_now(&app, Stream::RoomMessages, MY_MESSAGES).await, [Value::Null; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_a_chat_after_losing_it() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let room = visitor(&app, "mary").await;
        take(&app, &agent, &room).await;
        let mut mary = widget(&app, "mary", &room).await;
        let mut desk = desk(&app, &agent).await;
        desk.follow(Stream::RoomMessages, json!([room, false])).await;
        post(&app, &agent, "/api/v1/livechat/inquiries.returnAsInquiry", &json!({"roomId": room})).await;
        let told = mary.told(Stream::LivechatRoom, &room).await;
        assert_eq!(told, json!([{"type": "agentData"}]), "nobody serves it any more");
        desk.told_by_now(&app, Stream::RoomMessages, &room).await;
        app.message("mary", &room, "Is anybody there?").await;
        assert_eq!(mary.wait_for(|frame| frame["fields"]["args"][0]["msg"] == "Is anybody there?").await["msg"], "changed");
        assert_eq!(desk.told_by_now(&app, Stream::RoomMessages, &room).await, [Value::Null; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_chat_goes_out_of_every_list() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let (room, waiting) = (visitor(&app, "mary").await, visitor(&app, "john").await);
        take(&app, &agent, &room).await;
        let mut desk = desk(&app, &agent).await;
        desk.follow(Stream::RoomMessages, json!([room, false])).await;
        desk.follow(Stream::InquiryQueue, json!(["public", false])).await;
        let inquiry = app.call(Method::GET, &format!("/api/v1/livechat/inquiries.getOne?roomId={waiting}")).as_user(&agent);
        let inquiry = inquiry.send().await.ok()["inquiry"]["_id"].clone();
        let admin = app.admin().await;
        for room in [&room, &waiting] {
            let info = app.call(Method::GET, &format!("/api/v1/rooms.info?roomId={room}")).as_user(&admin).send().await.ok();
            let contact = info["room"]["contactId"].as_str().expect("a room has a contact");
            post(&app, &admin, &format!("/api/v1/usher/contacts/{contact}/erase"), &json!({"reason": "asked-for"})).await;
        }
        let told = desk.told(Stream::NotifyUser, &format!("{}/subscriptions-changed", agent.user_id)).await;
        assert_eq!((&told[0], &told[1]["rid"]), (&json!("removed"), &json!(room)));
        let told = desk.told(Stream::NotifyUser, &format!("{}/rooms-changed", agent.user_id)).await;
        assert_eq!(told, json!(["removed", {"_id": room}]));
        desk.wait_for(|frame| frame["fields"]["args"] == json!([{"type": "removed", "_id": inquiry}])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_gone_with_its_connection() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let room = visitor(&app, "mary").await;
        take(&app, &agent, &room).await;
        let mut desk = RealtimeClient::log_in(&app, &agent).await;
        desk.follow(Stream::RoomData, json!([room, false])).await;
        let mut mary = RealtimeClient::connect(&app).await;
        assert_eq!(mary.call("livechat:setUpConnection", json!([{"token": 7}])).await["error"]["error"], 400);
        let set_up = mary.call("livechat:setUpConnection", json!([{"token": "mary"}])).await;
        assert_eq!(set_up, json!({"msg": "result", "id": set_up["id"]}));
        mary.call("livechat:setUpConnection", json!([{"token": "somebody else"}])).await;
        let mut other_tab = RealtimeClient::connect(&app).await;
        other_tab.call("livechat:setUpConnection", json!([{"token": "mary"}])).await;
        app.post("/api/v1/livechat/visitor.status", &json!({"token": "mary", "status": "away"})).await.ok();
        assert_eq!(desk.told(Stream::RoomData, &room).await[0]["v"]["status"], "away");
        drop(mary);
        while app.realtime.connections() > 2 {
            desk.catch_up(&app).await;
        }
        assert_eq!(desk.told_by_now(&app, Stream::RoomData, &room).await, [Value::Null; 0], "there is another tab");
        drop(other_tab);
        assert_eq!(desk.told(Stream::RoomData, &room).await[0]["v"]["status"], "offline");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_in_vain_is_told_in_the_room() {
    let app = usual(&Engine::sqlite()).await;
    let agent = employ(&app, "agent").await;
    let mut desk = RealtimeClient::log_in(&app, &agent).await;
    let event = format!("{}/message", agent.user_id);
    desk.follow(Stream::NotifyUser, json!([event, false])).await;
    let refused = desk.call("sendMessage", json!([{"rid": "nowhere", "msg": "Hello"}])).await;
    let told = desk.told(Stream::NotifyUser, &event).await;
    let shown = &told[0];
    assert_eq!((&shown["rid"], &shown["private"], &shown["u"]["_id"]), (&json!("nowhere"), &json!(true), &json!("rocket.cat")));
    let why = refused["error"].get("reason").unwrap_or(&refused["error"]["error"]);
    assert_eq!(&shown["msg"], why, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_hears_up_to_when_all_its_members_have_read_it() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let (agent, other) = (employ(&app, "agent").await, app.admin().await);
        let room = visitor(&app, "mary").await;
        take(&app, &agent, &room).await;
        let event = format!("{room}/messagesRead");
        let mut mary = RealtimeClient::connect(&app).await;
        mary.follow(Stream::NotifyRoom, json!([event, shown("mary")])).await;
        let read = json!({"rid": room});
        post(&app, &agent, "/api/v1/subscriptions.read", &read).await;
        assert!(mary.told(Stream::NotifyRoom, &event).await[0]["until"]["$date"].is_i64());
        app.advance(Duration::from_secs(1));
        app.call(Method::GET, &format!("/api/v1/livechat/room.join?roomId={room}")).as_user(&other).send().await.ok();
        app.advance(Duration::from_secs(1));
        post(&app, &agent, "/api/v1/subscriptions.read", &read).await;
        assert_eq!(mary.told_by_now(&app, Stream::NotifyRoom, &event).await, [Value::Null; 0], "the other has never looked");
        app.advance(Duration::from_secs(1));
        let mut desk = RealtimeClient::log_in(&app, &other).await;
        assert_eq!(desk.call("readMessages", json!([room])).await.get("error"), None);
        let told = mary.told(Stream::NotifyRoom, &event).await;
        assert_eq!(told, json!([{"until": {"$date": START + 2_000}}]), "when the one who looked first did");
    }
}

/// What is told of all that ever happened to a room, if it is told at once.
async fn told_at_once(app: &TestApp, room: &str) -> RoomNews {
    let wanted = room.to_owned();
    let logged = app.services.store.read::<_, StoreError, _>(move |tx| q::changes::since(tx, &wanted, 0, 100)).await;
    let events = logged.expect("the log can be read").into_iter().map(Event::Room).collect();
    let follower = Follower::new(app.services.clock.now());
    follower.follow(room, 0);
    let audience = Audience { has_users: true, readers: Vec::new() };
    let mut told = app.services.told(&follower, events, &audience).await.expect("it can be read");
    told.rooms.pop().expect("something happened")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_told_whatever_happened_after_it() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let room = visitor(&app, "mary").await;
        let id = app.message("mary", &room, "Hello").await["_id"].as_str().expect("it has an id").to_owned();
        app.delete(&format!("/api/v1/livechat/message/{id}?token=mary&rid={room}")).await.ok();
        take(&app, &agent, &room).await;
        app.advance(Duration::from_secs(1));
        app.message("mary", &room, "Are you there?").await;
        let told = told_at_once(&app, &room).await;
        // Somebody may have read the room in between, and would show the message for ever.
        assert_eq!(told.deleted, std::slice::from_ref(&id));
        assert!(told.messages.iter().all(|posted| posted.message.id != id));
        // The agent's list has changed again, but the chat is new there all the same, and the visitor does not know who serves it.
        assert_eq!(told.joined, [agent.user_id.as_str()]);
        assert!(told.agent_changed && told.agent.is_some_and(|agent| agent.user.is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_say_as_of_which_change_they_show_a_room() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let room = visitor(&app, "mary").await;
        let changes = async || app.get(&format!("/api/v1/usher/rooms/{room}/changes?token=mary&since=0")).await.ok();
        let mut mary = widget(&app, "mary", &room).await;
        let before = changes().await["seq"].as_i64().expect("it is a number");
        let id = app.message("mary", &room, "Hello").await["_id"].clone();
        let posted = mary.wait_for(|frame| frame["fields"]["args"][0]["_id"] == id).await;
        let seq = posted["seq"].as_i64().expect("it is a number");
        assert!(seq > before && changes().await["seq"] == seq, "{posted}");
        app.delete(&format!("/api/v1/livechat/message/{}?token=mary&rid={room}", id.as_str().unwrap_or_default())).await.ok();
        let deleted = mary.wait_for(|frame| frame["fields"]["eventName"] == format!("{room}/deleteMessage")).await;
        assert!(deleted["seq"].as_i64().is_some_and(|later| later > seq), "{deleted}");
    }
}

/// Whoever is in a chat already and takes it then.
#[tokio::test(flavor = "multi_thread")]
async fn the_visitor_hears_of_an_agent_who_was_there_before() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let admin = app.admin().await;
        post(&app, &admin, "/api/v1/livechat/users/agent", &json!({"username": "admin"})).await;
        post(&app, &admin, "/api/v1/users.setStatus", &json!({"status": "online", "message": ""})).await;
        let room = visitor(&app, "mary").await;
        let mut mary = widget(&app, "mary", &room).await;
        let mut desk = RealtimeClient::log_in(&app, &admin).await;
        desk.follow(Stream::InquiryQueue, json!(["public", false])).await;
        app.call(Method::GET, &format!("/api/v1/livechat/room.join?roomId={room}")).as_user(&admin).send().await.ok();
        assert_eq!(mary.told_by_now(&app, Stream::LivechatRoom, &room).await, [Value::Null; 0], "nobody serves it yet");
        take(&app, &admin, &room).await;
        let told = mary.told(Stream::LivechatRoom, &room).await;
        assert_eq!((&told[0]["type"], &told[0]["data"]["username"]), (&json!("agentData"), &json!("admin")));
        desk.wait_for(|frame| frame["fields"]["args"][0]["status"] == "taken").await;
    }
}
