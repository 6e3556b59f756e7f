//! `GET usher/rooms/{rid}/routing`: why a chat went to whom.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use crate::permissions::{not_logged_in, not_permitted, post};
use crate::rooms::stage::Stage;
use crate::support::{plain, usual};

fn record(room: &str) -> String {
    format!("/api/v1/usher/rooms/{room}/routing")
}

/// What is said of an agent who was looked at.
fn considered(agent: &str, verdict: &str, chats: i64) -> Value {
    json!({"agentId": agent, "verdict": verdict, "count": 0, "order": 0, "openChats": chats, "openChatsInDepartment": chats})
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_told_in_their_order() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.agent("ana").await;
        stage.department("sales", &["ana"]).await;
        let room = stage.room("token-1", "Mary", Some("sales")).await;
        stage.seconds(5);
        stage.serve(&room, "ana").await;
        let expected = json!({"decisions": [
            {
                "ts": "2024-01-31T12:00:00.000Z", "cause": "opened", "method": "Manual_Selection", "departmentId": "sales",
                "reason": "waits-to-be-taken", "considered": [],
            },
            {
                "ts": "2024-01-31T12:00:05.000Z", "cause": "taken", "method": "Manual_Selection", "departmentId": "sales",
                "agentId": "ana", "reason": "given-by-a-user", "considered": [],
            },
        ], "success": true});
        stage.get(&stage.admin, &record(&room)).await.is(200, &expected);
        // It stays when the chat is over.
        stage.close(&room).await;
        stage.get(&stage.admin, &record(&room)).await.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_tells_what_became_of_everybody() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        for agent in ["ana", "ben"] {
            stage.agent(agent).await;
        }
        let method = "/api/v1/settings/Livechat_Routing_Method";
        post(&stage.app, &stage.admin, method, &json!({"value": "Load_Balancing"})).await.ok();
        let (first, second) = (stage.room("token-1", "Mary", None).await, stage.room("token-2", "Bob", None).await);
        for (room, agent, others) in [
            (first, "ana", [considered("ana", "chosen", 0), considered("ben", "behind", 0)]),
            (second, "ben", [considered("ana", "behind", 1), considered("ben", "chosen", 0)]),
        ] {
            let answer = stage.get(&stage.admin, &record(&room)).await.ok();
            let decision = json!({
                "ts": "2024-01-31T12:00:00.000Z", "cause": "opened", "method": "Load_Balancing", "agentId": agent,
                "reason": "fewest-open-chats", "considered": others,
            });
            assert_eq!(answer["decisions"], json!([decision]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_managers_are_told() {
    for engine in Engine::all() {
        let stage = Stage::with(usual(), &engine).await;
        let ana = stage.agent("ana").await;
        let manager = stage.person("manager", &["livechat-manager"]).await;
        let room = stage.room("token-1", "Mary", None).await;
        stage.app.get(&record(&room)).await.is(401, &not_logged_in());
        stage.get(&ana, &record(&room)).await.is(403, &not_permitted());
        stage.get(&manager, &record(&room)).await.ok();
        stage.get(&manager, &record("nothing")).await.is(400, &plain("invalid-room"));
    }
}
