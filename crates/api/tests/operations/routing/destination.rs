//! Which department a new chat is of.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use super::{department, servers};
use crate::inquiries::{agent, chat, register, run, server, stored_room};
use crate::support::{ROOM, coded, rows, usual};

fn nobody_there() -> Value {
    coded("Sorry, no online agents [no-agent-online]", "no-agent-online")
}

/// Opens a chat; gives the department and who serves it.
async fn opened(app: &TestApp, token: &str, department: Option<&str>) -> (Option<String>, Option<String>) {
    let room = chat(app, token, department).await;
    (stored_room(app, &room).await.department_id, server(app, &room).await)
}

fn some(department: &str, agent: &str) -> (Option<String>, Option<String>) {
    (Some(department.to_owned()), Some(agent.to_owned()))
}

/// `from` falls back to `to`.
async fn fall_back(app: &TestApp, from: &str, to: &str) {
    let sql = "UPDATE departments SET fallback_id = substr(?1, 3) WHERE id = substr(?1, 1, 1)";
    run(app, sql, &format!("{from}>{to}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_without_anybody_falls_back_to_others() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        for name in ["ana", "ben"] {
            agent(&app, name).await;
        }
        department(&app, "a", &[]).await;
        department(&app, "b", &[]).await;
        department(&app, "c", &["ben"]).await;
        department(&app, "d", &["ana"]).await;
        fall_back(&app, "a", "b").await;
        fall_back(&app, "b", "c").await;
        fall_back(&app, "d", "c").await;
        assert_eq!(opened(&app, "1", Some("a")).await, some("c", "ben"), "through two departments");
        assert_eq!(opened(&app, "2", Some("d")).await, some("d", "ana"), "who is staffed needs no other");
        run(&app, "UPDATE users SET status = 'offline' WHERE id = ?1", "ana").await;
        assert_eq!(opened(&app, "3", Some("d")).await, some("c", "ben"), "in departments, agents have to be there");
    }
}

/// Following departments that fall back to each other ends, whoever they are.
#[tokio::test(flavor = "multi_thread")]
async fn circles_of_departments_end() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        agent(&app, "ana").await;
        department(&app, "a", &[]).await;
        department(&app, "b", &[]).await;
        fall_back(&app, "a", "b").await;
        fall_back(&app, "b", "a").await;
        register(&app, "1", Some("a")).await;
        let before = rows(&app).await;
        app.get(&format!("{ROOM}?token=1")).await.is(400, &nobody_there());
        assert_eq!(rows(&app).await, before);
        // A department that falls back to itself, or to one that is gone.
        fall_back(&app, "a", "a").await;
        app.get(&format!("{ROOM}?token=1")).await.is(400, &nobody_there());
        fall_back(&app, "a", "x").await;
        app.get(&format!("{ROOM}?token=1")).await.is(400, &nobody_there());
    }
}

/// Where chats are opened although nobody is there, they stay in the department that was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_a_chat_stays_where_it_was_wanted() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        department(&app, "a", &[]).await;
        department(&app, "b", &[]).await;
        fall_back(&app, "a", "b").await;
        assert_eq!(opened(&app, "1", Some("a")).await, (Some("a".to_owned()), None));
        assert_eq!(opened(&app, "2", None).await, (None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_none_gets_the_first_department_that_takes_chats() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        for name in ["ana", "ben"] {
            agent(&app, name).await;
        }
        for (id, agents) in [("a", &[] as &[&str]), ("b", &["ana"]), ("c", &["ana"]), ("d", &["ben"]), ("e", &["ana"])] {
            department(&app, id, agents).await;
        }
        run(&app, "UPDATE departments SET enabled = FALSE WHERE id = ?1", "b").await;
        run(&app, "UPDATE departments SET show_on_registration = TRUE WHERE id <> ?1", "c").await;
        run(&app, "UPDATE users SET status = 'offline' WHERE id = ?1", "ben").await;
        assert_eq!(opened(&app, "1", None).await, some("e", "ana"));
        run(&app, "UPDATE users SET status = 'away' WHERE id = ?1", "ben").await;
        assert_eq!(opened(&app, "2", None).await, some("d", "ben"), "the one that was made first");
        // The visitor asks for it no more than before.
        let asked = crate::support::column(&app, "SELECT COALESCE(department_id, '') FROM visitors").await;
        assert_eq!(asked, ["", ""]);
        run(&app, "UPDATE departments SET enabled = FALSE WHERE id <> ?1", "a").await;
        assert_eq!(opened(&app, "3", None).await, (None, Some("ana".to_owned())), "without any there is the queue of all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_new_chats_where_they_are_to() {
    for engine in Engine::all() {
        let app = Setup::default().setting("Livechat_assign_new_conversation_to_bot", "true").start(&engine).await;
        for name in ["ana", "robot", "automat"] {
            agent(&app, name).await;
        }
        for name in ["robot", "automat"] {
            run(&app, "INSERT INTO user_roles (user_id, role) VALUES (?1, 'bot')", name).await;
            // Whether it takes chats is not asked, nor whether it is there.
            run(&app, "UPDATE users SET availability = 'not-available', status = 'offline' WHERE id = ?1", name).await;
        }
        assert_eq!(servers(&app, &["1", "2", "3"], None).await, ["automat", "robot", "automat"]);
        department(&app, "a", &["ana", "robot"]).await;
        department(&app, "b", &["ana"]).await;
        assert_eq!(servers(&app, &["4", "5"], Some("a")).await, ["robot", "robot"]);
        assert_eq!(servers(&app, &["6"], Some("b")).await, ["ana"], "where there is none, people do");
        // What waits does not keep programs from beginning at once.
        crate::inquiries::set(&app, "Livechat_waiting_queue", &json!(true)).await;
        assert_eq!(servers(&app, &["7"], Some("a")).await, ["robot"]);
        assert_eq!(servers(&app, &["8"], Some("b")).await, ["nobody"]);
        run(&app, "UPDATE users SET active = FALSE WHERE id = ?1", "automat").await;
        assert_eq!(servers(&app, &["9"], None).await, ["robot"], "nobody gets a chat who may not log in");
    }
}
