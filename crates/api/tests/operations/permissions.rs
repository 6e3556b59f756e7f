//! The operations on permissions: the table of them, and who holds which.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::permission::TABLE;
use usher_domain::settings::definitions;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::support::{coded, encoded, rows};

const LIST: &str = "/api/v1/permissions.listAll";
const UPDATE: &str = "/api/v1/permissions.update";

/// When every test begins.
const START: &str = "2024-01-31T12:00:00.000Z";

/// `GET path` by somebody who is logged in.
pub async fn get(app: &TestApp, login: &Login, path: &str) -> Reply {
    app.call(Method::GET, path).as_user(login).send().await
}

/// `POST path` by somebody who is logged in.
pub async fn post(app: &TestApp, login: &Login, path: &str, body: &Value) -> Reply {
    app.call(Method::POST, path).as_user(login).json(body).send().await
}

/// Makes exactly these roles hold a permission.
pub async fn grant(app: &TestApp, login: &Login, id: &str, roles: &[&str]) {
    post(app, login, UPDATE, &changes(&[(id, roles)])).await.ok();
}

/// A permission as it is listed.
pub async fn permission(app: &TestApp, login: &Login, id: &str) -> Value {
    let listed = list(app, login, "").await;
    listed.into_iter().find(|permission| permission["_id"] == id).expect("there is such a permission")
}

/// What a call without a login is answered.
pub fn not_logged_in() -> Value {
    let text = "You must be logged in to do this.";
    json!({"success": false, "status": "error", "error": text, "message": text})
}

/// What somebody is answered who lacks a permission.
pub fn not_permitted() -> Value {
    json!({"success": false, "error": "User does not have the permissions required for this action [error-unauthorized]"})
}

/// The permissions that a query lists.
async fn list(app: &TestApp, login: &Login, query: &str) -> Vec<Value> {
    let answer = get(app, login, &format!("{LIST}{query}")).await.ok();
    let update = answer["update"].as_array().expect("it is a list").clone();
    assert_eq!(answer, json!({"update": update, "remove": [], "success": true}), "that is all");
    update
}

/// The body that makes these roles hold these permissions.
fn changes(changes: &[(&str, &[&str])]) -> Value {
    let changes: Vec<Value> = changes.iter().map(|(id, roles)| json!({"_id": id, "roles": roles})).collect();
    json!({"permissions": changes})
}

/// Every permission as a new server has it, in the order of the ids.
fn at_the_start() -> Vec<Value> {
    let of_table = TABLE.iter().map(|definition| {
        let mut roles = definition.roles.to_vec();
        roles.sort_unstable();
        json!({"_id": definition.permission.0, "roles": roles, "_updatedAt": START})
    });
    let of_settings = definitions().iter().filter(|setting| !setting.is_hidden).map(|setting| {
        let mut document = json!({
            "_id": format!("change-setting-{}", setting.id),
            "roles": [],
            "_updatedAt": START,
            "level": "settings",
            "settingId": setting.id,
            "group": setting.group,
            "groupPermissionId": format!("change-setting-{}", setting.group),
        });
        if let Some(section) = setting.section {
            document["section"] = json!(section);
            document["sectionPermissionId"] = json!(format!("change-setting-{section}"));
        }
        document
    });
    let mut all: Vec<Value> = of_table.chain(of_settings).collect();
    all.sort_by_key(|permission| permission["_id"].as_str().map(str::to_owned));
    all
}

/// The same after a permission got other roles a second later.
fn with_roles(id: &str, roles: &[&str]) -> Vec<Value> {
    let mut all = at_the_start();
    let changed = all.iter_mut().find(|permission| permission["_id"] == id).expect("there is such a permission");
    changed["roles"] = json!(roles);
    changed["_updatedAt"] = json!("2024-01-31T12:00:01.000Z");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_logged_in_sees_every_permission() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        app.get(LIST).await.is(401, &not_logged_in());
        assert_eq!(list(&app, &admin, "").await, at_the_start());
        for query in ["", "?", "?updatedSince=", "?updatedSince=2024-01-31T11:59:59.999Z&other=1", "?updatedSince=2024-01-31"] {
            assert_eq!(list(&app, &mary, query).await, at_the_start(), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_to_change_one_setting_say_which() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let title = json!({
            "_id": "change-setting-Livechat_title",
            "roles": [],
            "_updatedAt": START,
            "level": "settings",
            "settingId": "Livechat_title",
            "group": "Omnichannel",
            "section": "Livechat",
            "groupPermissionId": "change-setting-Omnichannel",
            "sectionPermissionId": "change-setting-Livechat",
        });
        assert_eq!(permission(&app, &admin, "change-setting-Livechat_title").await, title);
        let enabled = json!({
            "_id": "change-setting-Livechat_enabled",
            "roles": [],
            "_updatedAt": START,
            "level": "settings",
            "settingId": "Livechat_enabled",
            "group": "Omnichannel",
            "groupPermissionId": "change-setting-Omnichannel",
        });
        assert_eq!(permission(&app, &admin, "change-setting-Livechat_enabled").await, enabled);
        let hidden = "change-setting-Livechat_guest_count";
        assert!(!list(&app, &admin, "").await.iter().any(|permission| permission["_id"] == hidden), "nobody can set it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_those_that_clients_rely_on() {
    const ADMIN: &[&str] = &["admin"];
    const MANAGER: &[&str] = &["admin", "livechat-manager"];
    const MONITOR: &[&str] = &["admin", "livechat-manager", "livechat-monitor"];
    const AGENT: &[&str] = &["admin", "livechat-agent", "livechat-manager", "livechat-monitor"];
    const OF_PROGRAMS: &[&str] = &["admin", "app", "bot"];
    const OF_ROOMS: &[&str] = &["admin", "moderator", "owner"];
    let table: [(&[&str], &[&str]); 12] = [
        (
            &[
                "add-livechat-department-agents",
                "manage-livechat-agents",
                "manage-livechat-departments",
                "on-hold-others-livechat-room",
                "save-others-livechat-room-info",
                "transfer-livechat-guest",
                "view-livechat-business-hours",
                "view-livechat-departments",
                "view-livechat-manager",
                "view-livechat-rooms",
            ],
            MONITOR,
        ),
        (
            &[
                "manage-livechat-monitors",
                "manage-livechat-priorities",
                "manage-livechat-sla",
                "manage-livechat-tags",
                "manage-livechat-units",
            ],
            MANAGER,
        ),
        (
            &["on-hold-livechat-room", "remove-canned-responses", "save-canned-responses", "view-canned-responses", "view-l-room"],
            AGENT,
        ),
        (&["edit-omnichannel-contact"], &["admin", "livechat-agent", "livechat-manager"]),
        (
            &[
                "manage-email-inbox",
                "create-user",
                "delete-user",
                "edit-other-user-info",
                "edit-other-user-active-status",
                "access-permissions",
                "view-privileged-setting",
                "edit-privileged-setting",
                "view-statistics",
                "get-server-info",
                "logout-other-user",
                "user-generate-access-token",
                "view-full-other-user-info",
                "manage-assets",
            ],
            ADMIN,
        ),
        (&["api-bypass-rate-limit", "send-many-messages"], OF_PROGRAMS),
        (&["create-personal-access-tokens"], &["admin", "user"]),
        (&["view-d-room"], &["admin", "app", "bot", "federated-external", "guest", "user"]),
        (&["delete-message", "edit-message", "pin-message"], OF_ROOMS),
        (&["force-delete-message"], &["admin", "owner"]),
        (&["view-agent-canned-responses"], &["livechat-agent"]),
        (&["message-impersonate"], &["app", "bot"]),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let all = list(&app, &admin, "").await;
        for (ids, roles) in table {
            for id in ids {
                let expected = json!({"_id": id, "roles": roles, "_updatedAt": START});
                assert_eq!(all.iter().find(|permission| permission["_id"] == *id), Some(&expected), "{id}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_ask_for_what_changed() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        assert!(list(&app, &admin, &format!("?updatedSince={START}")).await.is_empty());
        app.advance(Duration::from_secs(1));
        grant(&app, &admin, "view-l-room", &["livechat-agent"]).await;
        let changed = json!({"_id": "view-l-room", "roles": ["livechat-agent"], "_updatedAt": "2024-01-31T12:00:01.000Z"});
        for since in [START, "2024-01-31T12:00:00.999Z", "2024-01-31T13:00:00.999%2B01:00"] {
            assert_eq!(list(&app, &admin, &format!("?updatedSince={since}")).await, std::slice::from_ref(&changed), "{since}");
        }
        assert!(list(&app, &admin, "?updatedSince=2024-01-31T12:00:01.000Z").await.is_empty());
        assert_eq!(list(&app, &admin, "").await, with_roles("view-l-room", &["livechat-agent"]));

        let code = "error-roomId-param-invalid";
        let invalid = coded(&format!("The \"updatedSince\" query parameter must be a valid date. [{code}]"), code);
        for wrong in ["yesterday", "2024-13-01", "2024-01-31T25:00:00Z", "1706702400000", "null", " "] {
            get(&app, &admin, &format!("{LIST}?updatedSince={}", encoded(wrong))).await.is(400, &invalid);
        }
        let told = coded("must be string", "error-invalid-params");
        get(&app, &admin, &format!("{LIST}?updatedSince[]={START}")).await.is(400, &told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_answered_with_all_permissions() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        app.advance(Duration::from_secs(1));
        let all = |permissions: Vec<Value>| json!({"permissions": permissions, "success": true});
        post(&app, &admin, UPDATE, &changes(&[])).await.is(200, &all(at_the_start()));
        for roles in [&["livechat-agent"] as &[&str], &[], &["admin", "user"], &["admin", "user"]] {
            let reply = post(&app, &admin, UPDATE, &changes(&[("view-l-room", roles)])).await;
            reply.is(200, &all(with_roles("view-l-room", roles)));
        }
        let roles: &[&str] = &["admin", "livechat-agent", "livechat-manager", "livechat-monitor"];
        post(&app, &admin, UPDATE, &changes(&[("view-l-room", roles)])).await.ok();

        // Several at once, one of them of a setting; the order of the roles says nothing.
        let several = changes(&[("view-l-room", &["user", "admin"]), ("change-setting-Livechat_title", &["livechat-manager"])]);
        let answer = post(&app, &admin, UPDATE, &several).await.ok();
        let listed = list(&app, &admin, "").await;
        assert_eq!(answer, all(listed.clone()));
        let changed: Vec<&Value> = listed.iter().filter(|permission| permission["_updatedAt"] != START).collect();
        let shown: Vec<_> = changed.iter().map(|permission| (&permission["_id"], &permission["roles"])).collect();
        let of_setting = (&json!("change-setting-Livechat_title"), &json!(["livechat-manager"]));
        assert_eq!(shown, [of_setting, (&json!("view-l-room"), &json!(["admin", "user"]))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_change_changes_nothing() {
    let schema = |error: &str| coded(error, "invalid-params");
    let invalid_permission = coded("Invalid permission", "error-invalid-permission");
    let invalid_role = coded("Invalid role", "error-invalid-role");
    let good = json!({"_id": "view-l-room", "roles": ["user"]});
    let with = |other: Value| json!({"permissions": [good.clone(), other]});
    let table = [
        (json!({}), schema("must have required property 'permissions'")),
        (json!([good]), schema("must be object")),
        (json!({"permissions": good}), schema("must be array")),
        (json!({"permissions": "view-l-room"}), schema("must be array")),
        (json!({"permissions": [good], "other": 1}), schema("must NOT have additional properties")),
        (with(json!("view-l-room")), schema("must be object")),
        (with(json!({})), schema("must have required property '_id'")),
        (with(json!({"roles": []})), schema("must have required property '_id'")),
        (with(json!({"_id": "view-livechat-rooms"})), schema("must have required property 'roles'")),
        (with(json!({"_id": ["view-livechat-rooms"], "roles": []})), schema("must be string")),
        (with(json!({"_id": "view-livechat-rooms", "roles": "user"})), schema("must be array")),
        (with(json!({"_id": "view-livechat-rooms", "roles": null})), schema("must be array")),
        (with(json!({"_id": "view-livechat-rooms", "roles": [["user"]]})), schema("must be string")),
        (
            with(json!({"_id": "view-livechat-rooms", "roles": [], "_updatedAt": START})),
            schema("must NOT have additional properties"),
        ),
        (
            with(json!({"_id": "view-livechat-rooms", "roles": ["user", "user"]})),
            schema("must NOT have duplicate items (items ## 0 and 1 are identical)"),
        ),
        (
            with(json!({"_id": "view-livechat-rooms", "roles": ["user", "admin", "bot", "admin"]})),
            schema("must NOT have duplicate items (items ## 1 and 3 are identical)"),
        ),
        (with(json!({"_id": "a\u{0}", "roles": []})), schema("must NOT contain the NUL character")),
        (with(json!({"_id": "x".repeat(1_025), "roles": []})), schema("must NOT have more than 1024 characters")),
        (with(json!({"_id": "unknown", "roles": ["user"]})), invalid_permission.clone()),
        (with(json!({"_id": "unknown", "roles": ["unknown"]})), invalid_permission.clone()),
        (with(json!({"_id": "", "roles": []})), invalid_permission.clone()),
        (with(json!({"_id": "View-l-room", "roles": []})), invalid_permission.clone()),
        (with(json!({"_id": "change-setting-Livechat_guest_count", "roles": []})), invalid_permission.clone()),
        (with(json!({"_id": "change-setting-unknown", "roles": []})), invalid_permission.clone()),
        (with(json!({"_id": "view-l-room", "roles": []})), invalid_permission.clone()),
        (with(good.clone()), invalid_permission),
        (with(json!({"_id": "view-livechat-rooms", "roles": ["unknown"]})), invalid_role.clone()),
        (with(json!({"_id": "view-livechat-rooms", "roles": ["user", ""]})), invalid_role.clone()),
        (with(json!({"_id": "view-livechat-rooms", "roles": ["Admin"]})), invalid_role.clone()),
        (with(json!({"_id": "view-livechat-rooms", "roles": [5, null]})), invalid_role),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        app.advance(Duration::from_secs(1));
        let before = rows(&app).await;
        for (body, answer) in &table {
            let reply = post(&app, &admin, UPDATE, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, answer), "{body}");
            // Who may not change permissions does not learn what is wrong.
            post(&app, &mary, UPDATE, body).await.is(403, &not_permitted());
        }
        let body = json!({"permissions": [good.clone()]});
        post(&app, &mary, UPDATE, &body).await.is(403, &not_permitted());
        app.post(UPDATE, &body).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before, "nothing is written");
        assert_eq!(list(&app, &admin, "").await, at_the_start());
        post(&app, &admin, UPDATE, &body).await.ok();
        assert_ne!(rows(&app).await, before, "it was the rest that was wrong");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_for_the_next_request_and_nobody_is_exempt() {
    const SETTING: &str = "/api/v1/settings/Livechat_title";
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        for _ in 0..2 {
            get(&app, &admin, SETTING).await.ok();
            get(&app, &mary, SETTING).await.is(403, &not_permitted());
            grant(&app, &admin, "view-privileged-setting", &["user"]).await;
            get(&app, &mary, SETTING).await.ok();
            get(&app, &admin, SETTING).await.ok();
            grant(&app, &admin, "view-privileged-setting", &[]).await;
            get(&app, &mary, SETTING).await.is(403, &not_permitted());
            get(&app, &admin, SETTING).await.is(403, &not_permitted());
            grant(&app, &admin, "view-privileged-setting", &["admin"]).await;
        }
        // Whoever may change permissions can take that away from itself.
        let root = app.user("root", &["admin"]).await;
        grant(&app, &root, "access-permissions", &["user"]).await;
        let back = changes(&[("access-permissions", &["admin"])]);
        post(&app, &root, UPDATE, &back).await.is(403, &not_permitted());
        post(&app, &mary, UPDATE, &back).await.ok();
        post(&app, &mary, UPDATE, &back).await.is(403, &not_permitted());
        post(&app, &root, UPDATE, &back).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_stays_a_guest_whatever_the_table_says() {
    const SETTING: &str = "/api/v1/settings/Livechat_title";
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let guest = app.user("guest", &["guest"]).await;
        let both = app.user("both", &["guest", "user"]).await;
        grant(&app, &admin, "view-privileged-setting", &["admin", "guest", "user"]).await;
        get(&app, &guest, SETTING).await.is(403, &not_permitted());
        get(&app, &both, SETTING).await.is(403, &not_permitted());
        get(&app, &guest, "/api/v1/users.list").await.ok();
        grant(&app, &admin, "view-d-room", &["admin"]).await;
        get(&app, &guest, "/api/v1/users.list").await.is(403, &not_permitted());
    }
}
