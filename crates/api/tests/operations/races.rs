//! Races: however many come at once with one token, there is one visitor and one open room; however many agents want one chat, one gets
//! it; and however many chats come at once, nobody gets more than may be.

mod limits;
mod take;

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use usher_testkit::TestApp;
use usher_testkit::application::Reply;
use usher_testkit::engines::Engine;

use crate::support::{ROOM, VISITOR, rows, usual};

/// How many call at the same moment.
const RACERS: usize = 1_000;

/// How often a racer tries again what was answered 503.
const TRIES: usize = 100;

/// Lets all racers make a call at the same moment; gives their answers.
async fn race<F, C>(app: &Arc<TestApp>, call: F) -> Vec<Value>
where
    F: Fn(Arc<TestApp>, usize) -> C + Clone + Send + Sync + 'static,
    C: Future<Output = Reply> + Send,
{
    at_once(app, RACERS, call).await.into_iter().map(Reply::ok).collect()
}

/// Lets so many make a call at the same moment; gives what each was answered, in their order.
async fn at_once<F, C>(app: &Arc<TestApp>, racers: usize, call: F) -> Vec<Reply>
where
    F: Fn(Arc<TestApp>, usize) -> C + Clone + Send + Sync + 'static,
    C: Future<Output = Reply> + Send,
{
    let start = Arc::new(Barrier::new(racers));
    let racers: Vec<_> = (0..racers)
        .map(|number| {
            let (app, start, call) = (Arc::clone(app), Arc::clone(&start), call.clone());
            tokio::spawn(async move {
                start.wait().await;
                for _ in 0..TRIES {
                    let reply = call(Arc::clone(&app), number).await;
                    if reply.status != StatusCode::SERVICE_UNAVAILABLE {
                        return reply;
                    }
                }
                panic!("still busy after {TRIES} tries");
            })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.expect("a racer gets through"));
    }
    answers
}

/// The different values at `place` in the answers.
fn values(answers: &[Value], place: &str) -> HashSet<String> {
    answers.iter().map(|answer| answer.pointer(place).expect("every answer has it").to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_is_one_visitor_with_one_room() {
    for engine in Engine::all() {
        let app = Arc::new(usual().without_rehearsal().start(&engine).await);
        let register = |app: Arc<TestApp>, number: usize| async move {
            app.post(VISITOR, &json!({"visitor": {"token": "racer", "name": format!("Racer {number}")}})).await
        };
        let registered = race(&app, register).await;
        assert_eq!(values(&registered, "/visitor/_id").len(), 1);
        assert_eq!(values(&registered, "/visitor/name").len(), RACERS, "everybody's name was there for a moment");
        assert_eq!(rows(&app).await["visitors"].len(), 1);

        let ask = |app: Arc<TestApp>, _| async move { app.get(&format!("{ROOM}?token=racer")).await };
        let asked = race(&app, ask).await;
        assert_eq!(values(&asked, "/room/_id").len(), 1);
        assert_eq!(asked.iter().filter(|answer| answer["newRoom"] == true).count(), 1);
        let after = rows(&app).await;
        assert_eq!((after["rooms"].len(), after["messages"].len(), after["contacts"].len()), (1, 1, 1));
    }
}

/// The negative control: with a token each, the same checks find as many visitors and rooms as there are racers.
#[tokio::test(flavor = "multi_thread")]
async fn many_tokens_are_many_visitors() {
    let app = Arc::new(usual().without_rehearsal().start(&Engine::sqlite()).await);
    let register = |app: Arc<TestApp>, number: usize| async move {
        app.post(VISITOR, &json!({"visitor": {"token": format!("racer-{number}")}})).await
    };
    let registered = race(&app, register).await;
    assert_eq!(values(&registered, "/visitor/_id").len(), RACERS);
    assert_eq!(values(&registered, "/visitor/username").len(), RACERS, "no two guests have one number");
    let ask = |app: Arc<TestApp>, number: usize| async move { app.get(&format!("{ROOM}?token=racer-{number}")).await };
    let asked = race(&app, ask).await;
    assert_eq!(values(&asked, "/room/_id").len(), RACERS);
    assert!(asked.iter().all(|answer| answer["newRoom"] == true));
}
