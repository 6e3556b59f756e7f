//! Taking chats: what follows, and what is refused.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use super::{TAKE, agent, chat, inquiry_id, manual, run, server, set};
use crate::omnichannel_users::somebody;
use crate::permissions::{not_logged_in, not_permitted, post};
use crate::requests::insert_department;
use crate::support::{coded, column, plain, rows};

/// Takes a chat as clients do.
async fn take(app: &TestApp, login: &Login, room: &str) -> Reply {
    let body = json!({"inquiryId": inquiry_id(app, room).await, "options": {"clientAction": true}});
    post(app, login, TAKE, &body).await
}

fn done() -> Value {
    json!({"success": true})
}

/// The body of a failure with a code in brackets alone.
fn bracketed(code: &str) -> Value {
    coded(&format!("[{code}]"), code)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_a_chat_serves_it() {
    const MESSAGES: &str = "SELECT COALESCE(kind, '') || '|' || text || '|' || author_id FROM messages ORDER BY ts";
    const SUBSCRIPTIONS: &str = "SELECT user_id || ' ' || unread || ' ' || mentions || ' ' || created_at || ' '
        || CASE WHEN alert AND is_shown AND NOT is_favorite THEN 'shown' ELSE 'other' END FROM subscriptions";
    const ROOM: &str =
        "SELECT agent_id || ' ' || agent_username || ' ' || agent_since || ' ' || users_count || ' ' || message_count
        || ' ' || inquiry_status || ' ' || inquiry_taken_at || ' ' || COALESCE(inquiry_queued_at, 0) FROM rooms";
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let room = chat(&app, "mary", None).await;
        app.advance(std::time::Duration::from_secs(1));
        take(&app, &agent, &room).await.is(200, &done());

        let taken_at = usher_testkit::clock::START + 2_000;
        assert_eq!(column(&app, ROOM).await, [format!("agent agent {taken_at} 2 3 taken {taken_at} 0")]);
        assert_eq!(column(&app, SUBSCRIPTIONS).await, [format!("agent 1 1 {taken_at} shown")]);
        let visitor = column(&app, "SELECT id FROM visitors").await.remove(0);
        let expected = [format!("livechat-started||{visitor}"), "command|connected|agent".to_owned(), "uj||agent".to_owned()];
        assert_eq!(column(&app, MESSAGES).await, expected);
        assert_eq!(
            column(&app, "SELECT CAST(routed_count AS TEXT) FROM users WHERE id = 'agent'").await,
            ["0"],
            "nobody routed it"
        );

        let decisions = app.services.routing_of_room(room.clone()).await.expect("there is such a room");
        let decisions = serde_json::to_value(decisions).expect("they are JSON");
        let waits = json!({"ts": "2024-01-31T12:00:01.000Z", "cause": "opened", "method": "Manual_Selection",
            "reason": "waits-to-be-taken", "considered": []});
        let taken = json!({"ts": "2024-01-31T12:00:02.000Z", "cause": "taken", "method": "Manual_Selection", "agentId": "agent",
            "reason": "took-it", "considered": []});
        assert_eq!(decisions, json!([waits, taken]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_taken_for_somebody_else() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let (one, _) = (agent(&app, "one").await, agent(&app, "other").await);
        let room = chat(&app, "mary", None).await;
        let forwarding = json!({"oldDepartmentId": "x", "transferData": {"scope": "department"}});
        let options = json!({"clientAction": false, "forwardingToDepartment": forwarding});
        let body = json!({"inquiryId": inquiry_id(&app, &room).await, "userId": "other", "options": options});
        post(&app, &one, TAKE, &body).await.is(200, &done());
        assert_eq!(server(&app, &room).await.as_deref(), Some("other"));
        let decisions = app.services.routing_of_room(room).await.expect("there is such a room");
        assert_eq!(decisions[1].reason, "given-by-a-user");
    }
}

/// The department of the chat does not matter, nor that it is about to be given.
#[tokio::test(flavor = "multi_thread")]
async fn any_agent_in_service_takes_any_chat() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        insert_department(&app, "sales").await;
        let room = chat(&app, "mary", Some("sales")).await;
        run(&app, "UPDATE rooms SET inquiry_status = 'ready' WHERE id = ?1", &room).await;
        take(&app, &agent, &room).await.is(200, &done());
        assert_eq!(server(&app, &room).await.as_deref(), Some("agent"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_stays_as_it_is() {
    let offline = {
        let code = "error-agent-status-service-offline";
        coded(&format!("Agent status is offline or Omnichannel service is not active [{code}]"), code)
    };
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let (agent, rival) = (agent(&app, "agent").await, agent(&app, "rival").await);
        let manager = somebody(&app, "manager", &["livechat-manager"]).await;
        let user = somebody(&app, "user", &["user"]).await;
        let room = chat(&app, "mary", None).await;
        let taken = chat(&app, "adam", None).await;
        take(&app, &rival, &taken).await.is(200, &done());
        let good = json!({"inquiryId": inquiry_id(&app, &room).await});
        let before = rows(&app).await;

        app.post(TAKE, &good).await.is(401, &not_logged_in());
        post(&app, &user, TAKE, &good).await.is(403, &not_permitted());
        let with = |member: &str, value: Value| {
            let mut body = good.clone();
            body[member] = value;
            body
        };
        for (body, error) in [
            (json!({}), "must have required property 'inquiryId'"),
            (with("other", json!(1)), "must NOT have additional properties"),
            (with("inquiryId", json!({})), "must be string"),
            (with("options", json!({})), "must have required property 'clientAction'"),
            (with("options", json!({"clientAction": "x"})), "must be boolean"),
            (with("options", json!({"clientAction": true, "other": 1})), "must NOT have additional properties"),
            (with("options", json!({"clientAction": true, "forwardingToDepartment": 1})), "must be object"),
        ] {
            let refused = coded(&format!("{error} [invalid-params]"), "invalid-params");
            post(&app, &agent, TAKE, &body).await.is(400, &refused);
        }
        for nobody in ["nobody", ""] {
            post(&app, &agent, TAKE, &with("userId", json!(nobody))).await.is(400, &plain("The user is invalid"));
        }
        for unknown in ["unknown", ""] {
            let not_found = coded("Inquiry not found [error-not-found]", "error-not-found");
            post(&app, &agent, TAKE, &json!({"inquiryId": unknown})).await.is(400, &not_found);
        }
        let already = coded("Inquiry already taken [error-inquiry-taken]", "error-inquiry-taken");
        for login in [&agent, &rival] {
            take(&app, login, &taken).await.is(400, &already);
        }
        post(&app, &manager, TAKE, &good).await.is(400, &offline);
        post(&app, &agent, TAKE, &with("userId", json!("user"))).await.is(400, &offline);
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_in_service_takes_nothing() {
    let offline = {
        let code = "error-agent-status-service-offline";
        coded(&format!("Agent status is offline or Omnichannel service is not active [{code}]"), code)
    };
    // Idle agents count, availability, presence; whether the chat is taken.
    for (counts_idle, availability, status, is_taken) in [
        (true, "available", "online", true),
        (true, "available", "offline", true),
        (true, "not-available", "online", false),
        (false, "available", "online", true),
        (false, "available", "busy", true),
        (false, "available", "away", false),
        (false, "available", "offline", false),
    ] {
        let app = manual().setting("Livechat_enabled_when_agent_idle", &counts_idle.to_string()).start(&Engine::sqlite()).await;
        let agent = agent(&app, "agent").await;
        run(&app, "UPDATE users SET availability = ?1 WHERE id = 'agent'", availability).await;
        run(&app, "UPDATE users SET status = ?1 WHERE id = 'agent'", status).await;
        let room = chat(&app, "mary", None).await;
        let reply = take(&app, &agent, &room).await;
        if is_taken {
            reply.is(200, &done());
        } else {
            reply.is(400, &offline);
        }
        assert_eq!(server(&app, &room).await.is_some(), is_taken, "{counts_idle} {availability} {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_contacts_are_not_answered() {
    for engine in Engine::all() {
        let app = manual().start(&engine).await;
        let agent = agent(&app, "agent").await;
        let room = chat(&app, "mary", None).await;
        set(&app, "Livechat_Block_Unverified_Contacts", &json!(true)).await;
        take(&app, &agent, &room).await.is(400, &bracketed("error-unverified-contact"));
        set(&app, "Livechat_Block_Unknown_Contacts", &json!(true)).await;
        take(&app, &agent, &room).await.is(400, &bracketed("error-unknown-contact"));
        run(&app, "UPDATE rooms SET contact_id = 'gone' WHERE id = ?1", &room).await;
        take(&app, &agent, &room).await.is(400, &bracketed("error-invalid-contact"));
        assert_eq!(server(&app, &room).await, None);
    }
}

/// Where chats wait in a queue nobody takes more than may be. Only people are told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_reached_is_told_to_people_alone() {
    let full = bracketed("error-max-number-simultaneous-chats-reached");
    for engine in Engine::all() {
        let app = manual().setting("Livechat_maximum_chats_per_agent", "1").start(&engine).await;
        let agent = agent(&app, "agent").await;
        let mut chats = Vec::new();
        for token in ["one", "two", "three", "four"] {
            chats.push(chat(&app, token, None).await);
        }
        take(&app, &agent, &chats[0]).await.is(200, &done());
        take(&app, &agent, &chats[1]).await.is(200, &done());
        set(&app, "Livechat_waiting_queue", &json!(true)).await;
        let before = rows(&app).await;
        take(&app, &agent, &chats[2]).await.is(400, &full);
        let id = inquiry_id(&app, &chats[2]).await;
        for body in [json!({"inquiryId": id}), json!({"inquiryId": id, "options": {"clientAction": false}})] {
            post(&app, &agent, TAKE, &body).await.is(200, &done());
        }
        assert_eq!(rows(&app).await, before, "without the queue there was no limit, with it there is");
        // What rests does not count, and a limit of the agent's own comes before that of everybody.
        run(&app, "UPDATE rooms SET on_hold = TRUE WHERE id = ?1", &chats[0]).await;
        take(&app, &agent, &chats[2]).await.is(400, &full);
        let data = json!({"agentId": "agent", "agentData": {"maxNumberSimultaneousChat": "3"}, "agentDepartments": []});
        post(&app, &app.admin().await, "/api/v1/livechat/agents.saveInfo", &data).await.ok();
        take(&app, &agent, &chats[2]).await.is(200, &done());
        take(&app, &agent, &chats[3]).await.is(200, &done());
        // Programs have no limit.
        let last = chat(&app, "five", None).await;
        take(&app, &agent, &last).await.is(400, &full);
        run(&app, "INSERT INTO user_roles (user_id, role) VALUES (?1, 'bot')", "agent").await;
        take(&app, &agent, &last).await.is(200, &done());
    }
}
