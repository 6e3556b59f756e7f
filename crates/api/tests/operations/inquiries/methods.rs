//! Methods about the queue, as older clients call them.

use serde_json::json;
use usher_testkit::engines::Engine;

use super::{agent, chat, inquiry_id, manual, server, set};
use crate::methods::{call, failure, result};
use crate::omnichannel_users::somebody;

const TAKE: &str = "livechat:takeInquiry";
const RETURN: &str = "livechat:returnAsInquiry";

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_taken_and_returned() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let user = somebody(&app, "user", &["user"]).await;
        let room = chat(&app, "mary", None).await;
        let id = inquiry_id(&app, &room).await;
        for (method, parameter) in [(TAKE, &id), (RETURN, &room)] {
            let refused = failure(call(&app, &user, method, json!([parameter])).await, 200);
            assert_eq!((&refused["error"], &refused["details"]), (&json!("error-not-allowed"), &json!({"method": method})));
            let mismatch = failure(call(&app, &agent, method, json!([1])).await, 200);
            assert_eq!(mismatch["errorType"], "Match.Error");
        }
        let unknown = failure(call(&app, &agent, TAKE, json!(["unknown"])).await, 200);
        assert_eq!((&unknown["error"], &unknown["reason"]), (&json!("error-not-found"), &json!("Inquiry not found")));
        let unknown = failure(call(&app, &agent, RETURN, json!(["unknown"])).await, 200);
        assert_eq!(unknown["error"], "error-invalid-room");

        let options = json!({"clientAction": true, "forwardingToDepartment": {"oldDepartmentId": "x"}});
        let taken = result(call(&app, &agent, TAKE, json!([id, options])).await);
        assert_eq!((&taken["_id"], &taken["servedBy"]["_id"]), (&json!(room), &json!("agent")));
        assert!(taken["servedBy"]["ts"]["$date"].is_i64(), "{taken}");
        let again = failure(call(&app, &agent, TAKE, json!([id])).await, 200);
        assert_eq!(again["error"], "error-inquiry-taken");
        assert_eq!(result(call(&app, &agent, RETURN, json!([room])).await), json!(true));
        assert_eq!(result(call(&app, &agent, RETURN, json!([room, null])).await), json!(false));
        assert_eq!(server(&app, &room).await, None);

        // The limit is told to people alone.
        set(&app, "Livechat_waiting_queue", &json!(true)).await;
        set(&app, "Livechat_maximum_chats_per_agent", &json!(1)).await;
        result(call(&app, &agent, TAKE, json!([id])).await);
        let other = chat(&app, "adam", None).await;
        let id = inquiry_id(&app, &other).await;
        let full = failure(call(&app, &agent, TAKE, json!([id, {"clientAction": true}])).await, 200);
        assert_eq!(full["error"], "error-max-number-simultaneous-chats-reached");
        result(call(&app, &agent, TAKE, json!([id])).await);
        assert_eq!(server(&app, &other).await, None);
    }
}
