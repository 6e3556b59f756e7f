//! Chats that come all at once: nobody gets more than may be, and nobody is left out who may have one more.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

use super::at_once;
use crate::inquiries::{agent, register};
use crate::permissions::post;
use crate::support::{ROOM, column, usual};

/// How many agents there are.
const AGENTS: usize = 5;

/// How many chats each of them may have.
const LIMIT: usize = 3;

/// How many chats come at once: more than may be served.
const CHATS: usize = 60;

/// How many open chats each agent has, after that many came at once to agents with this limit.
async fn shares(engine: &Engine, limit: usize) -> BTreeMap<String, usize> {
    let app = Arc::new(usual().without_rehearsal().start(engine).await);
    let admin = app.admin().await;
    for number in 0..AGENTS {
        let name = format!("agent-{number}");
        agent(&app, &name).await;
        let data = json!({"agentId": name, "agentData": {"maxNumberSimultaneousChat": limit}, "agentDepartments": []});
        post(&app, &admin, "/api/v1/livechat/agents.saveInfo", &data).await.ok();
    }
    for number in 0..CHATS {
        register(&app, &format!("visitor-{number}"), None).await;
    }
    let open = |app: Arc<TestApp>, number: usize| async move {
        // Chats that wait are given all the while, as they are in a server.
        let waiting = Arc::clone(&app);
        let giving = tokio::spawn(async move { waiting.services.give_waiting_chats().await });
        let reply = app.get(&format!("{ROOM}?token=visitor-{number}")).await;
        // Who meets too many others is tried again by whoever comes next.
        drop(giving.await);
        reply
    };
    for reply in at_once(&app, CHATS, open).await {
        reply.ok();
    }
    let mut found = BTreeMap::new();
    for agent in column(&app, "SELECT agent_id FROM rooms WHERE agent_id IS NOT NULL").await {
        *found.entry(agent).or_default() += 1;
    }
    let subscriptions = column(&app, "SELECT user_id FROM subscriptions").await.len();
    assert_eq!(subscriptions, found.values().sum::<usize>(), "who serves a chat has it in its list");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_more_chats_than_may_be() {
    for engine in Engine::all() {
        let expected: BTreeMap<String, usize> = (0..AGENTS).map(|number| (format!("agent-{number}"), LIMIT)).collect();
        assert_eq!(shares(&engine, LIMIT).await, expected);
    }
}

/// The negative control: without the limit the same check finds more, and all chats are served, equally many by everybody.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_everybody_gets_more() {
    let expected: BTreeMap<String, usize> = (0..AGENTS).map(|number| (format!("agent-{number}"), CHATS / AGENTS)).collect();
    assert_eq!(shares(&Engine::sqlite(), 0).await, expected);
}
