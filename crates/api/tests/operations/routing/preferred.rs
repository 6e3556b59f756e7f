//! Agents whom a new chat is meant for.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use super::{close, decisions, department};
use crate::inquiries::{ONE, agent, chat, manual, register, run, server, set, stored_room};
use crate::permissions::get;
use crate::support::{ROOM, coded, usual};

/// Opens a visitor's chat and wishes for an agent.
async fn wish(app: &TestApp, token: &str, agent: &str) -> String {
    register(app, token, None).await;
    let answer = app.get(&format!("{ROOM}?token={token}&agentId={agent}")).await.ok();
    answer["room"]["_id"].as_str().expect("a room has an id").to_owned()
}

/// Makes somebody look after the contacts of all visitors there are.
async fn manage_contacts(app: &TestApp, agent: &str) {
    run(app, "UPDATE contacts SET manager_id = ?1", agent).await;
}

async fn default_agent(app: &TestApp, room: &str) -> Value {
    let admin = app.admin().await;
    get(app, &admin, &format!("{ONE}?roomId={room}")).await.ok()["inquiry"]["defaultAgent"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_wished_for_gets_the_chat() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        for name in ["ana", "ben"] {
            agent(&app, name).await;
        }
        department(&app, "a", &["ana"]).await;
        let room = wish(&app, "1", "ben").await;
        assert_eq!((server(&app, &room).await.as_deref(), stored_room(&app, &room).await.department_id), (Some("ben"), None));
        let told = decisions(&app, &room).await;
        assert_eq!((&told[0]["reason"], &told[0]["considered"]), (&json!("asked-for"), &json!([])));
        // Who is not there, not in service or no agent cannot be wished for.
        run(&app, "UPDATE users SET status = 'offline' WHERE id = ?1", "ben").await;
        let refused = coded("Sorry, no online agents [no-agent-online]", "no-agent-online");
        register(&app, "2", None).await;
        for agent in ["ben", "admin", "nobody"] {
            app.get(&format!("{ROOM}?token=2&agentId={agent}")).await.is(400, &refused);
        }
        // Where chats are opened anyway, somebody else gets it.
        set(&app, "Livechat_accept_chats_with_no_agents", &json!(true)).await;
        let room = wish(&app, "2", "ben").await;
        assert_eq!(server(&app, &room).await.as_deref(), Some("ana"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_agents_help_themselves_a_chat_is_reserved() {
    for engine in Engine::all() {
        for (shows, expected) in [("true", json!({"agentId": "ben", "username": "ben"})), ("false", json!({"agentId": "ben"}))] {
            let engine = if shows == "true" { &engine } else { &Engine::sqlite() };
            let app = manual().setting("Livechat_show_agent_info", shows).start(engine).await;
            let (ana, ben) = (agent(&app, "ana").await, agent(&app, "ben").await);
            let room = wish(&app, "1", "ben").await;
            assert_eq!(server(&app, &room).await, None);
            assert_eq!(default_agent(&app, &room).await, expected);
            assert_eq!(get(&app, &ben, crate::inquiries::QUEUED).await.ok()["total"], 1);
            assert_eq!(get(&app, &ana, crate::inquiries::QUEUED).await.ok()["total"], 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_after_a_contact_gets_its_chats() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        for name in ["ana", "ben", "cleo"] {
            agent(&app, name).await;
        }
        chat(&app, "1", None).await;
        close(&app, "1").await;
        manage_contacts(&app, "cleo").await;
        let room = wish(&app, "1", "ben").await;
        assert_eq!(server(&app, &room).await.as_deref(), Some("cleo"), "before anybody that is wished for");
        assert_eq!(decisions(&app, &room).await[0]["reason"], "manages-the-contact");
        close(&app, "1").await;
        // Only while there, and only if it is wanted.
        run(&app, "UPDATE users SET status = 'offline' WHERE id = ?1", "cleo").await;
        assert_eq!(server(&app, &wish(&app, "1", "ben").await).await.as_deref(), Some("ben"));
        close(&app, "1").await;
        run(&app, "UPDATE users SET status = 'online' WHERE id = ?1", "cleo").await;
        set(&app, "Omnichannel_contact_manager_routing", &json!(false)).await;
        assert_eq!(server(&app, &wish(&app, "1", "ben").await).await.as_deref(), Some("ben"));
    }
}

/// Where chats are opened although nobody is there, the one who looks after the contact is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_after_a_contact_is_waited_for() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_waiting_queue", "true").start(&engine).await;
        for name in ["ana", "cleo"] {
            agent(&app, name).await;
        }
        chat(&app, "1", None).await;
        close(&app, "1").await;
        manage_contacts(&app, "cleo").await;
        run(&app, "UPDATE users SET status = 'offline' WHERE id = ?1", "cleo").await;
        let room = app.room("1").await;
        assert_eq!(default_agent(&app, &room).await, json!({"agentId": "cleo", "username": "cleo"}));
        close(&app, "1").await;
        // Without a queue somebody else gets it at once.
        set(&app, "Livechat_waiting_queue", &json!(false)).await;
        assert_eq!(server(&app, &app.room("1").await).await.as_deref(), Some("ana"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_served_a_visitor_last_serves_it_again() {
    for engine in Engine::all() {
        let app = Setup::default().setting("Livechat_last_chatted_agent_routing", "true").start(&engine).await;
        for name in ["ana", "ben", "cleo"] {
            agent(&app, name).await;
        }
        let first = wish(&app, "1", "cleo").await;
        assert_eq!(server(&app, &first).await.as_deref(), Some("cleo"));
        assert_eq!(crate::support::column(&app, "SELECT last_agent_id FROM visitors").await, ["cleo"]);
        close(&app, "1").await;
        let room = wish(&app, "1", "ben").await;
        assert_eq!(server(&app, &room).await.as_deref(), Some("cleo"));
        assert_eq!(decisions(&app, &room).await[0]["reason"], "served-the-visitor-last");
        close(&app, "1").await;
        // Without a note of it the latest chat that somebody served tells.
        run(&app, "UPDATE visitors SET last_agent_id = ?1", "ben").await;
        run(&app, "UPDATE users SET status = 'offline' WHERE id = ?1", "ben").await;
        assert_eq!(server(&app, &app.room("1").await).await.as_deref(), Some("cleo"));
        close(&app, "1").await;
        run(&app, "UPDATE users SET availability = 'not-available' WHERE id = ?1", "cleo").await;
        assert_eq!(server(&app, &app.room("1").await).await.as_deref(), Some("ana"));
        close(&app, "1").await;
        set(&app, "Livechat_last_chatted_agent_routing", &json!(false)).await;
        run(&app, "UPDATE users SET availability = 'available' WHERE id = ?1", "cleo").await;
        assert_eq!(server(&app, &app.room("1").await).await.as_deref(), Some("ben"), "one of those who got none so far");
    }
}
