//! `usher/contacts/{id}/..`: what is held on a contact, exported, kept and erased.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use axum::http::Method;
use serde_json::{Value, json};
use usher_store::registry::{Belongs, TABLES};
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;
use usher_testkit::{Form, TestApp};

use crate::files::{kept, sent, tidy};
use crate::support::{coded, column, plain, rows, tamper, usual};

fn path(contact: &str, operation: &str) -> String {
    format!("/api/v1/usher/contacts/{contact}/{operation}")
}

/// An application with two visitors who have a contact, a room, messages and a file each, of whom the first one has a second visitor.
struct Stage {
    app: TestApp,
    admin: Login,
    contact: String,
    other: String,
}

impl Stage {
    async fn new(engine: &Engine) -> Stage {
        let app = usual().start(engine).await;
        let admin = app.admin().await;
        for (token, name) in [("token-1", "Mary"), ("token-2", "Bob"), ("token-3", "Mary by phone")] {
            app.register(token, name).await;
            let room = app.room(token).await;
            app.message(token, &room, &format!("{name} writes")).await;
            let form = Form::file(&format!("{name}.txt"), "text/plain", format!("{name} sends").as_bytes());
            sent(&app, token, &room, form).await;
        }
        let contact = column(&app, "SELECT contact_id FROM visitors WHERE token = 'token-1'").await.remove(0);
        let other = column(&app, "SELECT contact_id FROM visitors WHERE token = 'token-2'").await.remove(0);
        for sql in [
            "DELETE FROM contact_addresses
             WHERE contact_id = (SELECT contact_id FROM visitors WHERE token = 'token-3')",
            "DELETE FROM contacts WHERE id = (SELECT contact_id FROM visitors WHERE token = 'token-3')",
            "UPDATE contact_channels SET contact_id = (SELECT contact_id FROM visitors WHERE token = 'token-1')
             WHERE visitor_id = (SELECT id FROM visitors WHERE token = 'token-3')",
            "UPDATE visitors SET contact_id = (SELECT one.contact_id FROM visitors AS one WHERE one.token = 'token-1')
             WHERE token = 'token-3'",
        ] {
            tamper(&app, sql).await;
        }
        Stage { app, admin, contact, other }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Reply {
        let call = self.app.call(method, path).as_user(&self.admin);
        if body.is_null() { call.send().await } else { call.json(body).send().await }
    }

    async fn erase(&self, contact: &str, reason: &str) -> Reply {
        self.call(Method::POST, &path(contact, "erase"), &json!({"reason": reason})).await
    }

    /// What an export has: the contents of its files by their names.
    async fn export(&self, contact: &str) -> BTreeMap<String, String> {
        let reply = self.call(Method::POST, &path(contact, "export"), &Value::Null).await;
        assert_eq!((reply.status.as_u16(), &reply.headers["content-type"]), (200, &"application/zip".parse().unwrap()));
        let mut archive = zip::ZipArchive::new(Cursor::new(reply.bytes)).expect("it is a ZIP file");
        let mut files = BTreeMap::new();
        for number in 0..archive.len() {
            let mut file = archive.by_index(number).expect("it can be read");
            let name = file.name().expect("it has a name").into_owned();
            let mut text = String::new();
            file.read_to_string(&mut text).expect("it is a text");
            files.insert(name, text);
        }
        files
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_erases_a_contact_with_all_its_visitors_and_open_rooms() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let before = stage.export(&stage.other).await;
        let answer = stage.erase(&stage.contact, "asked-for").await.ok();
        let erasures = answer["erasures"].as_array().expect("there is a list").clone();
        assert_eq!((erasures.len(), &answer["success"]), (2, &json!(true)));
        tidy(&stage.app).await;

        let text = format!("{:?}", rows(&stage.app).await);
        for trace in ["Mary", "token-1", "token-3", &stage.contact] {
            assert!(!text.contains(trace), "{trace} is still there");
        }
        assert_eq!(kept(&stage.app).len(), 1);
        assert_eq!(stage.export(&stage.other).await, before, "others are left alone");
        stage.erase(&stage.contact, "asked-for").await.is(404, &plain("Contact not found"));

        let receipt =
            stage.call(Method::GET, &format!("/api/v1/usher/erasures/{}", erasures[0].as_str().unwrap()), &Value::Null).await.ok();
        let said = |member: &str| receipt["receipt"][member].clone();
        assert_eq!((said("state"), said("actor"), said("reason")), (json!("sealed"), json!("staff"), json!("asked-for")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_nobody_has_written_as_is_erased_as_well() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let insert = "INSERT INTO contacts (id, name, unknown, created_at, updated_at) VALUES ('alone', 'Zoe', FALSE, 0, 0)";
        tamper(&stage.app, insert).await;
        let answer = stage.erase("alone", "objection").await.ok();
        assert_eq!(answer["erasures"].as_array().map(Vec::len), Some(1));
        assert!(!format!("{:?}", rows(&stage.app).await).contains("Zoe"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_one_of_a_few_words() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let reply = stage.erase(&stage.contact, "Mary asked me to").await;
        assert_eq!((reply.status.as_u16(), &reply.body["errorType"]), (400, &json!("invalid-params")));
        assert_eq!(column(&stage.app, "SELECT id FROM erasures").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_keeps_a_contact_from_everybody_until_it_ends() {
    let held =
        coded("There is a legal hold: nothing may be erased until it is lifted or ends [error-legal-hold]", "error-legal-hold");
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let app = &stage.app;
        let hold = path(&stage.contact, "hold");
        let body = json!({"reason": "A lawsuit", "endsAt": "2024-02-10T00:00:00.000Z"});
        let placed = stage.call(Method::POST, &hold, &body).await.ok();
        let shown = json!({"reason": "A lawsuit", "endsAt": "2024-02-10T00:00:00.000Z", "placedBy": stage.admin.user_id,
            "placedAt": "2024-01-31T12:00:00.000Z"});
        assert_eq!(placed, json!({"hold": shown, "success": true}));
        let holdings = stage.call(Method::GET, &path(&stage.contact, "holdings"), &Value::Null).await.ok();
        assert_eq!(holdings["hold"], shown);

        stage.erase(&stage.contact, "asked-for").await.is(400, &held);
        for room in column(app, "SELECT id FROM rooms WHERE is_open").await {
            for token in ["token-1", "token-2", "token-3"] {
                app.post("/api/v1/livechat/room.close", &json!({"token": token, "rid": room})).await;
            }
        }
        app.delete("/api/v1/livechat/visitor/token-1").await.is(400, &held);
        app.delete("/api/v1/livechat/visitor/token-2").await.ok();

        stage.call(Method::DELETE, &hold, &Value::Null).await.is(200, &json!({"success": true}));
        let again = stage.call(Method::DELETE, &hold, &Value::Null).await;
        again.is(400, &coded("There is no legal hold [error-no-legal-hold]", "error-no-legal-hold"));
        stage.call(Method::POST, &hold, &body).await.ok();
        app.advance(std::time::Duration::from_secs(30 * 24 * 60 * 60));
        stage.erase(&stage.contact, "asked-for").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_has_a_reason_and_an_end_to_come() {
    let past = coded("A legal hold ends some time to come [error-legal-hold-in-the-past]", "error-legal-hold-in-the-past");
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let hold = path(&stage.contact, "hold");
        let yesterday = json!({"reason": "A lawsuit", "endsAt": "2024-01-30"});
        stage.call(Method::POST, &hold, &yesterday).await.is(400, &past);
        for (reason, ends_at) in [("A lawsuit", "some day"), ("  ", "2025-01-01")] {
            let reply = stage.call(Method::POST, &hold, &json!({"reason": reason, "endsAt": ends_at})).await;
            assert_eq!((reply.status.as_u16(), &reply.body["errorType"]), (400, &json!("invalid-params")), "{reason} {ends_at}");
        }
        let nobody = stage.call(Method::POST, &path("nobody", "hold"), &json!({"reason": "x", "endsAt": "2025-01-01"})).await;
        nobody.is(404, &plain("Contact not found"));
        stage.call(Method::DELETE, &path("nobody", "hold"), &Value::Null).await.is(404, &plain("Contact not found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_all_that_is_held_and_nothing_else() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let files = stage.export(&stage.contact).await;
        let tables = TABLES.iter().filter(|table| table.belongs != Belongs::ToNobody).map(|table| format!("{}.jsonl", table.name));
        for table in tables {
            assert!(files.contains_key(&table), "{table} is not in the export");
        }
        let everything = format!("{files:?}");
        for part in ["Mary writes", "Mary by phone writes", "Mary sends", "token-1", "Mary@example.com".to_lowercase().as_str()] {
            assert!(everything.contains(part), "{part} is not in the export");
        }
        assert!(!everything.contains("Bob") && !everything.contains("token-2"), "somebody else is in the export");
        let holdings = stage.call(Method::GET, &path(&stage.contact, "holdings"), &Value::Null).await.ok();
        for (table, count) in holdings["holdings"].as_object().expect("there are numbers") {
            let lines = files[&format!("{table}.jsonl")].lines().count();
            assert_eq!(json!(lines), *count, "{table}");
        }
        assert_eq!((&holdings["fileBytes"], &holdings["hold"]), (&json!("Mary sendsMary by phone sends".len()), &Value::Null));
        let visitors: Vec<Value> = files["visitors.jsonl"].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut names: Vec<&str> = visitors.iter().filter_map(|visitor| visitor["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Mary", "Mary by phone"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_export_comes_in_pages() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        tamper(
            &stage.app,
            "INSERT INTO messages (id, room_id, ts, text, author_id, author_username, by_visitor, updated_at)
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
             SELECT 'many-' || n, (SELECT MIN(id) FROM rooms), n, 'word ' || n, 'x', 'x', TRUE, 0 FROM numbers",
        )
        .await;
        let lines: Vec<String> = stage.export(&stage.contact).await["messages.jsonl"].lines().map(str::to_owned).collect();
        let many: std::collections::BTreeSet<&String> = lines.iter().filter(|line| line.contains("many-")).collect();
        assert_eq!(many.len(), 2_500, "each is there once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_held_on_nobody() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        for (method, operation) in [(Method::GET, "holdings"), (Method::POST, "export")] {
            for contact in ["nobody", "%20", "*", "%25"] {
                stage.call(method.clone(), &path(contact, operation), &Value::Null).await.is(404, &plain("Contact not found"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_takes_its_whole_contact_along_where_settings_say_so() {
    for (setting, left) in [("false", 2), ("true", 1)] {
        for engine in Engine::all() {
            let stage = Stage::new(&engine).await;
            let set = json!({"value": setting == "true"});
            stage.call(Method::POST, "/api/v1/settings/Usher_Erase_Whole_Contact", &set).await.ok();
            let keep = "/api/v1/settings/Livechat_Allow_collect_and_store_HTTP_header_informations";
            stage.call(Method::POST, keep, &json!({"value": true})).await.ok();
            stage.app.delete("/api/v1/livechat/visitor/token-1").await.ok();
            assert_eq!(column(&stage.app, "SELECT id FROM visitors").await.len(), left, "{setting}");
            let contacts = column(&stage.app, "SELECT id FROM contacts").await;
            assert_eq!(contacts.contains(&stage.contact), setting == "false");
        }
    }
}
