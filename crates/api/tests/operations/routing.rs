//! Routing: who gets a chat, in which order, and what is kept of why.

mod destination;
mod online;
mod preferred;
mod waiting;

use serde_json::{Value, json};
use usher_domain::visitor::VisitorToken;
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use crate::agents::put_into;
use crate::inquiries::{agent, chat, run, server};
use crate::permissions::post;
use crate::requests::insert_department;
use crate::support::{column, usual};

/// Opens chats, of a department if one is named, and gives who serves each.
async fn servers(app: &TestApp, tokens: &[&str], department: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        let room = chat(app, token, department).await;
        found.push(server(app, &room).await.unwrap_or_else(|| "nobody".to_owned()));
    }
    found
}

/// Closes a visitor's chat.
async fn close(app: &TestApp, token: &str) {
    let room = app.room(token).await;
    let token = VisitorToken::new(token).expect("it can be somebody's");
    app.services.close_by_visitor(token, room).await.expect("visitors may close their chats");
}

/// What is kept of the decisions about a room.
async fn decisions(app: &TestApp, room: &str) -> Value {
    let found = app.services.routing_of_room(room.to_owned()).await.expect("there is such a room");
    serde_json::to_value(found).expect("they are JSON")
}

/// A department that these agents are in. Only chats whose visitors ask for it are of it.
async fn department(app: &TestApp, id: &str, agents: &[&str]) {
    let admin = app.admin().await;
    insert_department(app, id).await;
    run(app, "UPDATE departments SET show_on_registration = FALSE WHERE id = ?1", id).await;
    for agent in agents {
        let body = json!({"upsert": [{"agentId": agent, "username": agent}], "remove": []});
        post(app, &admin, &format!("/api/v1/livechat/department/{id}/agents"), &body).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_selection_counts_what_everybody_got_so_far() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        for name in ["zoe", "adam", "mary"] {
            agent(&app, name).await;
        }
        assert_eq!(servers(&app, &["1", "2", "3", "4"], None).await, ["adam", "mary", "zoe", "adam"]);
        // Closing lowers no count, so that the next is again the one who got fewest.
        for token in ["1", "4"] {
            close(&app, token).await;
        }
        assert_eq!(servers(&app, &["5", "6"], None).await, ["mary", "zoe"]);
        // Who is new begins at nothing and gets chats until it has caught up.
        agent(&app, "zz").await;
        assert_eq!(servers(&app, &["7", "8", "9"], None).await, ["zz", "zz", "adam"]);
        run(&app, "UPDATE users SET availability = 'not-available' WHERE id = ?1", "mary").await;
        let room = chat(&app, "10", None).await;
        assert_eq!(server(&app, &room).await.as_deref(), Some("zoe"));
        let considered = |agent: &str, verdict: &str, count: i64, chats: i64| {
            json!({"agentId": agent, "verdict": verdict, "count": count, "order": 0, "openChats": chats,
                "openChatsInDepartment": chats})
        };
        let expected = json!([{
            "ts": "2024-01-31T12:00:10.000Z",
            "cause": "opened",
            "method": "Auto_Selection",
            "agentId": "zoe",
            "reason": "fewest-chats-so-far",
            "considered": [considered("adam", "behind", 3, 1), considered("zoe", "chosen", 2, 2), considered("zz", "behind", 2, 2)],
        }]);
        assert_eq!(decisions(&app, &room).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_department_count_order_and_name_decide() {
    const COUNTS: &str = "SELECT agent_id || ' ' || routed_count FROM department_agents ORDER BY agent_id";
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["adam", "mary", "zoe", "other"] {
            agent(&app, name).await;
        }
        department(&app, "sales", &["adam", "mary", "zoe"]).await;
        let place =
            |agent: &str, count: i64, order: i64| json!({"agentId": agent, "username": agent, "count": count, "order": order});
        let places = json!({"upsert": [place("adam", 2, 0), place("mary", 1, 5), place("zoe", 1, 1)], "remove": []});
        post(&app, &admin, "/api/v1/livechat/department/sales/agents", &places).await.ok();
        let found = servers(&app, &["1", "2", "3", "4"], Some("sales")).await;
        assert_eq!(found, ["zoe", "mary", "adam", "zoe"], "the fewest first, then the order");
        assert_eq!(column(&app, COUNTS).await, ["adam 3", "mary 2", "zoe 3"]);
        // Those of the department count by themselves.
        assert_eq!(column(&app, "SELECT DISTINCT CAST(routed_count AS TEXT) FROM users").await, ["0"]);
        // With equal counts and orders the name decides.
        let equal = json!({"upsert": [place("adam", 0, 0), place("mary", 0, 0), place("zoe", 0, 0)], "remove": []});
        post(&app, &admin, "/api/v1/livechat/department/sales/agents", &equal).await.ok();
        assert_eq!(servers(&app, &["5", "6", "7"], Some("sales")).await, ["adam", "mary", "zoe"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancing_looks_at_open_chats() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Load_Balancing").start(&engine).await;
        for name in ["adam", "mary"] {
            agent(&app, name).await;
        }
        department(&app, "sales", &["adam", "mary"]).await;
        assert_eq!(servers(&app, &["1", "2", "3"], None).await, ["adam", "mary", "adam"]);
        close(&app, "1").await;
        close(&app, "3").await;
        assert_eq!(servers(&app, &["4"], None).await, ["adam"], "who has fewest");
        // In a department its chats alone count; among equals who waited longest gets the chat.
        assert_eq!(servers(&app, &["5", "6", "7"], Some("sales")).await, ["mary", "adam", "mary"]);
        run(&app, "UPDATE rooms SET on_hold = TRUE WHERE department_id = ?1 AND agent_id = 'mary'", "sales").await;
        assert_eq!(servers(&app, &["8"], Some("sales")).await, ["mary"], "what rests does not count");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn load_rotation_goes_round() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Load_Rotation").start(&engine).await;
        for name in ["adam", "mary", "zoe"] {
            agent(&app, name).await;
        }
        assert_eq!(servers(&app, &["1", "2", "3", "4"], None).await, ["adam", "mary", "zoe", "adam"]);
        close(&app, "3").await;
        assert_eq!(servers(&app, &["5"], None).await, ["mary"], "however many chats anybody has");
    }
}

/// Limits hold for whoever is chosen, with a queue and without.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_enough_chats_is_passed_over() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_maximum_chats_per_agent", "1").start(&engine).await;
        let admin = app.admin().await;
        for name in ["adam", "mary"] {
            agent(&app, name).await;
        }
        assert_eq!(servers(&app, &["1", "2", "3"], None).await, ["adam", "mary", "nobody"]);
        let waiting = app.room("3").await;
        let told = decisions(&app, &waiting).await;
        assert_eq!((&told[0]["reason"], &told[0]["agentId"]), (&json!("all-have-enough-chats"), &Value::Null));
        assert_eq!((&told[0]["considered"][0]["verdict"], &told[0]["considered"][1]["verdict"]), (&json!("full"), &json!("full")));
        // A limit of the agent's own comes before that of everybody; the department's holds besides.
        let data = json!({"agentId": "mary", "agentData": {"maxNumberSimultaneousChat": 4}, "agentDepartments": []});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &data).await.ok();
        department(&app, "sales", &["mary"]).await;
        let limit = r#"{"maxNumberSimultaneousChat": "2"}"#;
        run(&app, "UPDATE departments SET members = ?1 WHERE id = 'sales'", limit).await;
        assert_eq!(servers(&app, &["4", "5", "6"], Some("sales")).await, ["mary", "mary", "nobody"]);
        assert_eq!(servers(&app, &["7", "8"], None).await, ["mary", "nobody"]);
        // Programs have no limit.
        run(&app, "INSERT INTO user_roles (user_id, role) VALUES (?1, 'bot')", "adam").await;
        assert_eq!(servers(&app, &["9", "10"], None).await, ["adam", "adam"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_no_department_stays_out_of_them() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for name in ["adam", "mary"] {
            agent(&app, name).await;
        }
        department(&app, "sales", &["mary"]).await;
        assert_eq!(servers(&app, &["1", "2"], Some("sales")).await, ["mary", "mary"]);
        put_into(&app, &admin, "mary", &[]).await;
        assert_eq!(servers(&app, &["3"], Some("sales")).await, ["nobody"]);
    }
}
