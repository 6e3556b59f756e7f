//! Reading and changing one setting.

use axum::http::Method;
use serde_json::json;
use usher_testkit::Setup;
use usher_testkit::engines::Engine;

use super::{CONFIG, PUBLIC, invalid_value, not_allowed, one, page, set, silent, value};
use crate::permissions::{get, grant, not_logged_in, not_permitted, post};
use crate::support::{column, rows};

const TITLE: &str = "Livechat_title";

/// The most bytes of a value.
const LIMIT: usize = 65_536;

#[tokio::test(flavor = "multi_thread")]
async fn one_setting_can_be_read() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        for (id, default) in [
            (TITLE, json!("Rocket.Chat")),
            ("Livechat_http_timeout", json!(5_000)),
            ("SMS_Twilio_authToken", json!("")),
            ("Livechat_hide_system_messages", json!(["uj", "ul", "livechat-close"])),
            ("Assets_livechat_widget_logo", json!({})),
        ] {
            get(&app, &admin, &one(id)).await.is(200, &json!({"_id": id, "value": default, "success": true}));
            get(&app, &mary, &one(id)).await.is(403, &not_permitted());
            app.get(&one(id)).await.is(401, &not_logged_in());
        }
        for unknown in ["unknown", "livechat_title", "Livechat_guest_count", "%00", "%FF"] {
            get(&app, &admin, &one(unknown)).await.is(400, &silent());
            get(&app, &mary, &one(unknown)).await.is(403, &not_permitted());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_value_is_kept_as_it_was_sent() {
    let values = [
        json!("Shoes"),
        json!(""),
        json!("true"),
        json!(true),
        json!(7),
        json!(-1.5),
        json!(1.0),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(null),
        json!([]),
        json!(["a", ["b", {}]]),
        json!({"url": "https://example.com", "more": {"$gt": ""}}),
        json!("l'ete \"☀\" \\ \u{0}\u{1F600}"),
        json!("x".repeat(LIMIT - 2)),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for id in [TITLE, "Livechat_enabled", "Livechat_hide_system_messages", "Livechat_Routing_Method"] {
            for sent in &values {
                set(&app, &admin, id, sent).await;
                get(&app, &admin, &one(id)).await.is(200, &json!({"_id": id, "value": sent, "success": true}));
                let shown = json!({"_id": id, "value": sent, "enterprise": false});
                app.get(&format!("{PUBLIC}?_id={id}")).await.is(200, &page(&[shown], 0, 1));
            }
        }
        set(&app, &admin, "SMS_Service", &json!("")).await;
        assert_eq!(value(&app, &admin, "SMS_Service").await, "", "no option, but it says that there is no service");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_in_force_for_the_next_request() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for title in ["Shoes", "Hats", "Rocket.Chat", "Shoes"] {
            set(&app, &admin, TITLE, &json!(title)).await;
            assert_eq!(app.get(CONFIG).await.ok()["config"]["theme"]["title"], title);
        }
        // Values are kept as they were sent, and read as what they are meant to be.
        for (sent, read) in
            [(json!(false), false), (json!("true"), true), (json!("false"), false), (json!(1), true), (json!([]), true)]
        {
            set(&app, &admin, "Livechat_registration_form", &sent).await;
            assert_eq!(app.get(CONFIG).await.ok()["config"]["settings"]["registrationForm"], read, "{sent}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_value_may_be_sent() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let body = json!({"value": "Shoes", "execute": true, "_id": "Livechat_enabled", "other": [1]});
        for _ in 0..2 {
            post(&app, &admin, &one(TITLE), &body).await.is(200, &json!({"success": true}));
        }
        assert_eq!(value(&app, &admin, TITLE).await, "Shoes");
        assert_eq!(value(&app, &admin, "Livechat_enabled").await, true);
        let form = app.call(Method::POST, &one(TITLE)).as_user(&admin);
        form.bytes("application/x-www-form-urlencoded", b"value=true".into()).send().await.ok();
        assert_eq!(value(&app, &admin, TITLE).await, "true", "a form knows texts only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_setting_or_no_value_is_refused_without_a_word() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for unknown in ["unknown", "livechat_title", "Livechat_guest_count", "%00", "%FF"] {
            post(&app, &admin, &one(unknown), &json!({"value": 5})).await.is(400, &silent());
        }
        for body in [
            json!({}),
            json!({"editor": "color"}),
            json!({"execute": true}),
            json!({"Value": "x"}),
            json!([]),
            json!([{"value": "x"}]),
            json!("value"),
            json!(null),
        ] {
            post(&app, &admin, &one(TITLE), &body).await.is(400, &silent());
        }
        let call = |bytes: &str| app.call(Method::POST, &one(TITLE)).as_user(&admin).bytes("application/json", bytes.into());
        call(r#"{"value": "x""#).send().await.is(400, &silent());
        call("").send().await.is(400, &silent());
        assert_eq!(rows(&app).await, before, "nothing is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_have_bounds_and_values_an_end() {
    const IDS: [&str; 6] = [
        "Usher_Limit_Messages_Per_Minute",
        "Usher_Limit_Messages_Burst",
        "Usher_Limit_Registrations_Per_Token",
        "Usher_Limit_Registrations_Per_Address",
        "Usher_Limit_Erasures_Per_Token",
        "Usher_Limit_Logins",
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for id in IDS {
            for (small, told) in [(json!(0), "0"), (json!(-5), "-5"), (json!(0.5), "0.5"), (json!("0"), "\"0\"")] {
                post(&app, &admin, &one(id), &json!({"value": small})).await.is(400, &invalid_value(told));
            }
        }
        let long = json!({"value": "x".repeat(LIMIT - 1)});
        let told = format!("must NOT have more than {LIMIT} characters");
        post(&app, &admin, &one(TITLE), &long).await.is(400, &json!({"success": false, "error": told}));
        assert_eq!(rows(&app).await, before, "nothing is written");
        for id in IDS {
            for enough in [json!(1), json!("1"), json!(1_000_000)] {
                set(&app, &admin, id, &enough).await;
                assert_eq!(value(&app, &admin, id).await, enough, "{id}");
            }
        }
        set(&app, &admin, "Livechat_max_queue_wait_time", &json!(-5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_colour_was_entered_is_kept() {
    const EDITORS: &str = "SELECT id || ' ' || COALESCE(editor, '-') FROM settings ORDER BY id";
    const COLOR: &str = "Livechat_title_color";
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for (body, kept) in [
            (json!({"value": "#fff"}), "-"),
            (json!({"value": "red", "editor": "expression"}), "expression"),
            (json!({"value": "#000"}), "expression"),
            (json!({"value": "#000", "editor": "other"}), "expression"),
            (json!({"value": "#000", "editor": 5}), "expression"),
            (json!({"value": "#123", "editor": "color"}), "color"),
        ] {
            post(&app, &admin, &one(COLOR), &body).await.is(200, &json!({"success": true}));
            assert_eq!(column(&app, EDITORS).await, [format!("{COLOR} {kept}")], "{body}");
            assert_eq!(value(&app, &admin, COLOR).await, body["value"]);
        }
        post(&app, &admin, &one(TITLE), &json!({"value": "red", "editor": "color"})).await.ok();
        assert_eq!(column(&app, EDITORS).await, [format!("{TITLE} -"), format!("{COLOR} color")], "a title is no colour");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_changes_nothing() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let before = rows(&app).await;
        for (id, body) in [(TITLE, json!({"value": "x"})), (TITLE, json!({})), ("unknown", json!({"value": "x"}))] {
            post(&app, &mary, &one(id), &body).await.is(403, &not_permitted());
            app.post(&one(id), &body).await.is(401, &not_logged_in());
        }
        assert_eq!(rows(&app).await, before, "nothing is written");

        // An administrator is not exempt.
        grant(&app, &admin, "edit-privileged-setting", &["livechat-manager"]).await;
        grant(&app, &admin, "manage-selected-settings", &[]).await;
        post(&app, &admin, &one(TITLE), &json!({"value": "x"})).await.is(403, &not_permitted());
        set(&app, &mary, TITLE, &json!("Shoes")).await;
        assert_eq!(value(&app, &admin, TITLE).await, "Shoes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_may_change_selected_settings() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        // The permission of one setting alone is not enough.
        grant(&app, &admin, "change-setting-Livechat_title", &["livechat-manager"]).await;
        post(&app, &mary, &one(TITLE), &json!({"value": "x"})).await.is(403, &not_permitted());
        grant(&app, &admin, "manage-selected-settings", &["livechat-manager"]).await;
        set(&app, &mary, TITLE, &json!("Shoes")).await;

        let before = rows(&app).await;
        let refused = not_allowed(&["Livechat_enabled"]);
        post(&app, &mary, &one("Livechat_enabled"), &json!({"value": false})).await.is(400, &refused);
        post(&app, &mary, &one("unknown"), &json!({"value": false})).await.is(400, &silent());
        post(&app, &mary, &one("Livechat_guest_count"), &json!({"value": 9})).await.is(400, &silent());
        assert_eq!(rows(&app).await, before, "nothing is written");

        grant(&app, &admin, "change-setting-Livechat_title", &[]).await;
        post(&app, &mary, &one(TITLE), &json!({"value": "x"})).await.is(400, &not_allowed(&[TITLE]));
        assert_eq!(value(&app, &admin, TITLE).await, "Shoes");
        // Whoever may change every setting needs no permission of one.
        set(&app, &admin, TITLE, &json!("Hats")).await;
        assert_eq!(app.get(CONFIG).await.ok()["config"]["theme"]["title"], "Hats");
    }
}
