//! Chats that wait: given in their order to whoever becomes free, also after a restart.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use super::{close, decisions, department};
use crate::inquiries::{RETURN, TAKE, agent, chat, inquiry_id, manual, register, run, server, set};
use crate::permissions::post;
use crate::support::{ROOM, rows, usual};

const STATUS: &str = "/api/v1/livechat/agent.status";

/// Gives chats that wait, as the server does all the time. Gives how many were given.
async fn give(app: &TestApp) -> u64 {
    app.services.give_waiting_chats().await.expect("chats can be given")
}

/// Whether the server would look at the queue now.
async fn is_woken(app: &TestApp) -> bool {
    tokio::time::timeout(Duration::ZERO, app.services.chat_to_give()).await.is_ok()
}

async fn status(app: &TestApp, login: &Login, status: &str) {
    post(app, login, STATUS, &json!({"status": status})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_nobody_could_take_goes_to_the_next_who_can() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let ana = agent(&app, "ana").await;
        status(&app, &ana, "not-available").await;
        let first = chat(&app, "1", None).await;
        let second = chat(&app, "2", None).await;
        let before = rows(&app).await;
        assert_eq!(give(&app).await, 0);
        assert_eq!(give(&app).await, 0);
        assert_eq!(rows(&app).await, before, "looking again and finding nobody leaves nothing behind");
        assert_eq!(decisions(&app, &first).await[0]["reason"], "nobody-available");

        status(&app, &ana, "available").await;
        app.advance(Duration::from_secs(30));
        assert_eq!(give(&app).await, 2);
        for room in [&first, &second] {
            assert_eq!(server(&app, room).await.as_deref(), Some("ana"));
        }
        let told = decisions(&app, &first).await;
        assert_eq!((&told[1]["cause"], &told[1]["agentId"]), (&json!("waiting"), &json!("ana")));
        assert_eq!((&told[1]["reason"], told.as_array().map(Vec::len)), (&json!("fewest-chats-so-far"), Some(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_outlasts_a_restart() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let room = chat(&app, "1", None).await;
        drop(app);
        let app = usual().start(&engine).await;
        assert_eq!(give(&app).await, 0);
        agent(&app, "ana").await;
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ana"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_queue_chats_are_given_in_their_order_within_the_limits() {
    for engine in Engine::all() {
        let app = Setup::default()
            .setting("Livechat_waiting_queue", "true")
            .setting("Livechat_maximum_chats_per_agent", "1")
            .start(&engine)
            .await;
        for name in ["ana", "ben"] {
            agent(&app, name).await;
        }
        let mut chats = Vec::new();
        for token in ["1", "2", "3", "4"] {
            let room = chat(&app, token, None).await;
            assert_eq!(server(&app, &room).await, None, "it waits at first");
            chats.push(room);
        }
        assert_eq!(give(&app).await, 2);
        let mut found = Vec::new();
        for room in &chats {
            found.push(server(&app, room).await);
        }
        assert_eq!(found, [Some("ana".to_owned()), Some("ben".to_owned()), None, None]);
        assert_eq!(decisions(&app, &chats[2]).await[1]["reason"], "all-have-enough-chats");
        close(&app, "2").await;
        assert_eq!(give(&app).await, 1);
        assert_eq!((server(&app, &chats[2]).await.as_deref(), server(&app, &chats[3]).await), (Some("ben"), None));
        set(&app, "Livechat_maximum_chats_per_agent", &json!(2)).await;
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &chats[3]).await.as_deref(), Some("ana"));
    }
}

/// Each department has a queue of its own: one in which nobody is free keeps no other from going on.
#[tokio::test(flavor = "multi_thread")]
async fn queues_do_not_wait_for_each_other() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_waiting_queue", "true").start(&engine).await;
        agent(&app, "ana").await;
        department(&app, "a", &[]).await;
        department(&app, "b", &["ana"]).await;
        let stuck = chat(&app, "1", Some("a")).await;
        let flowing = chat(&app, "2", Some("b")).await;
        let free = chat(&app, "3", None).await;
        assert_eq!(give(&app).await, 2);
        assert_eq!(server(&app, &stuck).await, None);
        for room in [&flowing, &free] {
            assert_eq!(server(&app, room).await.as_deref(), Some("ana"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_chat_goes_to_its_agent_first() {
    for engine in Engine::all() {
        let app = Setup::default().setting("Livechat_waiting_queue", "true").start(&engine).await;
        for name in ["ana", "ben"] {
            agent(&app, name).await;
        }
        let reserve = async |token: &str| {
            register(&app, token, None).await;
            let answer = app.get(&format!("{ROOM}?token={token}&agentId=ben")).await.ok();
            answer["room"]["_id"].as_str().expect("a room has an id").to_owned()
        };
        let room = reserve("1").await;
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ben"));
        assert_eq!(decisions(&app, &room).await[1]["reason"], "reserved");
        // Who has enough or left meanwhile is not waited for.
        set(&app, "Livechat_maximum_chats_per_agent", &json!(1)).await;
        let room = reserve("2").await;
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ana"));
        set(&app, "Livechat_maximum_chats_per_agent", &json!(0)).await;
        let room = reserve("3").await;
        run(&app, "UPDATE users SET status = 'offline', availability = 'not-available' WHERE id = ?1", "ben").await;
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ana"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_agents_help_themselves_or_nothing_runs_nothing_is_given() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        agent(&app, "ana").await;
        let room = chat(&app, "1", None).await;
        assert_eq!(give(&app).await, 0);
        set(&app, "Livechat_Routing_Method", &json!("Auto_Selection")).await;
        set(&app, "Livechat_enabled", &json!(false)).await;
        assert_eq!(give(&app).await, 0);
        set(&app, "Livechat_enabled", &json!(true)).await;
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ana"));
    }
}

/// Whatever may make somebody free wakes the server at once.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_may_free_somebody_is_noticed() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let ana = agent(&app, "ana").await;
        department(&app, "a", &[]).await;
        let room = chat(&app, "1", None).await;
        while is_woken(&app).await {}
        let calls: [(&str, &Login, &str, Value); 8] = [
            ("an agent takes chats", &ana, STATUS, json!({"status": "not-available"})),
            ("an agent is there", &ana, "/api/v1/users.setStatus", json!({"status": "busy"})),
            ("somebody becomes an agent", &admin, "/api/v1/livechat/users/agent", json!({"username": "admin"})),
            (
                "an agent gets another limit",
                &admin,
                "/api/v1/livechat/agents.saveInfo",
                json!({"agentId": "ana", "agentData": {"maxNumberSimultaneousChat": 9}, "agentDepartments": []}),
            ),
            (
                "an agent enters a department",
                &admin,
                "/api/v1/livechat/department/a/agents",
                json!({"upsert": [{"agentId": "ana", "username": "ana"}], "remove": []}),
            ),
            ("a setting changes", &admin, "/api/v1/settings/Livechat_maximum_chats_per_agent", json!({"value": 9})),
            ("somebody may log in again", &admin, "/api/v1/users.setActiveStatus", json!({"userId": "ana", "activeStatus": true})),
            ("a chat is returned", &ana, RETURN, json!({"roomId": room})),
        ];
        for (what, login, path, body) in calls {
            assert!(!is_woken(&app).await, "before {what}");
            post(&app, login, path, &body).await.ok();
            assert!(is_woken(&app).await, "{what}");
        }
        let changed = json!({"department": {"enabled": true, "name": "a", "showOnRegistration": true, "email": "a@b",
            "showOnOfflineForm": true}});
        app.call(Method::PUT, "/api/v1/livechat/department/a").as_user(&admin).json(&changed).send().await.ok();
        assert!(is_woken(&app).await, "a department changes");
        close(&app, "1").await;
        assert!(is_woken(&app).await, "a chat is closed");
        app.log_in("admin").await;
        assert!(is_woken(&app).await, "somebody logs in");

        // The control: what frees nobody wakes nobody.
        let room = app.room("1").await;
        while is_woken(&app).await {}
        app.message("1", &room, "Hello").await;
        let id = inquiry_id(&app, &room).await;
        post(&app, &ana, TAKE, &json!({"inquiryId": id})).await;
        assert!(!is_woken(&app).await);
    }
}

/// Whoever returns a chat gets it back only if nobody else can have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_returned_chat_goes_to_somebody_else() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_Routing_Method", "Load_Balancing").start(&engine).await;
        let ana = agent(&app, "ana").await;
        let room = chat(&app, "1", None).await;
        let ben = agent(&app, "ben").await;
        // By the method alone it would be ana's again: nobody has a chat, and the names decide.
        post(&app, &ana, RETURN, &json!({"roomId": room})).await.ok();
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ben"));
        let told = decisions(&app, &room).await;
        assert_eq!(told[1]["considered"], json!([{"agentId": "ana", "verdict": "passed-over"}]));
        assert_eq!(told[2]["considered"][0]["verdict"], "passed-over");

        status(&app, &ana, "not-available").await;
        post(&app, &ben, RETURN, &json!({"roomId": room})).await.ok();
        assert_eq!(give(&app).await, 1);
        assert_eq!(server(&app, &room).await.as_deref(), Some("ben"), "there is nobody else");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_looks_every_few_seconds() {
    for (setting, seconds) in [("5", 5), ("60", 60), ("1", 1), ("0", 5), ("-3", 5)] {
        let app = usual().setting("Omnichannel_queue_delay_timeout", setting).start(&Engine::sqlite()).await;
        assert_eq!(app.services.queue_delay(), seconds);
    }
}
