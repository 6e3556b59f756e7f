//! Fifty agents who want one chat at the same moment: one gets it, and the others have nothing of it.

use std::sync::Arc;

use serde_json::json;
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use super::at_once;
use crate::inquiries::{TAKE, agent, chat, inquiry_id, manual, server};
use crate::permissions::{get, post};
use crate::support::{coded, column};

/// How many want each chat.
const AGENTS: usize = 50;

/// How many chats there are, one after the other.
const ROUNDS: usize = 5;

async fn agents(app: &TestApp) -> Arc<Vec<Login>> {
    let mut logins = Vec::new();
    for number in 0..AGENTS {
        logins.push(agent(app, &format!("agent-{number}")).await);
    }
    Arc::new(logins)
}

/// Lets all agents take one of these chats each, in turn, at the same moment. Gives who succeeded; everybody else was told why not.
async fn winners(app: &Arc<TestApp>, logins: &Arc<Vec<Login>>, inquiries: Vec<String>) -> Vec<usize> {
    let (logins, inquiries) = (Arc::clone(logins), Arc::new(inquiries));
    let call = move |app: Arc<TestApp>, number: usize| {
        let (logins, inquiries) = (Arc::clone(&logins), Arc::clone(&inquiries));
        async move {
            let body = json!({"inquiryId": inquiries[number % inquiries.len()], "options": {"clientAction": true}});
            post(&app, &logins[number], TAKE, &body).await
        }
    };
    let already = coded("Inquiry already taken [error-inquiry-taken]", "error-inquiry-taken");
    let succeeded = |(number, reply): (usize, Reply)| {
        if reply.status.as_u16() == 200 {
            return Some(number);
        }
        reply.is(400, &already);
        None
    };
    at_once(app, AGENTS, call).await.into_iter().enumerate().filter_map(succeeded).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_gets_the_chat() {
    const MESSAGES: &str = "SELECT room_id || ' ' || kind || ' ' || author_id FROM messages WHERE kind IN ('command', 'uj')";
    const SUBSCRIPTIONS: &str = "SELECT room_id || ' ' || user_id FROM subscriptions";
    for engine in Engine::all() {
        let app = Arc::new(manual().without_rehearsal().start(&engine).await);
        let logins = agents(&app).await;
        let (mut messages, mut subscriptions) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let room = chat(&app, &format!("visitor-{round}"), None).await;
            let winners = winners(&app, &logins, vec![inquiry_id(&app, &room).await]).await;
            assert_eq!(winners.len(), 1, "round {round}: one of {AGENTS} gets the chat, but {winners:?} did");
            let winner = &logins[winners[0]];
            assert_eq!(server(&app, &room).await.as_ref(), Some(&winner.user_id));
            messages.extend(["command", "uj"].map(|kind| format!("{room} {kind} {}", winner.user_id)));
            subscriptions.push(format!("{room} {}", winner.user_id));
            for login in logins.iter() {
                let is_winner = login.user_id == winner.user_id;
                for path in [format!("/api/v1/rooms.info?roomId={room}"), format!("/api/v1/livechat/{room}/messages")] {
                    let reply = get(&app, login, &path).await;
                    assert_eq!(reply.body["success"], is_winner, "{} reads {path}: {}", login.user_id, reply.body);
                }
            }
        }
        for (mut expected, sql) in [(messages, MESSAGES), (subscriptions, SUBSCRIPTIONS)] {
            let mut found = column(&app, sql).await;
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "each chat has one agent, who joined it once");
        }
    }
}

/// The negative control: where there are two chats, the same check finds two who got one.
#[tokio::test(flavor = "multi_thread")]
async fn two_chats_have_two_winners() {
    let app = Arc::new(manual().without_rehearsal().start(&Engine::sqlite()).await);
    let logins = agents(&app).await;
    let mut inquiries = Vec::new();
    for token in ["one", "two"] {
        let room = chat(&app, token, None).await;
        inquiries.push(inquiry_id(&app, &room).await);
    }
    assert_eq!(winners(&app, &logins, inquiries).await.len(), 2);
}
