//! Methods that lead to mails, as older clients call them.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use super::{bare_error, call, call_anonymously, error, failure, mismatch, result};
use crate::mails::{sent, with_mail};
use crate::support::{WITHOUT_AGENTS, rows, stored_visitor, tamper};
use crate::transcripts::notes;

const OFFLINE: &str = "livechat:sendOfflineMessage";
const SEND: &str = "livechat:sendTranscript";
const REQUEST: &str = "livechat:requestTranscript";
const DISCARD: &str = "livechat:discardTranscript";

/// What somebody is told who may not call a method.
fn not_allowed(method: &str) -> Value {
    let mut error = error(json!("error-not-allowed"), "Not allowed");
    error["details"] = json!({"method": method});
    error
}

async fn chat(app: &TestApp) -> String {
    app.register("token-1", "Mary").await;
    let room = app.room("token-1").await;
    app.message("token-1", &room, "Hello").await;
    room
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_left() {
    let message = json!({"name": "Mary", "email": "mary@shop.example", "message": "Hello"});
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        assert_eq!(result(call_anonymously(&app, OFFLINE, json!([message])).await), json!(false), "the domain takes no mail");
        app.exchanges.add("shop.example");
        assert_eq!(result(call_anonymously(&app, OFFLINE, json!([message])).await), json!(true));
        assert_eq!(sent(&app).await.len(), 1);
        let before = rows(&app).await;
        for (parameters, told) in [
            (json!([]), "Expected object, got undefined"),
            (json!([{"name": "Mary", "email": "a@b"}]), "Missing key 'message'"),
            (json!([{"name": "Mary", "email": "a@b", "message": "Hello", "host": "x"}]), "Unknown key in field host"),
            (json!([{"name": 7, "email": "a@b", "message": "Hello"}]), "Expected string, got number in field name"),
        ] {
            assert_eq!(failure(call_anonymously(&app, OFFLINE, parameters).await, 200), mismatch(told));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_can_be_left_every_five_seconds() {
    let message = json!([{"name": "Mary", "email": "mary@shop.example", "message": "Hello"}]);
    for engine in Engine::all() {
        let app = with_mail().with_rate_limits().start(&engine).await;
        app.exchanges.add("shop.example");
        assert_eq!(result(call_anonymously(&app, OFFLINE, message.clone()).await), json!(true));
        let refused = failure(call_anonymously(&app, OFFLINE, message.clone()).await, 200);
        assert_eq!((&refused["error"], &refused["details"]["timeToReset"]), (&json!("too-many-requests"), &json!(5_000)));
        app.advance(std::time::Duration::from_secs(5));
        assert_eq!(result(call_anonymously(&app, OFFLINE, message.clone()).await), json!(true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_sent_in_a_users_name() {
    for engine in Engine::all() {
        let app = with_mail().setting(WITHOUT_AGENTS, "true").start(&engine).await;
        let room = chat(&app).await;
        let (manager, agent) = (app.user("manager", &["livechat-manager"]).await, app.user("agent", &["livechat-agent"]).await);
        // Staff are shown the visitor's id where the wire has its token.
        let visitor = stored_visitor(&app, "token-1").await.id;
        for token in ["token-1", visitor.as_str()] {
            assert_eq!(result(call(&app, &manager, SEND, json!([token, room, "a@b", "Subject"])).await), json!(true), "{token}");
        }
        let mails = sent(&app).await;
        assert_eq!((mails.len(), mails[0].to.as_str(), mails[0].subject.as_str()), (2, "a@b", "Subject"));
        let notes = notes(&app, &room).await;
        let data = &notes[0].details["requestData"];
        assert_eq!((notes[0].author.username.as_str(), &data["type"]), ("manager", &json!("user")));
        assert_eq!(data["user"], json!({"_id": manager.user_id, "username": "manager", "name": "manager"}));

        let before = rows(&app).await;
        for (parameters, expected) in [
            (json!(["token-1", null, "a@b"]), mismatch("Expected string, got undefined")),
            (json!(["token-1", room, {"$ne": null}]), mismatch("Expected string, got object")),
            (json!(["token-1", "unknown", "a@b", ""]), bare_error("error-invalid-room")),
            (json!(["unknown", room, "a@b", ""]), bare_error("error-invalid-visitor")),
            (json!([null, room, "a@b", ""]), bare_error("error-invalid-visitor")),
            (json!(["token-1", room, "nonsense", ""]), bare_error("invalid email")),
        ] {
            assert_eq!(failure(call(&app, &manager, SEND, parameters).await, 200), expected);
        }
        assert_eq!(failure(call(&app, &agent, SEND, json!(["token-1", room, "a@b", ""])).await, 200), not_allowed(SEND));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_wanted_and_no_longer_wanted() {
    for engine in Engine::all() {
        let app = with_mail().setting(WITHOUT_AGENTS, "true").start(&engine).await;
        let room = chat(&app).await;
        let (manager, agent) = (app.user("manager", &["livechat-manager"]).await, app.user("agent", &["livechat-agent"]).await);
        let request = json!([room, "mary@example.com", "Your chat"]);
        for (method, parameters) in [(REQUEST, &request), (DISCARD, &json!([room]))] {
            assert_eq!(failure(call(&app, &agent, method, parameters.clone()).await, 200), not_allowed(method));
            let nobody = failure(call_anonymously(&app, method, parameters.clone()).await, 200);
            assert_eq!(nobody, error(json!("error-invalid-user"), "Invalid user"));
        }
        assert_eq!(failure(call(&app, &manager, DISCARD, json!([room])).await, 200), bare_error("error-transcript-not-requested"));
        assert_eq!(result(call(&app, &manager, REQUEST, request.clone()).await), json!(true));
        let twice = error(json!("error-transcript-already-requested"), "Transcript already requested");
        assert_eq!(failure(call(&app, &manager, REQUEST, request.clone()).await, 200), twice);
        assert_eq!(result(call(&app, &manager, DISCARD, json!([room])).await), json!(true));

        tamper(&app, "UPDATE rooms SET is_open = FALSE").await;
        let closed = error(json!("error-invalid-room"), "Invalid room");
        assert_eq!(failure(call(&app, &manager, REQUEST, request.clone()).await, 200), closed);
        assert_eq!(failure(call(&app, &manager, DISCARD, json!([room])).await, 200), bare_error("error-invalid-room"));
        assert_eq!(failure(call(&app, &manager, DISCARD, json!([])).await, 200), mismatch("Expected string, got undefined"));
    }
}
