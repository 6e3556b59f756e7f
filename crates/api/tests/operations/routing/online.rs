//! Who counts as being there, at each place where that is asked.

use serde_json::json;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use super::department;
use crate::inquiries::{agent, register, run, server, set};
use crate::support::{ROOM, coded, rows};

/// Whether a chat is opened, and who serves it.
async fn opened(app: &TestApp, token: &str, department: Option<&str>) -> Option<String> {
    register(app, token, department).await;
    let answer = app.get(&format!("{ROOM}?token={token}")).await;
    if answer.status.as_u16() != 200 {
        answer.is(400, &coded("Sorry, no online agents [no-agent-online]", "no-agent-online"));
        return None;
    }
    let room = answer.body["room"]["_id"].as_str().expect("a room has an id").to_owned();
    server(app, &room).await
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_matters_in_departments_and_by_choice_elsewhere() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        agent(&app, "ana").await;
        department(&app, "a", &["ana"]).await;
        // Idle agents count, presence; whether a chat of no department and one of the department are opened.
        for (number, (counts_idle, status, without, within)) in [
            (true, "online", true, true),
            (true, "busy", true, true),
            (true, "away", true, true),
            (true, "offline", true, false),
            (false, "online", true, true),
            (false, "busy", true, true),
            (false, "offline", false, false),
        ]
        .into_iter()
        .enumerate()
        {
            set(&app, "Livechat_enabled_when_agent_idle", &json!(counts_idle)).await;
            run(&app, "UPDATE users SET status = ?1 WHERE id = 'ana'", status).await;
            let agent = |is_opened: bool| is_opened.then(|| "ana".to_owned());
            let free = opened(&app, &format!("free-{number}"), None).await;
            assert_eq!(free, agent(without), "{counts_idle} {status} without a department");
            let bound = opened(&app, &format!("bound-{number}"), Some("a")).await;
            assert_eq!(bound, agent(within), "{counts_idle} {status} in the department");
        }
    }
}

/// Being away keeps nobody's department from being open, but the chat does not go to who is away where idle agents do not count.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_away_keeps_a_department_open() {
    for engine in Engine::all() {
        let app = Setup::default().setting("Livechat_enabled_when_agent_idle", "false").start(&engine).await;
        agent(&app, "ana").await;
        department(&app, "a", &["ana"]).await;
        run(&app, "UPDATE users SET status = ?1 WHERE id = 'ana'", "away").await;
        register(&app, "1", Some("a")).await;
        let room = app.room("1").await;
        assert_eq!(server(&app, &room).await, None);
        assert_eq!(super::decisions(&app, &room).await[0]["reason"], "nobody-available");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_service_is_nobody() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let before = {
            agent(&app, "ana").await;
            department(&app, "a", &["ana"]).await;
            register(&app, "1", Some("a")).await;
            register(&app, "2", None).await;
            rows(&app).await
        };
        for (sql, back) in [
            (
                "UPDATE users SET availability = 'not-available' WHERE id = ?1",
                "UPDATE users SET availability = 'available' WHERE id = ?1",
            ),
            ("UPDATE users SET active = FALSE WHERE id = ?1", "UPDATE users SET active = TRUE WHERE id = ?1"),
            (
                "DELETE FROM user_roles WHERE user_id = ?1 AND role = 'livechat-agent'",
                "INSERT INTO user_roles (user_id, role) VALUES (?1, 'livechat-agent')",
            ),
        ] {
            run(&app, sql, "ana").await;
            for token in ["1", "2"] {
                assert_eq!(opened(&app, token, (token == "1").then_some("a")).await, None, "{sql}");
            }
            run(&app, back, "ana").await;
        }
        let after = rows(&app).await;
        assert_eq!((&after["rooms"], &after["messages"]), (&before["rooms"], &before["messages"]));
        assert_eq!(opened(&app, "1", Some("a")).await.as_deref(), Some("ana"));
    }
}
