//! `POST users.update` and `POST users.setActiveStatus`.

use serde_json::{Value, json};
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use super::*;
use crate::authentication::DIGEST;
use crate::support::{rows, usual};

fn update(user_id: &str, data: Value) -> Value {
    json!({"userId": user_id, "data": data})
}

/// A refusal to change somebody.
fn no_editing() -> Value {
    not_allowed("Editing user is not allowed")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_changes_one_thing_and_nothing_else() {
    let address = |address: &str, verified: bool| json!({"emails": [{"address": address, "verified": verified}]});
    let table = [
        (json!({"username": "may"}), json!({"username": "may"})),
        (json!({"username": "MARY"}), json!({"username": "MARY"})),
        (json!({"name": "Mary Major"}), json!({"name": "Mary Major"})),
        (json!({"email": "may@example.com"}), address("may@example.com", false)),
        (json!({"email": "may@example.com", "verified": true}), address("may@example.com", true)),
        (json!({"email": "mary@example.com"}), json!({})),
        (json!({"verified": false}), address("mary@example.com", false)),
        (json!({"nickname": "May"}), json!({"nickname": "May"})),
        (json!({"bio": "Sells shoes"}), json!({"bio": "Sells shoes"})),
        (json!({"statusText": "  At lunch "}), json!({"statusText": "At lunch"})),
        (json!({"statusText": "ä".repeat(121)}), json!({"statusText": "ä".repeat(120)})),
        (json!({"requirePasswordChange": true}), json!({"requirePasswordChange": true})),
        (
            json!({"roles": ["user", "livechat-agent", "user"]}),
            json!({"roles": ["livechat-agent", "user"], "statusLivechat": "not-available"}),
        ),
        (json!({"roles": []}), json!({"roles": []})),
        (json!({"active": false}), json!({"active": false})),
        (json!({"customFields": {"shift": "late"}}), json!({"customFields": {"shift": "late"}})),
        (json!({"username": "", "name": " ", "email": "", "password": ""}), json!({})),
        (json!({"unknown": 1, "type": "bot", "_id": "x", "createdAt": 0}), json!({})),
        (json!({}), json!({})),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (data, others) in &table {
            let mary = app.user("mary", &["user"]).await;
            let mut expected = whole(&mary.user_id, "mary", json!({"lastLogin": "2024-01-31T12:00:00.000Z"}));
            merge(&mut expected, others.clone());
            let reply = post(&app, &admin, UPDATE, &update(&mary.user_id, data.clone())).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({"user": expected, "success": true})), "{data}");
            let seen = get(&app, &admin, &format!("{INFO}?userId={}", mary.user_id)).await.ok()["user"].clone();
            expected["canViewAllInfo"] = json!(true);
            assert_eq!(seen, expected, "{data}");
            post(&app, &admin, DELETE, &json!({"userId": mary.user_id})).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_added_to_those_there_are() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        for (added, all) in [
            (json!({"a": 1, "b": [2]}), json!({"a": 1, "b": [2]})),
            (json!({"b": 3, "c": {"d": null}}), json!({"a": 1, "b": 3, "c": {"d": null}})),
        ] {
            let answer = post(&app, &admin, UPDATE, &update(&mary.user_id, json!({"customFields": added}))).await.ok();
            assert_eq!(answer["user"]["customFields"], all);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_not_changed() {
    let table = [
        (json!({"username": "admin"}), in_use("admin")),
        (json!({"username": "ADMIN"}), in_use("ADMIN")),
        (json!({"email": "ADMIN@example.com"}), in_use("ADMIN@example.com")),
        (json!({"username": "two words"}), no_username("two words")),
        (json!({"email": "mary"}), no_email("mary")),
        (json!({"roles": ["user", "nonsense"]}), not_allowed("The field Roles consist invalid role id")),
        (json!({"roles": "user"}), invalid("must be array")),
        (json!({"name": ["x"]}), invalid("must be string")),
        (json!({"active": "perhaps"}), invalid("must be boolean")),
        (json!({"password": 12}), invalid("must be string")),
        (json!({"password": {"$ne": ""}}), invalid("must be string")),
        (json!("x"), invalid("must be object")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let before = rows(&app).await;
        for (data, expected) in &table {
            let reply = post(&app, &admin, UPDATE, &update(&mary.user_id, data.clone())).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{data}");
        }
        for (body, expected) in [
            (json!({"data": {}}), invalid("must have required property 'userId'")),
            (json!({"userId": mary.user_id}), invalid("must have required property 'data'")),
            (update("nonsense", json!({"name": "x"})), nobody_found()),
            (update("mary", json!({"name": "x"})), nobody_found()),
        ] {
            post(&app, &admin, UPDATE, &body).await.is(400, &expected);
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_logins_of_its_user() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let token = personal_token(&app, &mary, "program").await;
        post(&app, &admin, UPDATE, &update(&mary.user_id, json!({"password": "another one"}))).await.ok();
        assert!(!counts(&app, &mary).await && counts(&app, &token).await && counts(&app, &admin).await);
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (401, json!("Unauthorized")));
        assert_eq!(log_in(&app, "mary", "another one").await, (200, Value::Null));
        let digest = json!({"password": {"digest": DIGEST, "algorithm": "sha-256"}});
        post(&app, &admin, UPDATE, &update(&mary.user_id, digest)).await.ok();
        assert_eq!(log_in(&app, "mary", PASSWORD).await, (200, Value::Null));

        let second = app.admin().await;
        post(&app, &admin, UPDATE, &update(&admin.user_id, json!({"password": "another one"}))).await.ok();
        assert!(counts(&app, &admin).await && !counts(&app, &second).await, "the login that changed it goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_in_force_for_the_next_request() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let (make, body) = (|roles: &[&str]| update(&mary.user_id, json!({"roles": roles})), new_user("john", json!({})));
        post(&app, &mary, CREATE, &body).await.is(400, &not_allowed("Adding user is not allowed"));
        post(&app, &admin, UPDATE, &make(&["admin"])).await.ok();
        post(&app, &mary, CREATE, &body).await.ok();
        post(&app, &admin, UPDATE, &make(&["user"])).await.ok();
        post(&app, &mary, CREATE, &new_user("jane", json!({}))).await.is(400, &not_allowed("Adding user is not allowed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays_one() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for data in [json!({"roles": ["user"]}), json!({"roles": []}), json!({"active": false})] {
            post(&app, &admin, UPDATE, &update(&admin.user_id, data)).await.is(400, &last_administrator());
        }
        let off = json!({"userId": admin.user_id, "activeStatus": false});
        post(&app, &admin, SET_ACTIVE, &off).await.is(400, &last_administrator());
        assert_eq!(rows(&app).await, before);
        let second = app.user("second", &["admin"]).await;
        post(&app, &second, UPDATE, &update(&admin.user_id, json!({"roles": ["user"]}))).await.ok();
        post(&app, &second, SET_ACTIVE, &off).await.ok();
        let off = json!({"userId": second.user_id, "activeStatus": false});
        post(&app, &second, SET_ACTIVE, &off).await.is(400, &last_administrator());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_needs_its_permission() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let change = |data: Value| update(&mary.user_id, data);
        app.post(UPDATE, &change(json!({"name": "x"}))).await.is(401, &not_logged_in());
        for role in ["user", "bot", "livechat-agent", "livechat-manager"] {
            let login = app.user(&format!("{role}.1"), &[role]).await;
            post(&app, &login, UPDATE, &change(json!({"name": "x"}))).await.is(400, &no_editing());
            post(&app, &login, UPDATE, &update(&login.user_id, json!({"roles": ["admin"]}))).await.is(400, &no_editing());
            post(&app, &login, UPDATE, &update("nonsense", json!({}))).await.is(400, &no_editing());
        }
        let manager = app.log_in("livechat-manager.1").await;
        grant(&app, "edit-other-user-info", &["livechat-manager", "admin"]).await;
        post(&app, &manager, UPDATE, &change(json!({"name": "x"}))).await.ok();
        for (data, refused, permission) in [
            (json!({"password": "another one"}), no_editing(), "edit-other-user-password"),
            (json!({"active": false}), no_editing(), "edit-other-user-active-status"),
            (json!({"roles": ["bot"]}), not_allowed("Assigning roles is not allowed"), "assign-roles"),
            (json!({"roles": ["bot", "admin"]}), not_allowed("Assigning admin is not allowed"), "assign-admin-role"),
            (json!({"roles": ["bot"]}), not_allowed("Assigning admin is not allowed"), ""),
        ] {
            if permission.is_empty() {
                grant(&app, "assign-admin-role", &["admin"]).await;
                post(&app, &manager, UPDATE, &change(data)).await.is(400, &refused);
                continue;
            }
            post(&app, &manager, UPDATE, &change(data.clone())).await.is(400, &refused);
            grant(&app, permission, &["livechat-manager", "admin"]).await;
            post(&app, &manager, UPDATE, &change(data)).await.ok();
        }
        // Roles that stay as they are need no permission.
        grant(&app, "assign-roles", &["admin"]).await;
        post(&app, &manager, UPDATE, &change(json!({"roles": ["admin", "bot"], "name": "y"}))).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_user_is_out_at_once() {
    for by_update in [false, true] {
        for engine in Engine::all() {
            let app = usual().start(&engine).await;
            let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-agent"]).await);
            let token = personal_token(&app, &mary, "program").await;
            post(&app, &mary, "/api/v1/users.setStatus", &json!({"status": "online"})).await.ok();
            let switch = async |active: bool| {
                if by_update {
                    let answer = post(&app, &admin, UPDATE, &update(&mary.user_id, json!({"active": active}))).await.ok();
                    assert_eq!(answer["user"]["active"], active);
                } else {
                    let body = json!({"userId": mary.user_id, "activeStatus": active, "confirmRelinquish": true});
                    let expected = json!({"user": {"_id": mary.user_id, "active": active}, "success": true});
                    post(&app, &admin, SET_ACTIVE, &body).await.is(200, &expected);
                }
            };
            switch(false).await;
            get(&app, &mary, ME).await.is(401, &not_logged_in());
            assert!(!counts(&app, &token).await, "personal tokens die as well");
            assert_eq!(log_in(&app, "mary", PASSWORD).await, (401, json!("error-user-is-not-activated")));
            assert_eq!(log_in(&app, "mary", "wrong").await, (401, json!("Unauthorized")));
            let resumed = app.post(crate::support::LOGIN, &json!({"resume": mary.token})).await;
            assert_eq!((resumed.status.as_u16(), &resumed.body["error"]), (401, &json!(403)));
            let code = "error-user-is-not-activated";
            let refused = coded(&format!("User is not activated [{code}]"), code);
            post(&app, &admin, "/api/v1/users.createToken", &json!({"userId": mary.user_id})).await.is(400, &refused);
            let seen = get(&app, &admin, &format!("{INFO}?userId={}", mary.user_id)).await.ok()["user"].clone();
            assert_eq!((&seen["active"], &seen["status"]), (&json!(false), &json!("offline")));

            switch(true).await;
            assert!(!counts(&app, &mary).await && !counts(&app, &token).await, "what has ended does not begin again");
            assert_eq!(log_in(&app, "mary", PASSWORD).await, (200, Value::Null));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_everybody_is_deactivated() {
    let table = [
        (json!({"activeStatus": false}), invalid("must have required property 'userId'")),
        (json!({"userId": "x"}), invalid("must have required property 'activeStatus'")),
        (json!({"userId": "x", "activeStatus": "perhaps"}), invalid("must be boolean")),
        (json!({"userId": ["x"], "activeStatus": false}), invalid("must be string")),
        (json!({"userId": "nonsense", "activeStatus": false}), nobody_found()),
        (json!({"userId": "mary", "activeStatus": false}), nobody_found()),
        (json!({"userId": "rocket.cat", "activeStatus": false}), not_allowed("Editing the user of the server is not allowed")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let before = rows(&app).await;
        for (body, expected) in &table {
            post(&app, &admin, SET_ACTIVE, body).await.is(400, expected);
        }
        post(&app, &admin, UPDATE, &update("rocket.cat", json!({"active": false})))
            .await
            .is(400, &not_allowed("Editing the user of the server is not allowed"));
        let body = json!({"userId": mary.user_id, "activeStatus": false});
        post(&app, &mary, SET_ACTIVE, &body).await.is(403, &not_permitted());
        app.post(SET_ACTIVE, &body).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before);
        for permission in ["edit-other-user-active-status", "manage-moderation-actions"] {
            let manager = app.user(&format!("manager-{permission}"), &["livechat-manager"]).await;
            post(&app, &manager, SET_ACTIVE, &body).await.is(403, &not_permitted());
            grant(&app, permission, &["livechat-manager"]).await;
            post(&app, &manager, SET_ACTIVE, &body).await.ok();
            grant(&app, permission, &["admin"]).await;
        }
    }
}
