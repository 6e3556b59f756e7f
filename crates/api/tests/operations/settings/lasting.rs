//! What administrators decide outlives the process, and reaches every other one on the same database.

use axum::http::Method;
use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use super::{CONFIG, SETTINGS, one, set, value};
use crate::permissions::{get, grant, not_permitted, permission, post};

const ROLES: &str = "/api/v1/roles.list";

/// Makes a role called clerk; gives its id.
async fn make_clerk(app: &TestApp, admin: &Login) -> String {
    let body = json!({"name": "clerk", "description": "Behind the counter"});
    let answer = post(app, admin, "/api/v1/roles.create", &body).await.ok();
    answer["role"]["_id"].as_str().expect("a role has an id").to_owned()
}

/// The title of everybody's widget.
async fn title(app: &TestApp) -> Value {
    app.get(CONFIG).await.ok()["config"]["theme"]["title"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_survive_a_restart() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        set(&app, &admin, "Livechat_title", &json!("Shoes")).await;
        set(&app, &admin, "Livechat_registration_form", &json!("false")).await;
        set(&app, &admin, "Livechat_http_timeout", &json!({"any": [null]})).await;
        let clerk = make_clerk(&app, &admin).await;
        grant(&app, &admin, "view-l-room", &[&clerk, "admin"]).await;
        grant(&app, &admin, "view-livechat-rooms", &[]).await;
        let (whole, permissions) = (format!("{SETTINGS}?count=0&includeDefaults=true"), "/api/v1/permissions.listAll");
        let mut before = Vec::new();
        for path in [whole.as_str(), permissions, ROLES] {
            before.push(get(&app, &admin, path).await.ok());
        }
        drop(app);

        let app = Setup::default().start(&engine).await;
        for (path, before) in [whole.as_str(), permissions, ROLES].into_iter().zip(&before) {
            get(&app, &admin, path).await.is(200, before);
        }
        assert_eq!(value(&app, &admin, "Livechat_http_timeout").await, json!({"any": [null]}));
        assert_eq!(title(&app).await, "Shoes");
        assert_eq!(app.get(CONFIG).await.ok()["config"]["settings"]["registrationForm"], false);
        assert_eq!(permission(&app, &admin, "view-livechat-rooms").await["roles"], json!([]), "no default comes back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_value_wins_at_every_start() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        set(&app, &admin, "Livechat_title", &json!("Shoes")).await;
        set(&app, &admin, "Site_Name", &json!("Market")).await;
        drop(app);

        let forcing = Setup::default().setting("Livechat_title", "Hats");
        let app = forcing.clone().start(&engine).await;
        assert_eq!(title(&app).await, "Hats");
        assert_eq!(value(&app, &admin, "Livechat_title").await, "Hats");
        assert_eq!(value(&app, &admin, "Site_Name").await, "Market", "what is not forced stays");
        // Until the next start administrators may change it again.
        set(&app, &admin, "Livechat_title", &json!("Shoes")).await;
        assert_eq!(title(&app).await, "Shoes");
        drop(app);

        let app = forcing.start(&engine).await;
        assert_eq!(title(&app).await, "Hats");
        drop(app);

        let app = Setup::default().start(&engine).await;
        assert_eq!(title(&app).await, "Hats", "the value stays where nothing is forced any more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_changes_another_has_as_well() {
    for engine in Engine::all().into_iter().filter(|engine| matches!(engine, Engine::Postgres(_))) {
        let here = Setup::default().start(&engine).await;
        let admin = here.admin().await;
        let mary = here.user("mary", &["user", "livechat-manager"]).await;
        let there = Setup::default().start(&engine).await;
        assert_eq!(there.services.follow_platform().await, Ok(false), "there is nothing new");
        get(&there, &mary, &one("Livechat_title")).await.is(403, &not_permitted());

        set(&here, &admin, "Livechat_title", &json!("Shoes")).await;
        let clerk = make_clerk(&here, &admin).await;
        grant(&here, &admin, "view-privileged-setting", &["admin", "livechat-manager"]).await;
        assert_eq!(title(&there).await, "Rocket.Chat", "nobody has looked yet");
        get(&there, &mary, &one("Livechat_title")).await.is(403, &not_permitted());

        assert_eq!(there.services.follow_platform().await, Ok(true));
        assert_eq!(title(&there).await, "Shoes");
        get(&there, &mary, &one("Livechat_title")).await.ok();
        let roles = get(&there, &admin, ROLES).await.ok();
        roles["roles"].as_array().expect("it is a list").iter().find(|role| role["_id"] == *clerk).expect("the role is there too");
        assert_eq!(there.services.follow_platform().await, Ok(false), "once is enough");

        // And the other way round.
        grant(&there, &admin, "view-privileged-setting", &["admin"]).await;
        set(&there, &admin, "Livechat_title", &json!("Hats")).await;
        post(&there, &admin, "/api/v1/roles.delete", &json!({"roleId": clerk})).await.ok();
        assert_eq!(here.services.follow_platform().await, Ok(true));
        assert_eq!(title(&here).await, "Hats");
        get(&here, &mary, &one("Livechat_title")).await.is(403, &not_permitted());
        let roles = get(&here, &admin, ROLES).await.ok();
        assert!(!roles["roles"].as_array().expect("it is a list").iter().any(|role| role["_id"] == *clerk));

        // Who is deactivated here is out there at once: users are in no snapshot.
        let body = json!({"userId": mary.user_id, "activeStatus": false});
        let path = "/api/v1/users.setActiveStatus";
        here.call(Method::POST, path).as_user(&admin).json(&body).send().await.ok();
        assert_eq!(get(&there, &mary, "/api/v1/me").await.status.as_u16(), 401);
    }
}
