//! Making, changing and deleting roles.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::Setup;
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use super::{CREATE, DELETE, UPDATE, all_built_in, answer, built_in, create, no_role, not_allowed, roles};
use crate::permissions::{get, grant, not_logged_in, not_permitted, permission, post};
use crate::support::{coded, made_id, plain, rows};

/// What is answered to a name that another role has.
fn taken() -> Value {
    let code = "error-duplicate-role-names-not-allowed";
    coded(&format!("Role name already exists [{code}]"), code)
}

/// What is wrong with the description of a role, apart from those that it has to have: a body to add to, and what is answered.
fn wrong_roles() -> Vec<(Value, Value)> {
    let schema = |error: &str| coded(error, "invalid-params");
    let impossible = plain("error-invalid-role-properties");
    vec![
        (json!({"name": ["clerk"]}), schema("must be string")),
        (json!({"name": {"$ne": ""}}), schema("must be string")),
        (json!({"name": "a\u{0}"}), schema("must NOT contain the NUL character")),
        (json!({"name": "x".repeat(1_025)}), schema("must NOT have more than 1024 characters")),
        (json!({"name": "clerk", "description": {}}), schema("must be string")),
        (json!({"name": "clerk", "scope": "Rooms"}), schema("must be equal to one of the allowed values")),
        (json!({"name": "clerk", "scope": "users"}), schema("must be equal to one of the allowed values")),
        (json!({"name": "clerk", "mandatory2fa": "yes"}), schema("must be boolean")),
        (json!({"name": ""}), impossible.clone()),
        (json!({"name": " "}), impossible.clone()),
        (json!({"name": null}), impossible.clone()),
        (json!({"name": "one,two"}), impossible.clone()),
        (json!({"name": "x".repeat(129)}), impossible),
        (json!({"name": "admin"}), taken()),
        (json!({"name": "owner", "scope": "Subscriptions"}), taken()),
        (json!({"name": "baker"}), taken()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_can_be_made() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        app.advance(Duration::from_secs(1));
        let clerk = post(&app, &admin, CREATE, &json!({"name": "clerk", "other": 1})).await;
        let role = |id: &Value, name: &str, description: &str, scope: &str, needs_second_factor: bool| {
            json!({
                "_id": id,
                "name": name,
                "description": description,
                "scope": scope,
                "protected": false,
                "mandatory2fa": needs_second_factor,
                "_updatedAt": "2024-01-31T12:00:01.000Z",
            })
        };
        let id = clerk.body["role"]["_id"].clone();
        made_id(&id);
        clerk.is(200, &answer(&role(&id, "clerk", "", "Users", false)));

        let body = json!({"name": "Baker & Söhne", "description": "Bakes", "scope": "Subscriptions", "mandatory2fa": true});
        let baker = post(&app, &admin, CREATE, &body).await;
        let other = baker.body["role"]["_id"].clone();
        assert_ne!(made_id(&other), made_id(&id));
        baker.is(200, &answer(&role(&other, "Baker & Söhne", "Bakes", "Subscriptions", true)));
        let longest = json!({"name": "x".repeat(128)});
        assert_eq!(create(&app, &admin, longest.clone()).await["name"], longest["name"]);

        let known = roles(&app, &admin).await;
        assert_eq!(known.len(), all_built_in().len() + 3);
        assert!(known.contains(&clerk.body["role"]) && known.contains(&baker.body["role"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_cannot_be_are_not_made() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let baker = create(&app, &admin, json!({"name": "baker"})).await;
        let before = rows(&app).await;
        let missing = coded("must have required property 'name'", "invalid-params");
        post(&app, &admin, CREATE, &json!({})).await.is(400, &missing);
        post(&app, &admin, CREATE, &json!({"name": baker["_id"]})).await.is(400, &taken());
        for (body, answer) in wrong_roles() {
            let reply = post(&app, &admin, CREATE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &answer), "{body}");
        }
        let good = json!({"name": "clerk"});
        post(&app, &mary, CREATE, &good).await.is(400, &not_allowed("Accessing permissions is not allowed"));
        app.post(CREATE, &good).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before, "nothing is written");
        create(&app, &admin, good.clone()).await;
        post(&app, &admin, CREATE, &good).await.is(400, &taken());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_can_be_changed() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let body = json!({"name": "clerk", "description": "Counts", "scope": "Subscriptions", "mandatory2fa": true});
        let mut clerk = create(&app, &admin, body).await;
        app.advance(Duration::from_secs(1));
        clerk["_updatedAt"] = json!("2024-01-31T12:00:01.000Z");
        for (change, member) in [
            (json!({"name": "cashier"}), "name"),
            (json!({"name": "cashier", "description": ""}), "description"),
            (json!({"name": "cashier", "scope": "Users"}), "scope"),
            (json!({"name": "cashier", "mandatory2fa": false}), "mandatory2fa"),
            (json!({"name": "cashier", "other": 1}), "name"),
        ] {
            let mut body = change.clone();
            body["roleId"] = clerk["_id"].clone();
            clerk[member] = change[member].clone();
            post(&app, &admin, UPDATE, &body).await.is(200, &answer(&clerk));
            assert!(roles(&app, &admin).await.contains(&clerk), "what is not named stays");
        }
        // The name that was given up is free.
        create(&app, &admin, json!({"name": "clerk"})).await;

        // What every server has can be described otherwise.
        let mut agent = built_in("livechat-agent");
        agent["_updatedAt"] = json!("2024-01-31T12:00:01.000Z");
        agent["description"] = json!("Talks");
        agent["mandatory2fa"] = json!(true);
        let body = json!({"roleId": "livechat-agent", "name": "livechat-agent", "scope": "Users", "description": "Talks",
            "mandatory2fa": true});
        post(&app, &admin, UPDATE, &body).await.is(200, &answer(&agent));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_not_made_of_a_role() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        create(&app, &admin, json!({"name": "baker"})).await;
        let clerk = create(&app, &admin, json!({"name": "clerk"})).await["_id"].clone();
        let before = rows(&app).await;
        for (body, error) in [
            (json!({"name": "x"}), "must have required property 'roleId'"),
            (json!({"roleId": clerk}), "must have required property 'name'"),
            (json!({"roleId": [clerk], "name": "x"}), "must be string"),
        ] {
            post(&app, &admin, UPDATE, &body).await.is(400, &coded(error, "invalid-params"));
        }
        for (mut body, answer) in wrong_roles() {
            body["roleId"] = clerk.clone();
            let reply = post(&app, &admin, UPDATE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &answer), "{body}");
        }
        for unknown in ["", "unknown", "Admin"] {
            post(&app, &admin, UPDATE, &json!({"roleId": unknown, "name": "x"})).await.is(400, &no_role());
        }
        let fixed = coded("Role is protected [error-role-protected]", "error-role-protected");
        for body in [json!({"name": "root"}), json!({"name": "admin", "scope": "Subscriptions"})] {
            let mut body = body;
            body["roleId"] = json!("admin");
            post(&app, &admin, UPDATE, &body).await.is(400, &fixed);
        }
        let good = json!({"roleId": clerk, "name": "cashier"});
        post(&app, &mary, UPDATE, &good).await.is(400, &not_allowed("Accessing permissions is not allowed"));
        app.post(UPDATE, &good).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before, "nothing is written");
        post(&app, &admin, UPDATE, &good).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_nobody_holds_can_be_deleted() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let clerk = create(&app, &admin, json!({"name": "clerk"})).await["_id"].clone();
        let id = made_id(&clerk);
        let body = json!({"roleId": id});
        grant(&app, &admin, "view-l-room", &["admin", id]).await;
        grant(&app, &admin, "view-privileged-setting", &["admin", id]).await;
        let john = app.user("john", &["user", id]).await;

        let before = rows(&app).await;
        let missing = coded("must have required property 'roleId'", "invalid-params");
        post(&app, &admin, DELETE, &json!({})).await.is(400, &missing);
        for unknown in ["", "unknown", "Admin"] {
            post(&app, &admin, DELETE, &json!({"roleId": unknown})).await.is(400, &no_role());
        }
        let fixed = coded("Cannot delete a protected role [error-role-protected]", "error-role-protected");
        for every_server_has in ["admin", "user", "livechat-monitor", "leader"] {
            post(&app, &admin, DELETE, &json!({"roleId": every_server_has})).await.is(400, &fixed);
        }
        let held = coded("Cannot delete role because it's in use [error-role-in-use]", "error-role-in-use");
        post(&app, &admin, DELETE, &body).await.is(400, &held);
        post(&app, &mary, DELETE, &body).await.is(403, &not_permitted());
        post(&app, &mary, DELETE, &json!({})).await.is(403, &not_permitted());
        app.post(DELETE, &body).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before, "nothing is written");
        get(&app, &john, "/api/v1/settings/Livechat_title").await.ok();

        app.advance(Duration::from_secs(1));
        let leave = json!({"username": "john", "roleId": id});
        post(&app, &admin, "/api/v1/roles.removeUserFromRole", &leave).await.ok();
        get(&app, &john, "/api/v1/settings/Livechat_title").await.is(403, &not_permitted());
        post(&app, &admin, DELETE, &body).await.is(200, &json!({"success": true}));
        post(&app, &admin, DELETE, &body).await.is(400, &no_role());
        for permission_id in ["view-l-room", "view-privileged-setting"] {
            let expected = json!({"_id": permission_id, "roles": ["admin"], "_updatedAt": "2024-01-31T12:00:01.000Z"});
            assert_eq!(permission(&app, &admin, permission_id).await, expected, "the role is out of the permissions as well");
        }
        assert_eq!(roles(&app, &admin).await, all_built_in());
        let invalid = coded("Invalid role", "error-invalid-role");
        let again = json!({"permissions": [{"_id": "view-l-room", "roles": [id]}]});
        post(&app, &admin, "/api/v1/permissions.update", &again).await.is(400, &invalid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_made_is_as_good_as_any() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let clerk = create(&app, &admin, json!({"name": "clerk"})).await["_id"].clone();
        let body = json!({"username": "john", "name": "John", "email": "john@example.com", "password": PASSWORD, "roles": [clerk]});
        let user = post(&app, &admin, "/api/v1/users.create", &body).await.ok()["user"].clone();
        assert_eq!(user["roles"], json!([clerk]));
        let john = app.log_in("john").await;
        get(&app, &john, "/api/v1/settings/Livechat_title").await.is(403, &not_permitted());
        grant(&app, &admin, "view-privileged-setting", &[made_id(&clerk)]).await;
        get(&app, &john, "/api/v1/settings/Livechat_title").await.ok();
        get(&app, &admin, "/api/v1/settings/Livechat_title").await.is(403, &not_permitted());

        let invalid = not_allowed("The field Roles consist invalid role id");
        let mut unknown = body.clone();
        (unknown["username"], unknown["email"], unknown["roles"]) = (json!("jane"), json!("jane@example.com"), json!(["unknown"]));
        post(&app, &admin, "/api/v1/users.create", &unknown).await.is(400, &invalid);
    }
}
