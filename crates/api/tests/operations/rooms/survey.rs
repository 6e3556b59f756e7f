//! `POST livechat/room.survey`: what visitors think of a chat.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::stage::{ROOMS, Stage};
use crate::support::{coded, plain, rows};

const SURVEY: &str = "/api/v1/livechat/room.survey";

fn body(token: &str, room: &str, data: Value) -> Value {
    json!({"token": token, "rid": room, "data": data})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_a_question_is_kept() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let room = stage.room("token-1", "Mary", None).await;
        let shown = async || stage.get(&stage.admin, ROOMS).await.ok()["rooms"][0].clone();
        assert_eq!(shown().await.get("surveyFeedback"), None);
        let before = stage.stored(&room).await;
        let data = json!([
            {"name": "satisfaction", "value": "5"},
            {"name": "agentKnowledge", "value": 3},
            {"name": "agentResposiveness", "value": "6"},
            {"name": "agentResponsiveness", "value": "1"},
            {"name": "agentFriendliness", "value": ""},
            {"name": "additionalFeedback", "value": "Very \"good\""},
            {"name": "other", "value": "x"},
        ]);
        let kept = json!({"satisfaction": "5", "agentKnowledge": "3", "additionalFeedback": "Very \"good\""});
        let answer = json!({"rid": room, "data": kept, "success": true});
        stage.app.post(SURVEY, &body("token-1", &room, data)).await.is(200, &answer);
        assert_eq!(shown().await["surveyFeedback"], kept);
        assert_eq!(stage.stored(&room).await.seq, before.seq + 1, "who follows the log hears of it");

        // What comes later takes the place of all of it, also when the chat is over.
        stage.close(&room).await;
        let later = json!([{"name": "agentFriendliness", "value": "1"}]);
        let answer = json!({"rid": room, "data": {"agentFriendliness": "1"}, "success": true});
        stage.app.post(SURVEY, &body("token-1", &room, later)).await.is(200, &answer);
        assert_eq!(shown().await["surveyFeedback"], json!({"agentFriendliness": "1"}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_nothing_is_refused() {
    let legacy = |told: &str| coded(&format!("{told} [invalid-params]"), "invalid-params");
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (mine, other) = (stage.room("token-1", "Mary", None).await, stage.room("token-2", "Bob", None).await);
        let good = json!([{"name": "satisfaction", "value": "5"}]);
        let bad = json!([{"name": "satisfaction", "value": "0"}, {"name": "constructor", "value": "5"}]);
        let before = rows(&stage.app).await;
        for (token, room, data, error) in [
            ("token-3", mine.as_str(), &good, "invalid-token"),
            ("token-1", "nothing", &good, "invalid-room"),
            ("token-1", &other, &good, "invalid-room"),
            ("token-1", &other, &bad, "invalid-room"),
            ("token-1", &mine, &bad, "invalid-data"),
        ] {
            stage.app.post(SURVEY, &body(token, room, data.clone())).await.is(400, &plain(error));
        }
        for (sent, told) in [
            (json!({"token": "token-1", "rid": mine}), "must have required property 'data'"),
            (json!({"token": "token-1", "data": good}), "must have required property 'rid'"),
            (json!({"rid": mine, "data": good}), "must have required property 'token'"),
            (body("token-1", &mine, json!([])), "must NOT have fewer than 1 items"),
            (body("token-1", &mine, json!({})), "must be array"),
            (body("token-1", &mine, json!([{"name": "satisfaction"}])), "must have required property 'value'"),
            (body("token-1", &mine, json!([{"name": "satisfaction", "value": ["5"]}])), "must be string"),
        ] {
            stage.app.post(SURVEY, &sent).await.is(400, &legacy(told));
        }
        assert_eq!(rows(&stage.app).await, before);
    }
}
