//! `GET livechat/{rid}/messages`, in both spellings: what people wrote in a room.

use serde_json::Value;
use usher_testkit::engines::Engine;

use crate::chat::Desk;
use crate::permissions::{not_logged_in, not_permitted};
use crate::support::{coded, plain};

fn texts(reply: &Value) -> Vec<&str> {
    reply["messages"].as_array().expect("it is a list").iter().filter_map(|message| message["msg"].as_str()).collect()
}

fn numbers(reply: &Value) -> (i64, i64, i64) {
    let number = |name: &str| reply[name].as_i64().expect("it is a number");
    (number("count"), number("offset"), number("total"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_wrote_is_listed() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        desk.asks("Hello").await;
        desk.says(&desk.agent, "How can I help?").await;
        let asked = desk.asks("My SHOE is lost").await;
        for path in [format!("/api/v1/livechat/{}/messages", desk.room), format!("/api/v1/livechat/messages/{}", desk.room)] {
            let all = desk.get(&desk.agent, &path).await.ok();
            assert_eq!(texts(&all), ["My SHOE is lost", "How can I help?", "Hello"], "nothing of the system is among it");
            assert_eq!(numbers(&all), (50, 0, 3), "the count is what was asked for");
            let mut expected = asked.clone();
            expected["token"] = desk.mary["_id"].clone();
            assert_eq!(all["messages"][0], expected, "users see no token");
            for (query, expected, counted) in [
                ("count=2", &["My SHOE is lost", "How can I help?"] as &[&str], (2, 0, 3)),
                ("count=2&offset=2", &["Hello"], (2, 2, 3)),
                ("count=0", &["My SHOE is lost", "How can I help?", "Hello"], (0, 0, 3)),
                ("sort={\"ts\":1}", &["Hello", "How can I help?", "My SHOE is lost"], (50, 0, 3)),
                ("searchTerm=shoe", &["My SHOE is lost"], (50, 0, 1)),
                ("searchTerm=", &["My SHOE is lost", "How can I help?", "Hello"], (50, 0, 3)),
                ("searchTerm=%25", &[], (50, 0, 0)),
            ] {
                let query = query.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
                let reply = desk.get(&desk.agent, &format!("{path}?{query}")).await.ok();
                assert_eq!((texts(&reply), numbers(&reply)), (expected.to_vec(), counted), "{query}");
            }
        }
        desk.close().await;
        let path = format!("/api/v1/livechat/{}/messages", desk.room);
        assert_eq!(texts(&desk.get(&desk.agent, &path).await.ok())[0], "Done", "with the message that closed it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_gets_nothing() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let user = desk.person("joe", &["user"]).await;
        for path in ["/api/v1/livechat/{}/messages", "/api/v1/livechat/messages/{}"] {
            let path = |room: &str| path.replace("{}", room);
            desk.app.get(&path(&desk.room)).await.is(401, &not_logged_in());
            desk.get(&user, &path(&desk.room)).await.is(403, &not_permitted());
            desk.get(&desk.stranger, &path(&desk.room)).await.is(400, &plain("not-allowed"));
            desk.get(&desk.agent, &path("nowhere")).await.is(400, &plain("invalid-room"));
            let refusal = coded("must be integer [invalid-params]", "invalid-params");
            desk.get(&desk.agent, &format!("{}?count=x", path(&desk.room))).await.is(400, &refusal);
        }
    }
}
