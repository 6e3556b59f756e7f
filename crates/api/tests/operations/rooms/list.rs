//! `GET livechat/rooms` and `rooms/filters`: which rooms there are, and where they come from.

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::custom_field::Scope;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::stage::{ROOMS, Stage};
use crate::permissions::{grant, not_logged_in, not_permitted};
use crate::requests::{insert_field, log_in_again};
use crate::support::{coded, encoded, plain, rows, tamper};

const FILTERS: &str = "/api/v1/livechat/rooms/filters";

/// Six chats, a minute apart from 12:00 on: `Mary` waits, `Bob Stone` and `bobby` are served by ana and ben, `Eve` is on hold at ana,
/// `Zoe` and `Émile 50%` are closed, the former by ana at 12:10 and the latter without an agent at 12:11.
async fn six(engine: &Engine) -> Stage {
    let stage = Stage::new(engine).await;
    stage.agent("ana").await;
    stage.agent("ben").await;
    stage.department("sales", &["ana"]).await;
    stage.department("help", &["ben"]).await;
    let chats = [
        ("Mary", Some("sales"), None),
        ("Bob Stone", Some("sales"), Some("ana")),
        ("bobby", Some("help"), Some("ben")),
        ("Eve", None, Some("ana")),
        ("Zoe", Some("help"), Some("ana")),
        ("Émile 50%", None, None),
    ];
    let mut ids = Vec::new();
    for (number, (name, department, agent)) in chats.into_iter().enumerate() {
        let room = stage.room(&format!("token-{number}"), name, department).await;
        if let Some(agent) = agent {
            stage.serve(&room, agent).await;
        }
        ids.push(room);
        stage.seconds(60);
    }
    tamper(&stage.app, "UPDATE rooms SET on_hold = TRUE WHERE name = 'Eve'").await;
    stage.seconds(240);
    close(&stage, &ids[4], &["vip", "late"]).await;
    stage.seconds(60);
    close(&stage, &ids[5], &["late"]).await;
    stage
}

async fn close(stage: &Stage, room: &str, tags: &[&str]) {
    let body = json!({"rid": room, "comment": "Done", "tags": tags});
    stage.post(&stage.admin, "/api/v1/livechat/room.closeByUser", &body).await.ok();
}

/// Checks which rooms are listed, in their order.
async fn check(stage: &Stage, table: &[(&str, &[&str])]) {
    for (query, expected) in table {
        assert_eq!(stage.names(&stage.admin, query).await, *expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_listed_whole_with_their_departments() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.department("sales", &[]).await;
        let room = stage.room("token-1", "Mary", Some("sales")).await;
        stage.app.message("token-1", &room, "Hello").await;
        let call = stage.app.call(Method::GET, "/api/v1/livechat/room?token=token-1");
        let own = call.send().await.ok()["room"].clone();
        let answer = stage.get(&stage.admin, ROOMS).await.ok();
        let mut expected = own.clone();
        let visitor = own["v"]["_id"].clone();
        expected["v"]["token"] = visitor.clone();
        expected["lastMessage"]["token"] = visitor;
        expected["department"] = json!({"_id": "sales", "name": "sales"});
        assert_eq!(answer, json!({"rooms": [expected], "count": 1, "offset": 0, "total": 1, "success": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_state() {
    for engine in Engine::all() {
        let stage = six(&engine).await;
        check(
            &stage,
            &[
                ("", &["Émile 50%", "Zoe", "Eve", "bobby", "Bob Stone", "Mary"]),
                ("?open=true", &["bobby", "Bob Stone"]),
                ("?open=1", &["bobby", "Bob Stone"]),
                ("?open=false", &["Émile 50%", "Zoe"]),
                ("?open=", &["Émile 50%", "Zoe", "Eve", "bobby", "Bob Stone", "Mary"]),
                ("?queued=true", &["Mary"]),
                ("?queued=t&open=false", &["Mary"]),
                ("?queued=1&onhold=true", &["Mary"]),
                ("?onhold=t", &["Eve"]),
                ("?onhold=true&open=true", &["Eve"]),
                ("?onhold=1&open=false", &[]),
                ("?onhold=false&queued=no", &["Émile 50%", "Zoe", "Eve", "bobby", "Bob Stone", "Mary"]),
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_agent_department_and_name() {
    for engine in Engine::all() {
        let stage = six(&engine).await;
        check(
            &stage,
            &[
                ("?agents[]=ana", &["Zoe", "Eve", "Bob Stone"]),
                ("?agents[]=ana&agents[]=ben&open=true", &["bobby", "Bob Stone"]),
                ("?agents[]=ana&queued=true", &[]),
                ("?agents[]=nobody", &[]),
                ("?departmentId=sales", &["Bob Stone", "Mary"]),
                ("?departmentId=help&open=false", &["Zoe"]),
                ("?departmentId=nowhere", &[]),
                ("?departmentId=undefined&open=true", &["bobby", "Bob Stone"]),
                ("?departmentId[]=sales&departmentId[]=nowhere", &["Bob Stone", "Mary"]),
                ("?departmentId[]=sales&departmentId[]=help&agents[]=ana", &["Zoe", "Bob Stone"]),
                ("?roomName=BOB", &["bobby", "Bob Stone"]),
                ("?roomName=%22Bob+Stone%22", &["Bob Stone"]),
                ("?roomName=%22bob+stone%22", &[]),
                ("?roomName=%22Bob%22", &[]),
                ("?roomName=%C3%A9mile", &["Émile 50%"]),
                ("?roomName=0%25", &["Émile 50%"]),
                ("?roomName=%25", &["Émile 50%"]),
                ("?roomName=_", &[]),
                ("?roomName=.", &[]),
                ("?roomName=", &["Émile 50%", "Zoe", "Eve", "bobby", "Bob Stone", "Mary"]),
                ("?tags[]=late", &["Émile 50%", "Zoe"]),
                ("?tags[]=vip", &["Zoe"]),
                ("?tags[]=vip&tags[]=late&agents[]=ana", &["Zoe"]),
                ("?tags[]=LATE", &[]),
                ("?units[]=anything", &[]),
            ],
        )
        .await;
        let refused = plain("error-invalid-department");
        stage.get(&stage.admin, &format!("{ROOMS}?departmentId[]=nowhere")).await.is(400, &refused);
    }
}

/// A span of time as clients send it.
fn span(name: &str, start: &str, end: &str) -> String {
    format!("?{name}={}", encoded(&json!({"start": start, "end": end}).to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_time() {
    for engine in Engine::all() {
        let stage = six(&engine).await;
        for (query, expected) in [
            (span("createdAt", "2024-01-31T12:01:00.000Z", "2024-01-31T12:02:00Z"), vec!["bobby", "Bob Stone"]),
            (span("createdAt", "2024-01-31T13:02:00+01:00", "") + "&open=true", vec!["bobby"]),
            (span("createdAt", "", "2024-01-31T12:00:00"), vec!["Mary"]),
            (span("createdAt", "2024-02-01", ""), vec![]),
            (span("closedAt", "2024-01-31T12:10:00Z", "2024-01-31T12:10:00Z"), vec!["Zoe"]),
            (span("closedAt", "1970-01-01", ""), vec!["Émile 50%", "Zoe"]),
            (span("closedAt", "", "2024-01-31T12:10:59.999Z"), vec!["Zoe"]),
            (span("closedAt", "1969-01-01", "2030-01-01") + "&open=true", vec![]),
            ("?createdAt=%7B%7D&closedAt=".to_owned(), vec!["Émile 50%", "Zoe", "Eve", "bobby", "Bob Stone", "Mary"]),
        ] {
            assert_eq!(stage.names(&stage.admin, &query).await, expected, "{query}");
            let sorted = format!("{query}&sort={}", encoded(r#"{"closedAt":-1}"#));
            assert_eq!(stage.names(&stage.admin, &sorted).await.len(), expected.len(), "{sorted}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_custom_fields() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        for field in ["plan", "town"] {
            insert_field(&stage.app, field, Scope::Room).await;
        }
        for (name, values) in [
            ("Mary", json!({"plan": "Gold 50%", "town": "Ulm"})),
            ("Bob", json!({"plan": "silver", "town": "Ulm"})),
            ("Eve", json!({"plan": "g.ld"})),
            ("Zoe", json!({})),
        ] {
            let room = stage.room(&format!("token-{name}"), name, None).await;
            let visitor = stage.stored(&room).await.visitor_id;
            let body = json!({"guestData": {"_id": visitor}, "roomData": {"_id": room, "livechatData": values}});
            stage.post(&stage.admin, "/api/v1/livechat/room.saveInfo", &body).await.ok();
            stage.seconds(1);
        }
        for (fields, expected) in [
            (json!({}), vec!["Zoe", "Eve", "Bob", "Mary"]),
            (json!({"plan": "GOLD"}), vec!["Mary"]),
            (json!({"plan": ""}), vec!["Eve", "Bob", "Mary"]),
            (json!({"plan": "g.ld"}), vec!["Eve"]),
            (json!({"plan": "50%"}), vec!["Mary"]),
            (json!({"plan": 50}), vec!["Mary"]),
            (json!({"town": "ulm"}), vec!["Bob", "Mary"]),
            (json!({"town": "ulm", "plan": "ver"}), vec!["Bob"]),
            (json!({"other": "x"}), vec![]),
        ] {
            let query = format!("?customFields={}", encoded(&fields.to_string()));
            assert_eq!(stage.names(&stage.admin, &query).await, expected, "{fields}");
        }
        assert_eq!(stage.names(&stage.admin, "?customFields=").await.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_sorted_and_paged() {
    let sorted = |keys: &str| format!("?sort={}", encoded(keys));
    for engine in Engine::all() {
        let stage = six(&engine).await;
        let by_time = ["Mary", "Bob Stone", "bobby", "Eve", "Zoe", "Émile 50%"];
        let latest_first: Vec<&str> = by_time.iter().rev().copied().collect();
        for (keys, expected) in [
            (r#"{"ts":1}"#, by_time.to_vec()),
            (r#"{"other":1}"#, latest_first.clone()),
            (r#"{"other":1,"ts":1}"#, by_time.to_vec()),
            (r#"{"fname":1}"#, vec!["Bob Stone", "bobby", "Eve", "Mary", "Zoe", "Émile 50%"]),
            (r#"{"fname":-1}"#, vec!["Émile 50%", "Zoe", "Mary", "Eve", "bobby", "Bob Stone"]),
            (r#"{"open":1}"#, vec!["Zoe", "Émile 50%", "Mary", "Bob Stone", "bobby", "Eve"]),
            (r#"{"open":-1}"#, vec!["Eve", "bobby", "Bob Stone", "Mary", "Émile 50%", "Zoe"]),
            (r#"{"lm":1}"#, by_time.to_vec()),
        ] {
            assert_eq!(stage.names(&stage.admin, &sorted(keys)).await, expected, "{keys}");
        }
        for (keys, expected) in [(r#"{"closedAt":-1}"#, ["Émile 50%", "Zoe"]), (r#"{"lm":1}"#, ["Zoe", "Émile 50%"])] {
            assert_eq!(stage.names(&stage.admin, &format!("{}&open=false", sorted(keys))).await, expected, "{keys}");
            let all = stage.names(&stage.admin, &sorted(keys)).await;
            assert_eq!(all.len(), 6);
        }
        let ended = stage.names(&stage.admin, &sorted(r#"{"closedAt":1}"#)).await;
        assert_eq!(ended[4..], ["Zoe", "Émile 50%"], "what has no such time comes before what has one");
        stage.app.message("token-1", &room_of(&stage, "Bob Stone").await, "Hello").await;
        let talked = stage.names(&stage.admin, &format!("{}&open=true", sorted(r#"{"lm":-1}"#))).await;
        assert_eq!(talked, ["Bob Stone", "bobby"]);

        let page = stage.get(&stage.admin, &format!("{ROOMS}?count=2&offset=1")).await.ok();
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(2), &json!(1), &json!(6)));
        assert_eq!((&page["rooms"][0]["fname"], &page["rooms"][1]["fname"]), (&json!("Zoe"), &json!("Eve")));
        let beyond = stage.get(&stage.admin, &format!("{ROOMS}?offset=6&fields=%7B%22fname%22:1%7D")).await.ok();
        assert_eq!((&beyond["rooms"], &beyond["total"]), (&json!([]), &json!(6)));
        let invalid = coded("Invalid sort parameter provided: \"x\" [error-invalid-sort]", "error-invalid-sort");
        stage.get(&stage.admin, &format!("{ROOMS}?sort=x")).await.is(400, &invalid);
    }
}

async fn room_of(stage: &Stage, name: &str) -> String {
    let answer = stage.get(&stage.admin, &format!("{ROOMS}?roomName={}", encoded(name))).await.ok();
    answer["rooms"][0]["_id"].as_str().expect("there is such a room").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused() {
    let legacy = |told: &str| coded(&format!("{told} [invalid-params]"), "invalid-params");
    let invalid_json = |name: &str| plain(&format!("The \"{name}\" query parameter must be a valid JSON."));
    let invalid_date = |name: &str| plain(&format!("The \"{name}\" query parameter must be a valid date."));
    let many: Value = (0..21).map(|number| (number.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let many = format!("customFields={}", encoded(&many.to_string()));
    let table: Vec<(&str, Value)> = vec![
        ("agents=ana", legacy("must be array")),
        ("agents[a]=ana", legacy("must be array")),
        ("agents[][x]=ana", legacy("must be string")),
        ("roomName[]=x", legacy("must be string")),
        ("departmentId[a]=x", legacy("must be string")),
        ("departmentId[][a]=x", legacy("must be string")),
        ("open[]=true", legacy("must be string")),
        ("open=maybe", legacy("must be boolean")),
        ("queued[]=true", legacy("must be string")),
        ("tags=x", legacy("must be array")),
        ("units=x", legacy("must be array")),
        ("createdAt[start]=x", legacy("must be string")),
        ("createdAt=x", invalid_json("createdAt")),
        ("createdAt=[]", invalid_json("createdAt")),
        ("createdAt=%7B%22start%22:%22x%22%7D", invalid_date("createdAt.start")),
        ("createdAt=%7B%22end%22:1%7D", invalid_date("createdAt.end")),
        ("closedAt=%22x", invalid_json("closedAt")),
        ("closedAt=%7B%22end%22:%222024-13-01%22%7D", invalid_date("closedAt.end")),
        ("customFields=x", invalid_json("customFields")),
        ("customFields=[]", invalid_json("customFields")),
        ("customFields=%7B%22plan%22:%7B%22$gt%22:1%7D%7D", invalid_json("customFields")),
        ("customFields[a]=x", legacy("must be string")),
        (&many, legacy("must NOT have more than 20 properties")),
        ("served=true", legacy("must NOT have additional properties")),
    ];
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        stage.room("token-1", "Mary", None).await;
        let before = rows(&stage.app).await;
        for (query, expected) in &table {
            let reply = stage.get(&stage.admin, &format!("{ROOMS}?{query}")).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{query}");
        }
        assert_eq!(rows(&stage.app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_list_others_and_who_only_its_own() {
    for engine in Engine::all() {
        let stage = six(&engine).await;
        let ana = log_in_again(&stage.app, &stage.root, "ana").await;
        let mary = stage.person("mary", &["user"]).await;
        let monitor = stage.person("monitor", &["livechat-monitor"]).await;
        stage.app.get(ROOMS).await.is(401, &not_logged_in());
        let own = ["Zoe", "Eve", "Bob Stone"];
        assert_eq!(stage.names(&ana, "?agents[]=ana").await, own);
        assert_eq!(stage.names(&ana, "?agents[]=ana&open=true").await, ["Bob Stone"]);
        assert_eq!(stage.names(&monitor, "").await.len(), 6);
        let refuse = async |login: &Login, query: &str| {
            stage.get(login, &format!("{ROOMS}{query}")).await.is(403, &plain("unauthorized"));
        };
        for query in ["", "?agents[]=ben", "?agents[]=ana&agents[]=ben", "?agents[]=ana&agents[]=ana", "?roomName=Bob"] {
            refuse(&ana, query).await;
        }
        refuse(&mary, "?agents[]=mary").await;
        grant(&stage.app, &stage.admin, "view-l-room", &["admin"]).await;
        refuse(&ana, "?agents[]=ana").await;
        grant(&stage.app, &stage.admin, "view-l-room", &["admin", "user"]).await;
        assert_eq!(stage.names(&mary, "?agents[]=mary").await, [""; 0]);
        grant(&stage.app, &stage.admin, "view-livechat-rooms", &["livechat-monitor"]).await;
        refuse(&stage.admin, "").await;
        assert_eq!(stage.names(&monitor, "").await.len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_tell_where_they_come_from() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let ana = stage.agent("ana").await;
        let mary = stage.person("mary", &["user"]).await;
        stage.app.get(FILTERS).await.is(401, &not_logged_in());
        stage.get(&mary, FILTERS).await.is(403, &not_permitted());
        stage.get(&ana, FILTERS).await.is(200, &json!({"filters": [], "success": true}));
        stage.room("token-1", "Mary", None).await;
        stage.room("token-2", "Bob", None).await;
        stage.get(&ana, FILTERS).await.is(200, &json!({"filters": [{"type": "api"}], "success": true}));
        stage.app.register("token-3", "Eve").await;
        let call = stage.app.call(Method::GET, "/api/v1/livechat/room?token=token-3");
        call.header("cookie", "rc_room_type=l; rc_is_widget=t").send().await.ok();
        let both = json!({"filters": [{"type": "widget"}, {"type": "api"}], "success": true});
        stage.get(&ana, FILTERS).await.is(200, &both);
        tamper(&stage.app, "UPDATE rooms SET erasing = TRUE, is_open = FALSE WHERE source_type = 'widget'").await;
        stage.get(&ana, FILTERS).await.is(200, &json!({"filters": [{"type": "api"}], "success": true}));
        assert_eq!(stage.names(&stage.admin, "").await, ["Bob", "Mary"], "what is being erased is not there");
        assert_eq!(stage.names(&stage.admin, "?open=false").await, [""; 0]);
    }
}
