//! `POST livechat/offline.message`, and what administrators see of mails.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::mail::Mail;
use usher_services::mails::Delivery;
use usher_services::ports::Unsent;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::requests::{insert_department, insert_failed_mail};
use crate::support::{coded, made_id, plain, rows};

const OFFLINE: &str = "/api/v1/livechat/offline.message";
const MAILS: &str = "/api/v1/usher/mails";
const RETRY: &str = "/api/v1/usher/mails.retry";

/// When every test begins.
const START: &str = "2024-01-31T12:00:00.000Z";

/// A server whose mails can go out, with somebody who gets messages.
pub fn with_mail() -> Setup {
    let sender = Setup::default().setting("From_Email", "chat@example.com").setting("SMTP_Host", "mail.example.com");
    sender.setting("Livechat_offline_email", "support@example.com")
}

/// Sends what waits; gives all that was sent so far.
pub async fn sent(app: &TestApp) -> Vec<Mail> {
    while app.services.send_next_mail().await.expect("mails can be looked at") == Delivery::Sent {}
    app.mailer.mails()
}

fn message() -> Value {
    json!({"name": "Mary", "email": "Mary@shop.example", "message": "Where is my parcel, please?"})
}

fn with(name: &str, value: Value) -> Value {
    let mut message = message();
    message[name] = value;
    message
}

/// What is answered to a message that cannot be taken, whatever the reason.
fn not_taken() -> Value {
    plain("Error sending Omnichannel offline message")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_and_sent() {
    let taken = json!({"message": "Livechat offline message sent", "success": true});
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        app.exchanges.add("shop.example");
        app.post(OFFLINE, &with("host", json!("https://shop.example/cart"))).await.is(200, &taken);
        let mails = sent(&app).await;
        assert_eq!(mails.len(), 1);
        let reply_to = mails[0].reply_to.as_ref().map(|mailbox| (mailbox.name.as_deref(), mailbox.address.as_str()));
        assert_eq!(
            (mails[0].from.as_deref(), reply_to, mails[0].to.as_str(), mails[0].subject.as_str()),
            (
                Some("Mary - Mary@shop.example"),
                Some((Some("Mary"), "Mary@shop.example")),
                "support@example.com",
                "Livechat offline message from Mary: Where is my parcel,"
            )
        );
        for part in ["Mary", "Mary@shop.example", "https://shop.example/cart", "Where is my parcel, please?"] {
            assert!(mails[0].text.contains(part) && mails[0].html.contains(part), "{part}");
        }
    }
}

/// The calls work without a mail server: the mail waits for one.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_a_message_is_taken_as_well() {
    for engine in Engine::all() {
        let app = Setup::default().setting("Livechat_offline_email", "support@example.com").start(&engine).await;
        app.exchanges.add("shop.example");
        app.post(OFFLINE, &message()).await.ok();
        assert!(sent(&app).await.is_empty());
        let admin = app.admin().await;
        let listed = get(&app, &admin, MAILS).await.ok();
        assert_eq!((&listed["mails"][0]["state"], &listed["mails"][0]["failure"]), (&json!("waiting"), &json!("no-server")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_has_its_own_address() {
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        app.exchanges.add("shop.example");
        insert_department(&app, "sales").await;
        for (department, recipient) in [
            ("sales", "sales@example.com"),
            ("unknown", "support@example.com"),
            ("", "support@example.com"),
            ("' OR 1=1 --", "support@example.com"),
        ] {
            app.post(OFFLINE, &with("department", json!(department))).await.ok();
            let mails = sent(&app).await;
            assert_eq!(mails.last().map(|mail| mail.to.as_str()), Some(recipient), "{department}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_keeps_a_message_from_being_taken_is_answered_alike() {
    let nobody = || Setup::default();
    let form_off = with_mail().setting("Livechat_display_offline_form", "false");
    let unchecked = || with_mail().setting("Livechat_validate_offline_email", "false");
    for engine in Engine::all() {
        for (setup, body, why) in [
            (form_off.clone(), message(), "the form is off"),
            (unchecked(), with("email", json!("")), "there is no address"),
            (unchecked(), with("email", json!(" \t")), "the address is blank"),
            (with_mail(), with("email", json!("mary@nowhere.example")), "the domain takes no mail"),
            (with_mail(), with("email", json!("shop.example")), "it is no address"),
            (with_mail(), with("email", json!("mary@shop.example@")), "it is no address either"),
            (nobody(), message(), "nobody gets it"),
            (nobody().setting("Livechat_offline_email", "support"), message(), "whoever gets it has no address"),
        ] {
            let fresh = fresh(&engine);
            let app = setup.start(&fresh).await;
            app.exchanges.add("shop.example");
            let before = rows(&app).await;
            app.post(OFFLINE, &body).await.is(400, &not_taken());
            assert_eq!(rows(&app).await, before, "{why}");
        }
        // The control: without the check of the domain the same address will do.
        let app = unchecked().start(&fresh(&engine)).await;
        app.post(OFFLINE, &with("email", json!("mary@nowhere.example"))).await.ok();
        app.post(OFFLINE, &with("email", json!("nonsense"))).await.ok();
        let mails = sent(&app).await;
        assert_eq!((mails.len(), &mails[1].reply_to), (2, &None));
    }
}

/// Another engine of the same kind, with nothing in it.
fn fresh(engine: &Engine) -> Engine {
    let is_same = |other: &Engine| std::mem::discriminant(other) == std::mem::discriminant(engine);
    Engine::all().into_iter().find(is_same).expect("there was one of this kind")
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_read_are_refused() {
    let schema = |told: &str| coded(&format!("{told} [invalid-params]"), "invalid-params");
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        app.exchanges.add("shop.example");
        let without = |name: &str| {
            let mut message = message();
            message.as_object_mut().expect("it is an object").remove(name);
            message
        };
        let before = rows(&app).await;
        for (body, expected) in [
            (json!({}), schema("must have required property 'name'")),
            (without("name"), schema("must have required property 'name'")),
            (without("email"), schema("must have required property 'email'")),
            (without("message"), schema("must have required property 'message'")),
            (with("other", json!(1)), schema("must NOT have additional properties")),
            (with("message", json!(["x"])), schema("must be string")),
            (with("name", json!("x".repeat(513))), schema("must NOT have more than 512 characters")),
        ] {
            app.post(OFFLINE, &body).await.is(400, &expected);
        }
        assert_eq!(rows(&app).await, before);
    }
}

/// Nothing that a visitor writes makes a mail say more than its own fields.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_stays_what_it_is() {
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        app.exchanges.add("shop.example");
        let hostile = "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>\u{2028}\u{202e}😀";
        for name in ["name", "message", "host"] {
            app.post(OFFLINE, &with(name, json!(hostile))).await.ok();
        }
        for mail in sent(&app).await {
            let headers = [mail.from.clone(), mail.reply_to.and_then(|mailbox| mailbox.name), Some(mail.subject.clone())];
            for header in headers.into_iter().flatten() {
                assert!(!header.contains(['\r', '\n', '\u{2028}']), "{header:?}");
            }
            assert!(!mail.html.contains("<script>"), "{}", mail.html);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_leaves_one_message_in_five_seconds() {
    for engine in Engine::all() {
        let app = with_mail().with_rate_limits().start(&engine).await;
        app.exchanges.add("shop.example");
        let post =
            async |address: &str| -> Reply { app.call(Method::POST, OFFLINE).from_address(address).json(&message()).send().await };
        post("192.0.2.7").await.ok();
        let error = "Error, too many requests. Please slow down. You must wait 5 seconds before trying this endpoint again. \
                     [error-too-many-requests]";
        post("192.0.2.7").await.is(429, &plain(error));
        post("192.0.2.8").await.ok();
        app.advance(Duration::from_secs(5));
        post("192.0.2.7").await.ok();
        assert_eq!(sent(&app).await.len(), 3);
    }
}

/// A page of mails.
async fn page(app: &TestApp, login: &Login, query: &str) -> Value {
    get(app, login, &format!("{MAILS}{query}")).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_what_became_of_mails() {
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        app.exchanges.add("shop.example");
        let admin = app.admin().await;
        assert_eq!(page(&app, &admin, "").await, json!({"mails": [], "count": 0, "offset": 0, "total": 0, "success": true}));

        app.post(OFFLINE, &message()).await.ok();
        let waiting = page(&app, &admin, "").await;
        let first = made_id(&waiting["mails"][0]["_id"]).to_owned();
        let mail = json!({"_id": first, "kind": "offline-message", "state": "waiting", "attempts": 0, "nextAttemptAt": START,
            "createdAt": START, "_updatedAt": START});
        assert_eq!(waiting, json!({"mails": [mail], "count": 1, "offset": 0, "total": 1, "success": true}));

        app.advance(Duration::from_secs(1));
        app.mailer.fail(&[Unsent::ForNow("unreachable")]);
        assert!(matches!(app.services.send_next_mail().await, Ok(Delivery::Unsent(..))));
        let mail = json!({"_id": first, "kind": "offline-message", "state": "waiting", "attempts": 1, "failure": "unreachable",
            "nextAttemptAt": "2024-01-31T12:01:01.000Z", "createdAt": START, "_updatedAt": "2024-01-31T12:00:01.000Z"});
        assert_eq!(page(&app, &admin, "").await["mails"], json!([mail]));

        app.post(OFFLINE, &message()).await.ok();
        assert_eq!(sent(&app).await.len(), 1);
        let listed = page(&app, &admin, "").await;
        let states = |page: &Value| -> Vec<String> {
            let mails = page["mails"].as_array().expect("there is a list").iter();
            mails.map(|mail| mail["state"].as_str().expect("mails have states").to_owned()).collect()
        };
        assert_eq!(states(&listed), ["sent", "waiting"], "the newest first");
        let sent = &listed["mails"][0];
        assert_eq!((sent.get("nextAttemptAt"), sent.get("failure"), &sent["attempts"]), (None, None, &json!(1)));
        for (query, expected, total) in [
            ("?state=sent", vec!["sent"], 1),
            ("?state=waiting", vec!["waiting"], 1),
            ("?state=failed", vec![], 0),
            ("?count=1&offset=1", vec!["waiting"], 2),
            ("?count=1", vec!["sent"], 2),
            ("?offset=2", vec![], 2),
        ] {
            let page = page(&app, &admin, query).await;
            assert_eq!(
                (states(&page), &page["total"]),
                (expected.iter().map(|state| (*state).to_owned()).collect(), &json!(total)),
                "{query}"
            );
        }
        let projected = page(&app, &admin, "?fields=%7B%22state%22%3A1%7D&count=1").await;
        assert_eq!(projected["mails"].as_array().map(Vec::len), Some(1));
        assert_eq!(projected["mails"][0]["state"], "sent");
        assert_eq!(projected["mails"][0].get("kind"), None);
    }
}

/// Not even an administrator reads here to whom mails go, or what is in them.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_names_nobody() {
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        app.exchanges.add("shop.example");
        app.post(OFFLINE, &message()).await.ok();
        let admin = app.admin().await;
        let text = page(&app, &admin, "").await.to_string();
        for part in ["Mary", "@", "parcel"] {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_for_administrators() {
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        insert_failed_mail(&app, "mail-1").await;
        let body = json!({"mailId": "mail-1"});
        app.get(MAILS).await.is(401, &not_logged_in());
        app.post(RETRY, &body).await.is(401, &not_logged_in());
        let manager = app.user("manager", &["livechat-manager"]).await;
        get(&app, &manager, MAILS).await.is(403, &not_permitted());
        post(&app, &manager, RETRY, &body).await.is(403, &not_permitted());
        let told = coded("must be equal to one of the allowed values", "error-invalid-params");
        get(&app, &app.admin().await, &format!("{MAILS}?state=other")).await.is(400, &told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_has_a_mail_tried_again() {
    let none = coded("There is no such mail that has failed [error-no-mail-to-retry]", "error-no-mail-to-retry");
    for engine in Engine::all() {
        let app = with_mail().start(&engine).await;
        let admin = app.admin().await;
        insert_failed_mail(&app, "mail-1").await;
        assert!(sent(&app).await.is_empty(), "it was given up");
        let before = rows(&app).await;
        post(&app, &admin, RETRY, &json!({"mailId": "unknown"})).await.is(400, &none);
        let missing = coded("must have required property 'mailId'", "invalid-params");
        post(&app, &admin, RETRY, &json!({})).await.is(400, &missing);
        assert_eq!(rows(&app).await, before);

        post(&app, &admin, RETRY, &json!({"mailId": "mail-1"})).await.is(200, &json!({"success": true}));
        assert_eq!(sent(&app).await.len(), 1);
        post(&app, &admin, RETRY, &json!({"mailId": "mail-1"})).await.is(400, &none);
    }
}
