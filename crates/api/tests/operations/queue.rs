//! `GET livechat/queue`: who serves how many chats.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use crate::permissions::{not_logged_in, not_permitted};
use crate::rooms::stage::Stage;
use crate::support::{coded, tamper};

const QUEUE: &str = "/api/v1/livechat/queue";

fn entry(chats: i64, agent: &str, status: &str, department: Option<&str>) -> Value {
    let department = department.map_or_else(|| json!({}), |id| json!({"_id": id, "name": id}));
    json!({"chats": chats, "user": {"_id": agent, "username": agent, "status": status}, "department": department})
}

/// Ana serves two chats of sales and one without a department, ben one of sales; one waits and one is closed.
async fn busy(engine: &Engine) -> Stage {
    let stage = Stage::new(engine).await;
    for agent in ["ana", "ben"] {
        stage.agent(agent).await;
    }
    tamper(&stage.app, "UPDATE users SET status = 'online' WHERE id IN ('ana', 'ben')").await;
    stage.department("sales", &["ana", "ben"]).await;
    let chats = [
        (Some("sales"), Some("ana")),
        (Some("sales"), Some("ana")),
        (None, Some("ana")),
        (Some("sales"), Some("ben")),
        (Some("sales"), None),
        (None, Some("ben")),
    ];
    for (number, (department, agent)) in chats.into_iter().enumerate() {
        let room = stage.room(&format!("token-{number}"), "Mary", department).await;
        if let Some(agent) = agent {
            stage.serve(&room, agent).await;
        }
        if number == 5 {
            stage.close(&room).await;
        }
    }
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_counted_by_agent_and_department() {
    let all = [entry(2, "ana", "online", Some("sales")), entry(1, "ana", "online", None), entry(1, "ben", "online", Some("sales"))];
    let answer = |queue: &[Value], offset: i64, total: i64| json!({"queue": queue, "count": queue.len(), "offset": offset, "total": total, "success": true});
    for engine in Engine::all() {
        let stage = busy(&engine).await;
        for (query, expected) in [
            ("", answer(&all, 0, 3)),
            ("?agentId=ana", answer(&all[..2], 0, 2)),
            ("?agentId=&departmentId=", answer(&all, 0, 3)),
            ("?departmentId=sales", answer(&[all[0].clone(), all[2].clone()], 0, 2)),
            ("?agentId=ben&departmentId=sales", answer(&all[2..], 0, 1)),
            ("?agentId=nobody", answer(&[], 0, 0)),
            ("?count=1&offset=1", answer(&all[1..2], 1, 3)),
            ("?sort=%7B%22chats%22:1%7D", answer(&[all[1].clone(), all[2].clone(), all[0].clone()], 0, 3)),
            ("?sort=%7B%22chats%22:-1%7D&count=1", answer(&all[..1], 0, 3)),
        ] {
            let reply = stage.get(&stage.admin, &format!("{QUEUE}{query}")).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (200, &expected), "{query}");
        }
        tamper(&stage.app, "UPDATE rooms SET on_hold = TRUE WHERE agent_id = 'ben'").await;
        stage.get(&stage.admin, QUEUE).await.is(200, &answer(&all, 0, 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_who_are_not_there_are_left_out() {
    for engine in Engine::all() {
        let stage = busy(&engine).await;
        tamper(&stage.app, "UPDATE users SET status = 'offline' WHERE id = 'ana'").await;
        tamper(&stage.app, "UPDATE users SET availability = 'not-available' WHERE id = 'ben'").await;
        for query in ["", "?includeOfflineAgents=false", "?includeOfflineAgents=1"] {
            let reply = stage.get(&stage.admin, &format!("{QUEUE}{query}")).await.ok();
            assert_eq!((&reply["queue"], &reply["total"]), (&json!([]), &json!(0)), "{query}");
        }
        let reply = stage.get(&stage.admin, &format!("{QUEUE}?includeOfflineAgents=true")).await.ok();
        let expected =
            [entry(2, "ana", "offline", Some("sales")), entry(1, "ana", "offline", None), entry(1, "ben", "online", Some("sales"))];
        assert_eq!(reply["queue"], json!(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_staff_sees_who_serves_how_many() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let mary = stage.person("mary", &["user"]).await;
        stage.app.get(QUEUE).await.is(401, &not_logged_in());
        stage.get(&mary, QUEUE).await.is(403, &not_permitted());
        let empty = json!({"queue": [], "count": 0, "offset": 0, "total": 0, "success": true});
        stage.get(&ana, QUEUE).await.is(200, &empty);
        for (query, told) in [
            ("agentId[]=ana", "must be string [invalid-params]"),
            ("count=x", "must be integer [invalid-params]"),
            ("status=online", "must NOT have additional properties [invalid-params]"),
        ] {
            stage.get(&ana, &format!("{QUEUE}?{query}")).await.is(400, &coded(told, "invalid-params"));
        }
    }
}
