//! What a room tells of who asked and answered when: chats played by the clock, message by message.

use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use crate::chat::Desk;
use crate::support::usual;

/// Something that happens in a chat.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The visitor writes.
    Visitor,
    /// Ana takes the chat.
    Taken,
    /// Ana writes.
    Agent,
    /// Ana closes it.
    Closed,
}

use Event::{Agent, Closed, Taken, Visitor};

/// Plays a chat that is opened now: what happens after how many seconds. Gives the room's document afterwards.
async fn play(desk: &Desk, script: &[(u64, Event)]) -> Value {
    play_by(desk, &desk.agent, script).await
}

/// The same with somebody else in the place of Ana.
async fn play_by(desk: &Desk, agent: &Login, script: &[(u64, Event)]) -> Value {
    desk.app.register("played", "Paul").await;
    let room = desk.app.room("played").await;
    let mut now = 0;
    for (at, event) in script {
        desk.seconds(at - now);
        now = *at;
        match event {
            Visitor => drop(desk.app.message("played", &room, "A question").await),
            Taken => desk.give(&room, &agent.user_id).await,
            Agent => {
                let body = json!({"message": {"rid": room, "msg": "An answer"}});
                desk.post(agent, "/api/v1/chat.sendMessage", &body).await.ok();
            }
            Closed => {
                let body = json!({"rid": room, "comment": "Done"});
                desk.post(agent, "/api/v1/livechat/room.closeByUser", &body).await.ok();
            }
        }
    }
    desk.get(&desk.admin, &format!("/api/v1/channels.info?roomId={room}")).await.ok()["channel"].clone()
}

/// The moment so many seconds after the chat was opened.
fn at(seconds: u64) -> Value {
    json!(format!("2024-01-31T{:02}:{:02}:{:02}.000Z", 12 + seconds / 3_600, seconds / 60 % 60, seconds % 60))
}

fn by_ana(first: u64, last: u64) -> Value {
    json!({"_id": "ana", "username": "ana", "firstResponseTs": at(first), "lastMessageTs": at(last)})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_of_two_questions() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let script = [(5, Visitor), (10, Taken), (35, Agent), (120, Visitor)];
        let room = play(&desk, &script).await;
        assert_eq!((&room["waitingResponse"], room.get("responseBy")), (&json!(true), None), "a question takes the answer away");
        assert_eq!(room["v"]["lastMessageTs"], at(120));
        desk.seconds(20);
        let room_id = room["_id"].as_str().expect("it has an id").to_owned();
        let body = json!({"message": {"rid": room_id, "msg": "Another answer"}});
        desk.post(&desk.agent, "/api/v1/chat.sendMessage", &body).await.ok();
        desk.seconds(460);
        let closing = json!({"rid": room_id, "comment": "Done"});
        desk.post(&desk.agent, "/api/v1/livechat/room.closeByUser", &closing).await.ok();
        let room = desk.get(&desk.admin, &format!("/api/v1/channels.info?roomId={room_id}")).await.ok()["channel"].clone();
        let metrics = json!({
            "v": {"lq": at(120)},
            "servedBy": {"lr": at(140)},
            "response": {"avg": 25.0, "total": 2, "tt": 50.0, "ft": 30.0, "fd": at(35)},
            "reaction": {"tt": 45.0, "ft": 25.0, "fd": at(35)},
            "chatDuration": 600.0,
            "serviceTimeDuration": 590.0,
            "visitorInactivity": 460,
        });
        assert_eq!(room["metrics"], metrics);
        assert_eq!((&room["responseBy"], room.get("waitingResponse")), (&by_ana(140, 140), None));
        assert_eq!((&room["closedAt"], &room["closer"], room.get("open")), (&at(600), &json!("user"), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_left() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let room = play(&desk, &[(2, Visitor), (60, Taken), (90, Agent), (4_500, Closed)]).await;
        let metrics = json!({
            "v": {"lq": at(2)},
            "servedBy": {"lr": at(90)},
            "response": {"avg": 88.0, "total": 1, "tt": 88.0, "ft": 88.0, "fd": at(90)},
            "reaction": {"tt": 30.0, "ft": 30.0, "fd": at(90)},
            "chatDuration": 4_500.0,
            "serviceTimeDuration": 4_440.0,
            "visitorInactivity": 4_410,
        });
        assert_eq!((&room["metrics"], &room["responseBy"]), (&metrics, &by_ana(90, 90)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_that_wait() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let asked = play(&desk, &[(4, Visitor), (9, Visitor)]).await;
        assert_eq!(asked["metrics"], json!({"v": {"lq": at(4)}}), "the first message of a run is the question");
        assert_eq!((&asked["waitingResponse"], asked.get("responseBy")), (&json!(true), None));
        assert_eq!(asked["v"].get("activity"), None);
    }
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let silent = play(&desk, &[(30, Taken)]).await;
        assert_eq!((silent.get("metrics"), &silent["waitingResponse"]), (None, &json!(true)), "that it was taken is no answer");
    }
}

/// Whoever writes before the visitor does is measured again and again, until the visitor has written.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_writes_first() {
    let metrics = |lq: Option<u64>, lr: Option<u64>, response: Value, reaction: Value| {
        let mut metrics = json!({"response": response, "reaction": reaction});
        if let Some(lq) = lq {
            metrics["v"] = json!({"lq": at(lq)});
        }
        if let Some(lr) = lr {
            metrics["servedBy"] = json!({"lr": at(lr)});
        }
        metrics
    };
    let response =
        |total: i64, tt: f64, avg: f64, ft: f64, fd: u64| json!({"total": total, "tt": tt, "avg": avg, "ft": ft, "fd": at(fd)});
    let reaction = |tt: f64, ft: f64, fd: u64| json!({"tt": tt, "ft": ft, "fd": at(fd)});
    let script = [(5, Taken), (20, Agent), (60, Agent), (90, Visitor), (100, Agent), (110, Agent), (180, Visitor), (195, Agent)];
    let steps = [
        (2, metrics(None, None, response(1, 20.0, 20.0, 20.0, 20), reaction(15.0, 15.0, 20))),
        (3, metrics(None, None, response(2, 80.0, 40.0, 60.0, 60), reaction(70.0, 55.0, 60))),
        (5, metrics(Some(90), Some(100), response(3, 90.0, 30.0, 10.0, 100), reaction(165.0, 95.0, 100))),
        (6, metrics(Some(90), Some(100), response(3, 90.0, 30.0, 10.0, 100), reaction(165.0, 95.0, 100))),
        (8, metrics(Some(180), Some(195), response(4, 105.0, 26.25, 10.0, 100), reaction(180.0, 95.0, 100))),
    ];
    for (count, expected) in steps {
        for engine in Engine::all() {
            let desk = Desk::new(&engine).await;
            let room = play(&desk, &script[..count]).await;
            assert_eq!(room["metrics"], expected, "after {count} events");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_months_activity_is_told_once_an_agent_answers() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let room = play(&desk, &[(1, Visitor), (2, Taken), (3, Agent), (4, Agent)]).await;
        assert_eq!(room["v"]["activity"], json!(["2024-01"]));
        assert_eq!(room["responseBy"], by_ana(3, 4), "the latest answer is told as well");
        let month = 29 * 86_400;
        desk.seconds(month);
        let body = json!({"message": {"rid": room["_id"], "msg": "Are you still there?"}});
        desk.post(&desk.agent, "/api/v1/chat.sendMessage", &body).await.ok();
        let path = format!("/api/v1/channels.info?roomId={}", room["_id"].as_str().expect("it has an id"));
        let room = desk.get(&desk.admin, &path).await.ok()["channel"].clone();
        assert_eq!(room["v"]["activity"], json!(["2024-01", "2024-02"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_counts_as_gone_some_time_after_the_first_answer() {
    for (action, expected) in [("none", Value::Null), ("close", json!({"predictedVisitorAbandonmentAt": at(3 + 600)}))] {
        for engine in Engine::all() {
            let setup =
                usual().setting("Livechat_abandoned_rooms_action", action).setting("Livechat_visitor_inactivity_timeout", "600");
            let desk = Desk::with(setup, &engine).await;
            let room = play(&desk, &[(1, Visitor), (2, Taken), (3, Agent), (100, Agent)]).await;
            assert_eq!(room["omnichannel"], expected, "{action}");
        }
        for engine in Engine::all() {
            let setup =
                usual().setting("Livechat_abandoned_rooms_action", action).setting("Livechat_visitor_inactivity_timeout", "600");
            let desk = Desk::with(setup, &engine).await;
            let room = play(&desk, &[(1, Visitor), (2, Taken), (3, Agent), (100, Visitor)]).await;
            assert_eq!(room.get("omnichannel"), None, "whoever writes is there");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_count_or_do_not() {
    for (ignores, is_answer) in [("false", true), ("true", false)] {
        for engine in Engine::all() {
            let desk = Desk::with(usual().setting("Omnichannel_Metrics_Ignore_Automatic_Messages", ignores), &engine).await;
            let program = desk.person("robot", &["bot", "livechat-manager"]).await;
            desk.app.register("played", "Paul").await;
            let room = desk.app.room("played").await;
            desk.app.message("played", &room, "A question").await;
            desk.seconds(5);
            let body = json!({"message": {"rid": room, "msg": "An automatic answer"}});
            desk.post(&program, "/api/v1/chat.sendMessage", &body).await.ok();
            let stored = desk.stored(&room).await;
            assert_eq!((stored.waiting_response, stored.responder.is_some()), (!is_answer, is_answer), "{ignores}");
            assert_eq!((stored.metrics.responses, stored.visitor_activity.len()), (i64::from(is_answer), usize::from(is_answer)));
            assert_eq!(stored.message_count, 3, "it is stored all the same");
        }
    }
}
