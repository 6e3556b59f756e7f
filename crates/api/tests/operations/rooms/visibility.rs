//! Who sees which chat: what each kind of user lists, reads and joins.

use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::stage::Stage;
use crate::methods::{call, failure, result};
use crate::permissions::grant;
use crate::support::{tamper, usual};

/// Whether somebody reads a room.
async fn reads(stage: &Stage, login: &Login, room: &str) -> bool {
    let reply = call(&stage.app, login, "livechat:getFirstRoomMessage", json!([{"rid": room}])).await;
    let text: Value = serde_json::from_str(reply.body["message"].as_str().expect("an answer is a text")).expect("it is JSON");
    if text.get("error").is_some() {
        assert_eq!(failure(reply, 200)["error"], "error-not-allowed");
        return false;
    }
    assert_eq!(result(reply)["rid"], *room);
    true
}

/// Whether somebody gets into an open room.
async fn joins(stage: &Stage, login: &Login, room: &str) -> bool {
    let reply = stage.get(login, &format!("/api/v1/livechat/room.join?roomId={room}")).await;
    match reply.status.as_u16() {
        200 => true,
        _ => {
            assert_eq!(reply.body["error"], "error-not-allowed");
            false
        }
    }
}

async fn check_reading(stage: &Stage, room: &str, table: &[(&Login, bool)]) {
    for (login, expected) in table {
        assert_eq!(reads(stage, login, room).await, *expected, "{}", login.user_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_chats_are_seen_by_their_agent_and_those_who_see_all() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, ben) = (stage.agent("ana").await, stage.agent("ben").await);
        let monitor = stage.person("monitor", &["livechat-monitor"]).await;
        let manager = stage.person("manager", &["livechat-manager"]).await;
        stage.department("sales", &["ana", "ben"]).await;
        let room = stage.room("token-1", "Mary", Some("sales")).await;
        stage.serve(&room, "ana").await;
        check_reading(&stage, &room, &[(&ana, true), (&ben, false), (&monitor, true), (&manager, true), (&stage.admin, true)])
            .await;
        assert_eq!(stage.names(&ana, "?agents[]=ana").await, ["Mary"]);
        assert_eq!(stage.names(&ben, "?agents[]=ben").await, [""; 0]);
        assert_eq!(stage.names(&monitor, "?agents[]=ana").await, ["Mary"]);
        for (login, expected) in [(&ben, false), (&monitor, true), (&manager, true)] {
            assert_eq!(joins(&stage, login, &room).await, expected, "{}", login.user_id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_that_wait_are_seen_by_those_who_may_take_them() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        // Ana is in the department, ben in another one, and eve in none.
        let (ana, ben, eve) = (stage.agent("ana").await, stage.agent("ben").await, stage.agent("eve").await);
        stage.department("sales", &["ana"]).await;
        stage.department("help", &["ben"]).await;
        let of_sales = stage.room("token-1", "Mary", Some("sales")).await;
        let of_nobody = stage.room("token-2", "Bob", None).await;
        check_reading(&stage, &of_sales, &[(&ana, true), (&ben, false), (&eve, true)]).await;
        check_reading(&stage, &of_nobody, &[(&ana, true), (&ben, true), (&eve, true)]).await;
        tamper(&stage.app, "UPDATE rooms SET default_agent_id = 'ben' WHERE name = 'Mary'").await;
        check_reading(&stage, &of_sales, &[(&ben, true)]).await;
        for login in [&ana, &ben, &eve] {
            let own = format!("?agents[]={}", login.user_id);
            assert_eq!(stage.names(login, &own).await, [""; 0], "what waits is nobody's yet");
        }
        tamper(&stage.app, "UPDATE department_agents SET enabled = FALSE WHERE department_id = 'sales'").await;
        check_reading(&stage, &of_sales, &[(&ana, false)]).await;

        // Where chats are given to agents nobody looks into those that wait.
        let method = "/api/v1/settings/Livechat_Routing_Method";
        stage.post(&stage.admin, method, &json!({"value": "Auto_Selection"})).await.ok();
        check_reading(&stage, &of_nobody, &[(&ana, false), (&ben, false), (&eve, false), (&stage.admin, true)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_chats_of_others_need_a_permission() {
    const OF_OTHERS: &str = "view-livechat-room-closed-by-another-agent";
    const OF_DEPARTMENT: &str = "view-livechat-room-closed-same-department";
    for engine in Engine::all() {
        let stage = Stage::with(usual(), &engine).await;
        let (ana, ben, eve) = (stage.agent("ana").await, stage.agent("ben").await, stage.agent("eve").await);
        stage.department("sales", &["ana", "ben"]).await;
        stage.department("help", &["eve"]).await;
        let of_sales = stage.room("token-1", "Mary", Some("sales")).await;
        let of_nobody = stage.room("token-2", "Bob", None).await;
        for room in [&of_sales, &of_nobody] {
            stage.serve(room, "ana").await;
            stage.close(room).await;
        }
        let none = [(&ana, true), (&ben, false), (&eve, false)];
        check_reading(&stage, &of_sales, &none).await;
        check_reading(&stage, &of_nobody, &none).await;

        let agents = ["admin", "livechat-agent"];
        grant(&stage.app, &stage.admin, OF_DEPARTMENT, &agents).await;
        check_reading(&stage, &of_sales, &[(&ana, true), (&ben, true), (&eve, false)]).await;
        check_reading(&stage, &of_nobody, &none).await;
        tamper(&stage.app, "UPDATE department_agents SET enabled = FALSE").await;
        check_reading(&stage, &of_sales, &[(&ben, true)]).await;

        grant(&stage.app, &stage.admin, OF_DEPARTMENT, &["admin"]).await;
        grant(&stage.app, &stage.admin, OF_OTHERS, &agents).await;
        for room in [&of_sales, &of_nobody] {
            check_reading(&stage, room, &[(&ana, true), (&ben, true), (&eve, true)]).await;
        }
        // Reading is not listing.
        assert_eq!(stage.names(&ana, "?agents[]=ana&open=false").await, ["Bob", "Mary"]);
        assert_eq!(stage.names(&ben, "?agents[]=ben&open=false").await, [""; 0]);
        let refused = stage.get(&ben, "/api/v1/livechat/rooms?agents[]=ana").await;
        assert_eq!(refused.status.as_u16(), 403);
    }
}
