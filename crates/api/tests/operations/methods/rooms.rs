//! Methods about chats, as older clients call them.

use serde_json::{Value, json};
use usher_domain::custom_field::Scope;
use usher_services::printed_transcripts::Printing;
use usher_testkit::engines::Engine;

use super::custom_fields::not_allowed;
use super::{bare_error, call, call_anonymously, error, failure, mismatch, result};
use crate::requests::insert_field;
use crate::rooms::stage::Stage;
use crate::support::rows;

#[tokio::test(flavor = "multi_thread")]
async fn users_close_chats() {
    const CLOSE: &str = "livechat:closeRoom";
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, ben) = (stage.agent("ana").await, stage.agent("ben").await);
        let mary = stage.person("mary", &["user"]).await;
        stage.department("sales", &[]).await;
        stage.change_department("sales", json!({"chatClosingTags": ["sales"], "requestTagBeforeClosingChat": true})).await;
        let rooms = [stage.room("token-1", "Mary", Some("sales")).await, stage.room("token-2", "Bob", Some("sales")).await];
        for room in &rooms {
            stage.serve(room, "ana").await;
        }
        let [room, other] = rooms;
        let before = rows(&stage.app).await;
        for (login, parameters, expected) in [
            (&mary, json!([room, "Done"]), bare_error("error-not-authorized")),
            (&ben, json!([room, "Done"]), bare_error("error-not-authorized")),
            (&ana, json!(["nothing", "Done"]), bare_error("error-invalid-room")),
            (&ana, json!([room]), bare_error("error-comment-is-required")),
            (&ana, json!([room, "Done", {"clientAction": true}]), bare_error("error-tags-must-be-assigned-before-closing-chat")),
            (&ana, json!([]), mismatch("Expected string, got undefined")),
            (&ana, json!([room, 7]), mismatch("Expected string, got number")),
            (
                &ana,
                json!([room, "Done", {"generateTranscriptPdf": "yes"}]),
                mismatch("Expected boolean, got string in field generateTranscriptPdf"),
            ),
            (&ana, json!([room, "Done", {"tags": "x"}]), mismatch("Expected array, got string in field tags")),
            (&ana, json!([room, "Done", {"tags": vec!["x"; 101]}]), mismatch("Expected at most 100 tags")),
            (
                &ana,
                json!([room, "Done", {"emailTranscript": {}}]),
                mismatch("Missing key 'sendToVisitor' in field emailTranscript"),
            ),
        ] {
            assert_eq!(failure(call(&stage.app, login, CLOSE, parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(rows(&stage.app).await, before);
        let options = json!({"clientAction": true, "tags": ["vip"], "emailTranscript": {"sendToVisitor": false}, "generateTranscriptPdf": true});
        assert_eq!(result(call(&stage.app, &ana, CLOSE, json!([room, "Done", options])).await), json!(true));
        assert_eq!(stage.stored(&room).await.tags, ["vip", "sales"]);
        assert_eq!(stage.app.services.print_next_transcript().await, Ok(Printing::Printed));
        assert!(stage.stored(&room).await.pdf_file_id.is_some(), "that is the one that was printed");
        // Only whoever can be asked is asked for a tag.
        assert_eq!(result(call(&stage.app, &ana, CLOSE, json!([other, "Done"])).await), json!(true));
        let again = call(&stage.app, &stage.admin, CLOSE, json!([room, "Done"])).await;
        assert_eq!(failure(again, 200), bare_error("room-closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_close_chats_and_see_their_agent() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.agent("ana").await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.room("token-2", "Bob", None).await;
        let mine = || json!([{"roomId": room, "token": "token-1"}]);
        let agent = async |parameters: Value| call_anonymously(&stage.app, "livechat:getAgentData", parameters).await;
        let close = async |parameters: Value| call_anonymously(&stage.app, "livechat:closeByVisitor", parameters).await;
        assert_eq!(result(agent(mine()).await), Value::Null, "nobody serves it yet");
        stage.serve(&room, "ana").await;
        let seen = result(agent(mine()).await);
        assert_eq!((&seen["_id"], &seen["username"], &seen["name"]), (&json!("ana"), &json!("ana"), &json!("ana")));
        for token in ["token-2", "token-3", ""] {
            let other = json!([{"roomId": room, "token": token}]);
            assert_eq!(failure(agent(other).await, 200), bare_error("error-invalid-room"), "{token}");
        }
        let before = rows(&stage.app).await;
        for (parameters, expected) in [
            (json!([{"roomId": room, "token": "token-3"}]), bare_error("invalid-token")),
            (json!([{"roomId": room, "token": "token-2"}]), bare_error("invalid-room")),
            (json!([{"roomId": room, "token": {"$ne": 1}}]), mismatch("Expected string, got object in field token")),
            (json!([{"token": "token-1"}]), mismatch("Missing key 'roomId'")),
        ] {
            assert_eq!(failure(close(parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(rows(&stage.app).await, before);
        assert_eq!(result(close(mine()).await), json!(true));
        assert!(!stage.stored(&room).await.is_open);
        assert_eq!(failure(close(mine()).await, 200), bare_error("room-closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_is_kept() {
    const SAVE: &str = "livechat:saveInfo";
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, ben) = (stage.agent("ana").await, stage.agent("ben").await);
        let mary = stage.person("mary", &["user"]).await;
        insert_field(&stage.app, "plan", Scope::Room).await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.serve(&room, "ana").await;
        let guest = stage.stored(&room).await.visitor_id;
        let good =
            json!([{"_id": guest, "name": "Eve"}, {"_id": room, "topic": "Shoes", "tags": ["a"], "livechatData": {"plan": "x"}}]);
        let before = rows(&stage.app).await;
        for login in [&mary, &ben] {
            assert_eq!(failure(call(&stage.app, login, SAVE, good.clone()).await, 200), not_allowed(SAVE));
        }
        for (parameters, expected) in [
            (json!([{"_id": guest}, {"_id": "nothing"}]), bare_error("error-invalid-room")),
            (json!([{"_id": "nobody"}, {"_id": room}]), bare_error("error-invalid-visitor")),
            (json!([{"_id": guest}, {"_id": room, "priorityId": "x"}]), bare_error("error-invalid-priority")),
            (json!([{"_id": guest}, {"_id": room, "slaId": "x"}]), error(json!("error-invalid-sla"), "SLA not found with id: x")),
            (json!([{"_id": guest}]), mismatch("Expected object, got undefined")),
            (json!([{}, {"_id": room}]), mismatch("Missing key '_id'")),
            (json!([{"_id": guest}, {"_id": room, "livechatData": {"plan": 7}}]), mismatch("Expected string, got number")),
        ] {
            assert_eq!(failure(call(&stage.app, &ana, SAVE, parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(rows(&stage.app).await, before);
        assert_eq!(result(call(&stage.app, &ana, SAVE, good).await), json!(true));
        let stored = stage.stored(&room).await;
        assert_eq!((stored.topic.as_deref(), stored.tags.as_slice()), (Some("Shoes"), ["a".to_owned()].as_slice()));
        assert_eq!(stored.fields, [("plan".to_owned(), "x".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn surveys_are_kept_and_beginnings_read() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let mary = stage.person("mary", &["user"]).await;
        let room = stage.room("token-1", "Mary", None).await;
        let survey = async |parameters: Value| call_anonymously(&stage.app, "livechat:saveSurveyFeedback", parameters).await;
        let answers = json!([{"name": "satisfaction", "value": "4"}]);
        for (parameters, expected) in [
            (json!(["token-2", room, answers]), bare_error("invalid-token")),
            (json!(["token-1", "nothing", answers]), bare_error("invalid-room")),
            (json!(["token-1", room, []]), bare_error("invalid-data")),
            (json!(["token-1", room]), mismatch("Expected array, got undefined")),
        ] {
            assert_eq!(failure(survey(parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(result(survey(json!(["token-1", room, answers])).await), Value::Null);
        assert_eq!(stage.stored(&room).await.survey.as_deref(), Some(r#"{"satisfaction":"4"}"#));

        const FIRST: &str = "livechat:getFirstRoomMessage";
        let first = result(call(&stage.app, &ana, FIRST, json!([{"rid": room}])).await);
        assert_eq!((&first["t"], &first["rid"], &first["token"]), (&json!("livechat-started"), &json!(room), &first["u"]["_id"]));
        assert_eq!(first["ts"], json!({"$date": 1_706_702_400_000_i64}));
        assert_eq!(result(call(&stage.app, &ana, FIRST, json!([{"rid": "nothing"}])).await), Value::Null);
        assert_eq!(failure(call(&stage.app, &mary, FIRST, json!([{"rid": room}])).await, 200), not_allowed(FIRST));
        assert_eq!(failure(call(&stage.app, &ana, FIRST, json!([{}])).await, 200), mismatch("Missing key 'rid'"));
    }
}
