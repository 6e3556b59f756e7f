//! `room.close` and `room.closeByUser`: how chats end.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use usher_domain::room::Closer;
use usher_domain::visitor::VisitorToken;
use usher_services::logins::Account;
use usher_services::messages::UserMessage;
use usher_services::rooms::ClosingByUser;
use usher_services::{Error, Refusal};
use usher_store::{Tx, values};
use usher_testkit::application::Reply;
use usher_testkit::engines::Engine;

use super::stage::{ROOMS, Stage};
use crate::permissions::{not_logged_in, not_permitted};
use crate::support::{coded, column, made_id, plain, rows, usual};

const CLOSE: &str = "/api/v1/livechat/room.close";
const BY_USER: &str = "/api/v1/livechat/room.closeByUser";

const DONE: fn() -> Value = || json!({"success": true});

/// What staff sees of a room that is the only one.
async fn only_room(stage: &Stage) -> Value {
    let answer = stage.get(&stage.admin, ROOMS).await.ok();
    assert_eq!(answer["total"], 1);
    answer["rooms"][0].clone()
}

async fn leave(stage: &Stage, token: &str, room: &str) -> Reply {
    stage.app.post(CLOSE, &json!({"token": token, "rid": room})).await
}

/// The types and texts of a room's messages.
async fn told(stage: &Stage, room: &str) -> Vec<(String, String)> {
    let messages = stage.messages(room).await.into_iter();
    messages.map(|message| (message.kind.unwrap_or_default(), message.text)).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_ends_its_chat() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.agent("ana").await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.seconds(10);
        stage.serve(&room, "ana").await;
        assert_eq!(stage.members(&room).await, ["ana"]);
        stage.seconds(50);
        let before = only_room(&stage).await;
        leave(&stage, "token-1", &room).await.is(200, &json!({"rid": room, "comment": "Closed by visitor", "success": true}));

        let after = only_room(&stage).await;
        let mut expected = before.clone();
        let members = expected.as_object_mut().expect("a room is an object");
        members.remove("open").expect("it was open");
        let visitor = json!({"_id": before["v"]["_id"], "username": before["v"]["username"]});
        for (member, value) in [
            ("closer", json!("visitor")),
            ("closedAt", json!("2024-01-31T12:01:00.000Z")),
            ("closedBy", visitor.clone()),
            ("lm", json!("2024-01-31T12:01:00.000Z")),
            ("_updatedAt", json!("2024-01-31T12:01:00.000Z")),
            ("msgs", json!(4)),
            ("usersCount", json!(1)),
            ("metrics", json!({"chatDuration": 60.0, "serviceTimeDuration": 50.0})),
            (
                "lastMessage",
                json!({
                    "_id": made_id(&after["lastMessage"]["_id"]),
                    "rid": room,
                    "msg": "Closed by visitor",
                    "t": "livechat-close",
                    "token": visitor["_id"],
                    "alias": "Mary",
                    "ts": "2024-01-31T12:01:00.000Z",
                    "u": {"_id": visitor["_id"], "username": visitor["username"], "name": "Mary"},
                    "groupable": false,
                    "transcriptRequested": false,
                    "_updatedAt": "2024-01-31T12:01:00.000Z",
                    "urls": [], "mentions": [], "channels": [], "md": after["lastMessage"]["md"],
                }),
            ),
        ] {
            members.insert(member.to_owned(), value);
        }
        expected["v"]["status"] = json!("offline");
        assert_eq!(after, expected);

        assert_eq!(stage.members(&room).await, [""; 0]);
        assert_eq!(column(&stage.app, "SELECT user_id FROM removed_subscriptions").await, ["ana"]);
        assert_eq!(stage.stored(&room).await.inquiry, None);
        leave(&stage, "token-1", &room).await.is(400, &plain("room-closed"));
        let again = stage.app.get("/api/v1/livechat/room?token=token-1").await.ok();
        assert_eq!(again["newRoom"], true, "the next chat is another one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_end_only_their_own_chats() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (mine, other) = (stage.room("token-1", "Mary", None).await, stage.room("token-2", "Bob", None).await);
        let before = rows(&stage.app).await;
        for (token, room, error) in [
            ("token-3", mine.as_str(), "invalid-token"),
            ("", &mine, "invalid-token"),
            ("token-1", &other, "invalid-room"),
            ("token-1", "nothing", "invalid-room"),
            ("token-1", &mine.to_lowercase(), "invalid-room"),
        ] {
            leave(&stage, token, room).await.is(400, &plain(error));
        }
        for (body, error) in [
            (json!({"token": "token-1"}), "must have required property 'rid' [invalid-params]"),
            (json!({"rid": mine}), "must have required property 'token' [invalid-params]"),
            (json!({"rid": mine, "token": {"$ne": ""}}), "must be string [invalid-params]"),
            (json!({"rid": mine, "token": "token-1", "x": 1}), "must NOT have additional properties [invalid-params]"),
        ] {
            stage.app.post(CLOSE, &body).await.is(400, &coded(error, "invalid-params"));
        }
        assert_eq!(rows(&stage.app).await, before);

        let setup = usual().setting("Omnichannel_allow_visitors_to_close_conversation", "false");
        let fresh = Engine::sqlite();
        let strict = Stage::with(setup, &fresh).await;
        let room = strict.room("token-1", "Mary", None).await;
        for token in ["token-1", "token-3"] {
            leave(&strict, token, &room).await.is(400, &plain("error-not-allowed-to-close-conversation"));
        }
        assert!(strict.stored(&room).await.is_open);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_ends_a_chat() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.serve(&room, "ana").await;
        stage.seconds(5);
        let body = json!({"rid": room, "comment": "Solved", "generateTranscriptPdf": true, "tags": ["b", "a", "b"]});
        stage.post(&ana, BY_USER, &body).await.is(200, &DONE());

        let shown = only_room(&stage).await;
        assert_eq!((&shown["closer"], &shown["closedBy"]), (&json!("user"), &json!({"_id": "ana", "username": "ana"})));
        assert_eq!((&shown["tags"], shown.get("open")), (&json!(["b", "a"]), None));
        let last = &shown["lastMessage"];
        assert_eq!((&last["msg"], &last["t"], last.get("token")), (&json!("Solved"), &json!("livechat-close"), None));
        assert_eq!(last["u"], json!({"_id": "ana", "username": "ana", "name": "ana"}));
        let expected = [("livechat-started", ""), ("command", "connected"), ("uj", ""), ("livechat-close", "Solved")];
        assert_eq!(told(&stage, &room).await, pairs(&expected));
        assert_eq!(stage.stored(&room).await.closing.expect("it is closed").closer, Closer::User);
        stage.post(&ana, BY_USER, &body).await.is(400, &plain("error-not-authorized"));
        stage.post(&stage.admin, BY_USER, &body).await.is(400, &plain("error-room-already-closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_end_their_own_chats_and_some_those_of_others() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.agent("ana").await;
        let ben = stage.agent("ben").await;
        let mary = stage.person("mary", &["user"]).await;
        let monitor = stage.person("monitor", &["livechat-monitor"]).await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.serve(&room, "ana").await;
        let body = json!({"rid": room, "comment": "Done"});
        let before = rows(&stage.app).await;
        stage.app.post(BY_USER, &body).await.is(401, &not_logged_in());
        stage.post(&mary, BY_USER, &body).await.is(403, &not_permitted());
        stage.post(&ben, BY_USER, &json!({"rid": "nothing"})).await.is(400, &plain("error-invalid-room"));
        stage.post(&ben, BY_USER, &body).await.is(400, &plain("error-not-authorized"));
        for (body, error) in [
            (json!({}), "must have required property 'rid' [invalid-params]"),
            (json!({"rid": room, "tags": "a"}), "must be array [invalid-params]"),
            (json!({"rid": room, "tags": vec!["a"; 101]}), "must NOT have more than 100 items [invalid-params]"),
            (json!({"rid": room, "transcriptEmail": {}}), "must have required property 'sendToVisitor' [invalid-params]"),
            (json!({"rid": room, "forceClose": "x"}), "must be boolean [invalid-params]"),
            (json!({"rid": room, "x": 1}), "must NOT have additional properties [invalid-params]"),
        ] {
            stage.post(&monitor, BY_USER, &body).await.is(400, &coded(error, "invalid-params"));
        }
        assert_eq!(rows(&stage.app).await, before);
        stage.post(&monitor, BY_USER, &body).await.is(200, &DONE());
        assert_eq!(stage.members(&room).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_may_be_required() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let room = stage.room("token-1", "Mary", None).await;
        let before = rows(&stage.app).await;
        for body in [json!({"rid": room}), json!({"rid": room, "comment": null}), json!({"rid": room, "comment": " \n"})] {
            stage.post(&stage.admin, BY_USER, &body).await.is(400, &plain("error-comment-is-required"));
        }
        assert_eq!(rows(&stage.app).await, before);
        let setting = "/api/v1/settings/Livechat_request_comment_when_closing_conversation";
        stage.post(&stage.admin, setting, &json!({"value": false})).await.ok();
        stage.post(&stage.admin, BY_USER, &json!({"rid": room})).await.is(200, &DONE());
        assert_eq!(told(&stage, &room).await.last(), Some(&("livechat-close".to_owned(), String::new())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn departments_give_tags_and_may_require_some() {
    const REQUIRED: &str = "error-tags-must-be-assigned-before-closing-chat";
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.department("sales", &[]).await;
        stage.department("help", &[]).await;
        stage.change_department("sales", json!({"chatClosingTags": ["sales", "paid"]})).await;
        let room = stage.room("token-1", "Mary", Some("sales")).await;
        let body = |room: &str, tags: Value| json!({"rid": room, "comment": "Done", "tags": tags});
        stage.post(&stage.admin, BY_USER, &body(&room, json!(["paid", "vip"]))).await.is(200, &DONE());
        assert_eq!(stage.stored(&room).await.tags, ["paid", "vip", "sales"], "without a tag being required");

        stage.change_department("sales", json!({"requestTagBeforeClosingChat": true})).await;
        let room = stage.room("token-2", "Bob", Some("sales")).await;
        let before = rows(&stage.app).await;
        for tags in [json!(null), json!([])] {
            stage.post(&stage.admin, BY_USER, &body(&room, tags)).await.is(400, &plain(REQUIRED));
        }
        assert_eq!(rows(&stage.app).await, before);
        stage.post(&stage.admin, BY_USER, &body(&room, json!(["vip"]))).await.is(200, &DONE());
        assert_eq!(stage.stored(&room).await.tags, ["vip", "sales", "paid"]);

        // Tags that the room has already are enough, and a visitor is not asked for any.
        let room = stage.room("token-3", "Eve", Some("sales")).await;
        let visitor = stage.stored(&room).await.visitor_id;
        let note = json!({"guestData": {"_id": visitor}, "roomData": {"_id": room, "tags": ["known"]}});
        stage.post(&stage.admin, "/api/v1/livechat/room.saveInfo", &note).await.ok();
        stage.post(&stage.admin, BY_USER, &body(&room, json!([]))).await.is(200, &DONE());
        assert_eq!(stage.stored(&room).await.tags, ["known", "sales", "paid"]);
        let room = stage.room("token-4", "Zoe", Some("sales")).await;
        leave(&stage, "token-4", &room).await.ok();
        assert_eq!(stage.stored(&room).await.tags, ["sales", "paid"]);

        // Where a tag is required and there is none to choose from, nobody can close.
        stage.change_department("help", json!({"requestTagBeforeClosingChat": true, "chatClosingTags": []})).await;
        let room = stage.room("token-5", "Lea", Some("help")).await;
        stage.post(&stage.admin, BY_USER, &body(&room, json!(["vip"]))).await.is(400, &plain(REQUIRED));
        leave(&stage, "token-5", &room).await.is(400, &plain(REQUIRED));
        assert!(stage.stored(&room).await.is_open);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_measures_how_long_the_visitor_was_silent() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        // Who closes, whether the visitor has the last word, and what is measured.
        for (number, (by_visitor, visitor_was_last, expected)) in
            [(false, false, Some(100)), (false, true, None), (true, false, None)].into_iter().enumerate()
        {
            let token = format!("token-{number}");
            let room = stage.room(&token, "Mary", None).await;
            stage.seconds(10);
            stage.serve(&room, "ana").await;
            stage.app.message(&token, &room, "Hello").await;
            stage.seconds(10);
            stage.answer(&ana, &room, "Hi").await;
            stage.seconds(50);
            stage.answer(&ana, &room, "Still there?").await;
            if visitor_was_last {
                stage.app.message(&token, &room, "Yes").await;
            }
            stage.seconds(50);
            if by_visitor {
                leave(&stage, &token, &room).await.ok();
            } else {
                stage.post(&ana, BY_USER, &json!({"rid": room, "comment": "Done"})).await.ok();
            }
            let metrics = stage.stored(&room).await.metrics;
            assert_eq!(metrics.visitor_inactivity, expected, "{number}");
            assert_eq!((metrics.chat_duration, metrics.service_duration), (Some(120_000), Some(110_000)));
        }
        let room = stage.room("token-9", "Mary", None).await;
        stage.seconds(3);
        stage.close(&room).await;
        let metrics = stage.stored(&room).await.metrics;
        assert_eq!((metrics.chat_duration, metrics.service_duration), (Some(3_000), None), "nobody served it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_are_offered_the_transcript() {
    for (offered, always, expected) in [("true", "false", true), ("true", "true", false), ("false", "true", false)] {
        let engine = Engine::sqlite();
        let setup = usual().setting("Livechat_enable_transcript", offered).setting("Livechat_transcript_send_always", always);
        let stage = Stage::with(setup, &engine).await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.close(&room).await;
        let messages = stage.messages(&room).await;
        let closed = messages.iter().find(|message| message.kind.as_deref() == Some("livechat-close")).expect("it is closed");
        assert_eq!(closed.details["transcriptRequested"], json!(offered == "false" && always == "true"));
        let prompt = messages.iter().find(|message| message.text == "promptTranscript");
        assert_eq!(prompt.is_some(), expected, "{offered} {always}");
        if let Some(prompt) = prompt {
            assert_eq!((prompt.kind.as_deref(), prompt.author.username.as_str()), (Some("command"), "admin"));
            let room = stage.stored(&room).await;
            assert_eq!(room.last_message_id.as_ref(), Some(&closed.id), "the prompt is no news");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_can_be_forced_where_that_is_allowed() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.close(&room).await;
        let before = rows(&stage.app).await;
        let body = json!({"rid": room, "comment": "Done", "forceClose": true});
        stage.post(&stage.admin, BY_USER, &body).await.is(400, &plain("error-room-already-closed"));
        assert_eq!(rows(&stage.app).await, before);

        let setting = "/api/v1/settings/Omnichannel_allow_force_close_conversations";
        stage.post(&stage.admin, setting, &json!({"value": true})).await.ok();
        let before = rows(&stage.app).await;
        stage.post(&stage.admin, BY_USER, &body).await.is(200, &DONE());
        stage.post(&ana, BY_USER, &body).await.is(400, &plain("error-not-authorized"));
        let other = json!({"rid": room, "comment": "Done"});
        stage.post(&stage.admin, BY_USER, &other).await.is(400, &plain("error-room-already-closed"));
        assert_eq!(rows(&stage.app).await, before, "what is closed stays as it is");
    }
}

/// Keeps everybody else from changing a room until somebody lets go of the sender.
async fn hold(stage: &Stage, room: &str) -> Sender<()> {
    let (release, held) = channel::<()>();
    let (holding, is_held) = channel::<()>();
    let (services, room, held) = (Arc::clone(&stage.app.services), room.to_owned(), Mutex::new(held));
    tokio::spawn(async move {
        let hold = move |tx: &mut Tx<'_>| {
            tx.execute_one("UPDATE rooms SET updated_at = updated_at WHERE id = ?1", values![&room])?;
            holding.send(()).expect("the test waits for it");
            // An error says that the sender is gone.
            held.lock().expect("nobody panicked").recv().unwrap_or_default();
            Ok::<_, Error>(())
        };
        services.store.write(hold).await.expect("it has only waited");
    });
    tokio::task::spawn_blocking(move || is_held.recv()).await.expect("it does not panic").expect("the room is held");
    release
}

/// Of all who close a room before it is closed one succeeds, and the others are told to try again: that they were in the room, or
/// that it is theirs, counts although the room has left their lists by then.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_closes_succeeds() {
    for engine in Engine::all() {
        let stage = Stage::with(usual().without_rehearsal(), &engine).await;
        let ana = stage.account(&stage.agent("ana").await).await;
        let (mine, other) = (stage.room("token-1", "Mary", None).await, stage.room("token-2", "Bob", None).await);
        stage.serve(&mine, "ana").await;
        let release = hold(&stage, &mine).await;
        let by_user = |account: &Account| {
            let (services, account) = (Arc::clone(&stage.app.services), account.clone());
            let closing = ClosingByUser { room_id: mine.clone(), comment: "Done".to_owned(), ..ClosingByUser::default() };
            tokio::spawn(async move { services.close_by_user(&account, closing).await })
        };
        let mut racers: Vec<_> = (0..4).flat_map(|_| [by_user(&ana), by_user(&stage.root)]).collect();
        for _ in 0..4 {
            let (services, room) = (Arc::clone(&stage.app.services), mine.clone());
            let token = VisitorToken::new("token-1").expect("it is a token");
            racers.push(tokio::spawn(async move { services.close_by_visitor(token, room).await.map(|_| ()) }));
        }
        // Reads come one after the other, so that these come after those of the racers.
        for _ in 0..200 {
            assert!(stage.stored(&mine).await.is_open);
        }
        drop(release);
        let mut outcomes = Vec::new();
        for racer in racers {
            outcomes.push(racer.await.expect("a racer does not panic"));
        }
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes.iter().filter(|outcome| **outcome == Err(Refusal::ClosedMeanwhile.into())).count();
        assert_eq!((won, lost), (1, outcomes.len() - 1), "{outcomes:?}");
        let closings = stage.messages(&mine).await;
        assert_eq!(closings.iter().filter(|message| message.kind.as_deref() == Some("livechat-close")).count(), 1);
        assert!(stage.stored(&other).await.is_open, "other rooms are not disturbed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_end_with_the_chat() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.serve(&room, "ana").await;
        stage.close(&room).await;
        let before = rows(&stage.app).await;
        let message = UserMessage { room_id: room.clone(), text: "Hi".to_owned(), ..UserMessage::default() };
        let account = stage.account(&ana).await;
        let refused = stage.app.services.post_user_message(&account, message).await;
        assert_eq!(refused.expect_err("it is closed"), Error::Refused(Refusal::RoomClosed));
        let body = json!({"token": "token-1", "rid": room, "msg": "Hello"});
        stage.app.post("/api/v1/livechat/message", &body).await.is(400, &plain("room-closed"));
        assert_eq!(rows(&stage.app).await, before);
    }
}
