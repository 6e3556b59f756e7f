//! `POST users.create` and `POST users.delete`.

use serde_json::{Value, json};
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use super::*;
use crate::authentication::DIGEST;
use crate::support::{made_id, plain, rows, usual};

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_users() {
    let everything = json!({
        "username": "mary.major-7_x", "name": "Mary Major", "email": "Mary@Example.com", "password": PASSWORD, "active": true,
        "roles": ["user", "livechat-agent", "user"], "verified": true, "requirePasswordChange": true, "setRandomPassword": false,
        "statusText": "At lunch", "bio": "Sells shoes", "nickname": "May", "customFields": {"shift": {"late": true}},
        "joinDefaultChannels": true, "sendWelcomeEmail": false, "unknown": {"members": "are left alone"},
    });
    let as_made = json!({
        "name": "Mary Major", "emails": [{"address": "Mary@Example.com", "verified": true}], "requirePasswordChange": true,
        "roles": ["livechat-agent", "user"], "statusLivechat": "not-available", "statusText": "At lunch", "bio": "Sells shoes", "nickname": "May",
        "customFields": {"shift": {"late": true}},
    });
    let unverified = |name: &str| json!({"emails": [{"address": format!("{name}@example.com"), "verified": false}]});
    let with = |name: &str, others: Value| {
        let mut expected = unverified(name);
        merge(&mut expected, others);
        expected
    };
    let table = [
        (everything, "mary.major-7_x", as_made),
        (new_user("plain", json!({})), "plain", unverified("plain")),
        (new_user("digest", json!({"password": {"digest": DIGEST, "algorithm": "sha-256"}})), "digest", unverified("digest")),
        (new_user("off", json!({"active": false})), "off", with("off", json!({"active": false}))),
        (new_user("robot", json!({"roles": ["bot"]})), "robot", with("robot", json!({"roles": ["bot"], "type": "bot"}))),
        (new_user("both", json!({"roles": ["bot", "user"]})), "both", with("both", json!({"roles": ["bot", "user"]}))),
        (new_user("nothing", json!({"roles": []})), "nothing", with("nothing", json!({"roles": []}))),
        (new_user("boss", json!({"roles": ["admin"]})), "boss", with("boss", json!({"roles": ["admin"]}))),
        (
            new_user("lenient", json!({"verified": "true", "active": 1})),
            "lenient",
            json!({"emails": [{"address": "lenient@example.com", "verified": true}]}),
        ),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (body, username, others) in &table {
            let reply = post(&app, &admin, CREATE, body).await;
            let id = made_id(&reply.body["user"]["_id"]).to_owned();
            reply.is(200, &json!({"user": whole(&id, username, others.clone()), "success": true}));
            let expected = if *username == "off" { (401, json!("error-user-is-not-activated")) } else { (200, Value::Null) };
            assert_eq!(log_in(&app, username, PASSWORD).await, expected, "{username}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_random_password_is_known_to_nobody() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (name, others) in [("without", json!({"password": null})), ("with", json!({}))] {
            let mut body = new_user(name, others);
            body["setRandomPassword"] = json!(true);
            post(&app, &admin, CREATE, &body).await.ok();
            assert_eq!(log_in(&app, name, PASSWORD).await, (401, json!("Unauthorized")), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_cannot_be_are_not_made() {
    let missing = |name: &str| invalid(&format!("must have required property '{name}'"));
    let table = [
        (json!({"username": null}), missing("username")),
        (json!({"email": null}), missing("email")),
        (json!({"name": null}), missing("name")),
        (json!({"password": null}), missing("password")),
        (json!({"password": ""}), missing("password")),
        (json!({"password": "x".repeat(1_025)}), invalid("must be string")),
        (json!({"password": 12}), invalid("must be string")),
        (json!({"password": ["x"]}), invalid("must be string")),
        (json!({"password": {"algorithm": "sha-256"}}), invalid("must be string")),
        (json!({"username": ["x"]}), invalid("must be string")),
        (json!({"email": {"$ne": 1}}), invalid("must be string")),
        (json!({"roles": "admin"}), invalid("must be array")),
        (json!({"roles": [{}]}), invalid("must be string")),
        (json!({"active": "perhaps"}), invalid("must be boolean")),
        (json!({"customFields": "x"}), invalid("must be object")),
        (json!({"name": "x".repeat(1_025)}), invalid("must NOT have more than 1024 characters")),
        (json!({"username": "admin"}), in_use("admin")),
        (json!({"username": "ADMIN"}), in_use("ADMIN")),
        (json!({"username": "Rocket.Cat"}), in_use("Rocket.Cat")),
        (json!({"email": "admin@EXAMPLE.com"}), in_use("admin@EXAMPLE.com")),
        (json!({"username": "two words"}), no_username("two words")),
        (json!({"username": "<b>"}), no_username("<b>")),
        (json!({"username": ""}), no_username("")),
        (json!({"username": "All"}), no_username("All")),
        (json!({"email": "mary"}), no_email("mary")),
        (json!({"email": "mary@"}), no_email("mary@")),
        (json!({"roles": ["user", "nonsense"]}), not_allowed("The field Roles consist invalid role id")),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for (others, expected) in &table {
            let reply = post(&app, &admin, CREATE, &new_user("mary", others.clone())).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{others}");
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_make_users() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let body = new_user("mary", json!({}));
        app.post(CREATE, &body).await.is(401, &not_logged_in());
        for role in ["user", "bot", "livechat-agent", "livechat-manager", "guest"] {
            let login = app.user(&format!("{role}.1"), &[role]).await;
            post(&app, &login, CREATE, &body).await.is(400, &not_allowed("Adding user is not allowed"));
        }
        grant(&app, "create-user", &["livechat-manager"]).await;
        let manager = app.log_in("livechat-manager.1").await;
        post(&app, &manager, CREATE, &body).await.ok();
        post(&app, &manager, CREATE, &new_user("john", json!({"roles": ["user"]}))).await.ok();
        let admin = app.admin().await;
        post(&app, &admin, CREATE, &new_user("jane", json!({}))).await.is(400, &not_allowed("Adding user is not allowed"));

        let with = |roles: &[&str]| new_user("jane", json!({"roles": roles}));
        post(&app, &manager, CREATE, &with(&["bot"])).await.is(400, &not_allowed("Assigning roles is not allowed"));
        grant(&app, "assign-roles", &["livechat-manager"]).await;
        post(&app, &manager, CREATE, &with(&["admin"])).await.is(400, &not_allowed("Assigning admin is not allowed"));
        post(&app, &manager, CREATE, &with(&["bot"])).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_gone_with_its_tokens() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for number in 0..3 {
            let mary = app.user("mary", &["user", "livechat-agent"]).await;
            let token = personal_token(&app, &mary, "program").await;
            let body = match number {
                0 => json!({"userId": mary.user_id}),
                1 => json!({"username": "MARY", "confirmRelinquish": true}),
                _ => json!({"user": "mary"}),
            };
            post(&app, &admin, DELETE, &body).await.is(200, &json!({"deletedRooms": [], "success": true}));
            assert!(!counts(&app, &mary).await && !counts(&app, &token).await);
            assert_eq!(log_in(&app, "mary", PASSWORD).await, (401, json!("Unauthorized")));
            let resumed = app.post(crate::support::LOGIN, &json!({"resume": mary.token})).await;
            assert_eq!((resumed.status.as_u16(), &resumed.body["error"]), (401, &json!(403)));
            get(&app, &admin, &format!("{INFO}?userId={}", mary.user_id)).await.is(400, &plain("User not found."));
            post(&app, &admin, DELETE, &body).await.is(400, &nobody_found());
            let after = rows(&app).await;
            for table in ["users", "user_roles"] {
                assert_eq!(after[table].len(), before[table].len(), "{table}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_everybody_is_deleted() {
    let table = [
        (json!({}), nobody_named()),
        (json!({"userId": "", "username": " ", "user": ""}), nobody_named()),
        (json!({"userId": "nonsense"}), nobody_found()),
        (json!({"username": "nobody"}), nobody_found()),
        (json!({"userId": "nonsense", "username": "mary"}), nobody_found()),
        (json!({"userId": {"$ne": null}}), invalid("must be string")),
        (json!({"username": ["mary"]}), invalid("must be string")),
        (json!({"userId": "rocket.cat"}), not_allowed("Deleting the user of the server is not allowed")),
        (json!({"username": "admin"}), last_administrator()),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let mary = app.user("mary", &["user"]).await;
        let before = rows(&app).await;
        for (body, expected) in &table {
            let reply = post(&app, &admin, DELETE, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{body}");
        }
        for body in [json!({"userId": mary.user_id}), json!({"username": "admin"}), json!({})] {
            post(&app, &mary, DELETE, &body).await.is(403, &not_permitted());
            app.post(DELETE, &body).await.is(401, &not_logged_in());
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_is_off_is_none() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, second) = (app.admin().await, app.user("second", &["admin"]).await);
        post(&app, &admin, SET_ACTIVE, &json!({"userId": second.user_id, "activeStatus": false})).await.ok();
        post(&app, &admin, DELETE, &json!({"username": "admin"})).await.is(400, &last_administrator());
        post(&app, &admin, DELETE, &json!({"username": "second"})).await.ok();
        let third = app.user("third", &["admin"]).await;
        post(&app, &third, DELETE, &json!({"username": "admin"})).await.ok();
        assert!(!counts(&app, &admin).await);
        post(&app, &third, DELETE, &json!({"username": "third"})).await.is(400, &last_administrator());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_delete_users_does() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, mary) = (app.user("manager", &["livechat-manager"]).await, app.user("mary", &["user"]).await);
        let body = json!({"userId": mary.user_id});
        post(&app, &manager, DELETE, &body).await.is(403, &not_permitted());
        grant(&app, "delete-user", &["livechat-manager"]).await;
        post(&app, &manager, DELETE, &body).await.ok();
        let admin = app.admin().await;
        post(&app, &admin, DELETE, &json!({"userId": manager.user_id})).await.is(403, &not_permitted());
    }
}
