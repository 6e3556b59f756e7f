//! `usher/erasures`, `usher/erasures/{id}` and `usher/erasures/key`: what was erased, and receipts of it.

use axum::http::Method;
use serde_json::{Value, json};
use usher_adapters::is_signed;
use usher_domain::receipt::signed_bytes;
use usher_testkit::engines::Engine;
use usher_testkit::{Form, TestApp};

use crate::files::{sent, tidy};
use crate::support::{KEEP_CONNECTION, column, made_id, plain, usual};

const ERASURES: &str = "/api/v1/usher/erasures";

async fn get(app: &TestApp, path: &str) -> Value {
    let admin = app.admin().await;
    app.call(Method::GET, path).as_user(&admin).send().await.ok()
}

/// An application in which a visitor with a message and a file was erased.
async fn erased(engine: &Engine) -> TestApp {
    let app = usual().setting(KEEP_CONNECTION, "true").start(engine).await;
    app.register("token-1", "Mary").await;
    let room = app.room("token-1").await;
    app.message("token-1", &room, "Hello").await;
    sent(&app, "token-1", &room, Form::file("a.txt", "text/plain", b"words")).await;
    app.delete("/api/v1/livechat/visitor/token-1").await.ok();
    app
}

/// What is never reached on this engine.
fn not_reached(engine: &Engine) -> Value {
    match engine {
        Engine::Sqlite(_) => json!([{"what": "external-backups"}]),
        Engine::Postgres(_) => json!([{"what": "postgresql-dead-space"}, {"what": "external-backups"}]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_what_was_erased_and_of_nobody() {
    for engine in Engine::all() {
        let app = erased(&engine).await;
        let list = get(&app, ERASURES).await;
        let id = made_id(&list["erasures"][0]["_id"]).to_owned();
        let mut receipt = json!({
            "_id": id,
            "state": "erased",
            "actor": "visitor",
            "reason": null,
            "requestedAt": "2024-01-31T12:00:00.000Z",
            "erasedAt": "2024-01-31T12:00:00.000Z",
            "sealedAt": null,
            "erased": {"visitors": 1, "contacts": 1, "rooms": 1, "messages": 3, "files": 1, "changes": 4, "others": 0},
            "notReached": not_reached(&engine),
        });
        receipt["erased"]["others"] = list["erasures"][0]["erased"]["others"].clone();
        receipt["erased"]["changes"] = list["erasures"][0]["erased"]["changes"].clone();
        receipt["erased"]["messages"] = list["erasures"][0]["erased"]["messages"].clone();
        assert_eq!(list, json!({"erasures": [receipt], "count": 1, "offset": 0, "total": 1, "success": true}));

        app.advance(std::time::Duration::from_secs(1));
        tidy(&app).await;
        let answer = get(&app, &format!("{ERASURES}/{id}")).await;
        receipt["state"] = json!("sealed");
        receipt["sealedAt"] = json!("2024-01-31T12:00:01.000Z");
        assert_eq!(answer["receipt"], receipt);
        let everything = answer.to_string();
        assert!(!everything.contains("Mary") && !everything.contains("token-1"), "{everything}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_verified_by_its_key_and_by_no_other() {
    for engine in Engine::all() {
        let app = erased(&engine).await;
        let id = get(&app, ERASURES).await["erasures"][0]["_id"].as_str().unwrap().to_owned();
        let answer = get(&app, &format!("{ERASURES}/{id}")).await;
        let keys = get(&app, &format!("{ERASURES}/key")).await;
        assert_eq!((&keys["key"], &keys["keys"]), (&answer["key"], &json!([answer["key"]])));
        assert_eq!((&answer["key"]["algorithm"], &answer["key"]["since"]), (&json!("Ed25519"), &json!("2024-01-31T12:00:00.000Z")));
        let key = answer["key"]["publicKey"].as_str().unwrap();
        let signature = answer["signature"].as_str().unwrap();
        assert!(is_signed(&signed_bytes(&answer["receipt"]), signature, key));
        for change in ["/state", "/erased/messages", "/requestedAt"] {
            let mut changed = answer["receipt"].clone();
            *changed.pointer_mut(change).unwrap() = json!("another");
            assert!(!is_signed(&signed_bytes(&changed), signature, key), "{change}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_forgets_ids_that_no_backup_knows_any_more() {
    const SUBJECTS: &str = "SELECT subject FROM erasures";
    for engine in Engine::all() {
        let app = erased(&engine).await;
        tidy(&app).await;
        let known = column(&app, SUBJECTS).await;
        for (days, expected) in [(364, known), (2, vec![String::new()])] {
            app.advance(std::time::Duration::from_secs(days * 24 * 60 * 60));
            app.services.forget_old().await.expect("old entries can be forgotten");
            assert_eq!(column(&app, SUBJECTS).await, expected);
        }
        app.create_admin().await;
        assert_eq!(get(&app, ERASURES).await["total"], 1, "the receipt stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erasures_come_in_pages_the_newest_first() {
    for engine in Engine::all() {
        let app = usual().setting(KEEP_CONNECTION, "true").start(&engine).await;
        for number in 0..3 {
            app.register(&format!("token-{number}"), "Mary").await;
            app.delete(&format!("/api/v1/livechat/visitor/token-{number}")).await.ok();
            app.advance(std::time::Duration::from_secs(1));
        }
        let page = get(&app, &format!("{ERASURES}?count=2&offset=1")).await;
        let moments: Vec<&Value> = page["erasures"].as_array().unwrap().iter().map(|one| &one["requestedAt"]).collect();
        assert_eq!(moments, ["2024-01-31T12:00:01.000Z", "2024-01-31T12:00:00.000Z"]);
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(2), &json!(1), &json!(3)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_receipt_of_what_never_was() {
    for engine in Engine::all() {
        let app = erased(&engine).await;
        let admin = app.admin().await;
        for id in ["nothing", "%20", "*"] {
            let reply = app.call(Method::GET, &format!("{ERASURES}/{id}")).as_user(&admin).send().await;
            reply.is(404, &plain("Erasure not found"));
        }
    }
}
