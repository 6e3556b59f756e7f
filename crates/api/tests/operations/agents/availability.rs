//! Whether an agent takes chats: as it says so, and as it follows from what becomes of its account.

use std::time::Duration;

use serde_json::{Value, json};
use usher_domain::user::Availability;
use usher_testkit::TestApp;
use usher_testkit::application::{Login, PASSWORD};
use usher_testkit::clock::START;
use usher_testkit::engines::Engine;

use super::{STATUS, sessions, stored_user};
use crate::omnichannel_users::{delete, make_agent, somebody};
use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::requests::insert_department;
use crate::support::{coded, column, plain, rows, usual};

const ROLES: &[&str] = &["livechat-agent", "user"];

/// What is answered to a change that went well.
fn is_now(status: &str) -> Value {
    json!({"status": status, "success": true})
}

/// Whether an agent takes chats, and whether the server said so.
async fn state(app: &TestApp, id: &str) -> (Option<&'static str>, bool) {
    let user = stored_user(app, id).await;
    (user.availability.map(Availability::name), user.unavailable_by_system)
}

/// Says whether somebody is there.
async fn be(app: &TestApp, login: &Login, status: &str) {
    post(app, login, "/api/v1/users.setStatus", &json!({"status": status})).await.ok();
}

async fn second(app: &TestApp) {
    app.advance(Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_say_whether_they_take_chats() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = somebody(&app, "mary", ROLES).await;
        post(&app, &mary, STATUS, &json!({"status": "available"})).await.is(200, &is_now("available"));
        assert_eq!(state(&app, "mary").await, (Some("available"), false));
        let before = rows(&app).await;
        post(&app, &mary, STATUS, &json!({"status": "available"})).await.is(200, &is_now("available"));
        assert_eq!(rows(&app).await, before, "what was so already is not written");
        post(&app, &mary, STATUS, &json!({})).await.is(200, &is_now("not-available"));
        post(&app, &mary, STATUS, &json!({"agentId": "mary"})).await.is(200, &is_now("available"));
        let me = get(&app, &mary, "/api/v1/me").await.ok();
        assert_eq!(me["statusLivechat"], "available");
        let info = get(&app, &mary, "/api/v1/users.info?userId=mary").await.ok();
        assert_eq!(info["user"]["statusLivechat"], "available");
        post(&app, &mary, STATUS, &json!({"status": "not-available"})).await.is(200, &is_now("not-available"));
        assert_eq!(state(&app, "mary").await, (Some("not-available"), false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_say_it_for_them() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = somebody(&app, "mary", ROLES).await;
        let adam = somebody(&app, "adam", ROLES).await;
        let boss = somebody(&app, "boss", &["livechat-manager", "user"]).await;
        let body = json!({"agentId": "adam", "status": "available"});
        post(&app, &boss, STATUS, &body).await.is(200, &is_now("available"));
        post(&app, &boss, STATUS, &json!({"agentId": "adam"})).await.is(200, &is_now("not-available"));
        let before = rows(&app).await;
        post(&app, &mary, STATUS, &body).await.is(403, &plain("unauthorized"));
        // Whoever wants what is so already is told so.
        let same = json!({"agentId": "adam", "status": "not-available"});
        post(&app, &mary, STATUS, &same).await.is(200, &is_now("not-available"));
        assert_eq!(rows(&app).await, before);
        post(&app, &adam, STATUS, &body).await.is(200, &is_now("available"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_everybody_takes_chats() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let (user, boss) = (somebody(&app, "user", &["user"]).await, somebody(&app, "boss", &["livechat-manager"]).await);
        somebody(&app, "gone", ROLES).await;
        post(&app, &admin, "/api/v1/users.setActiveStatus", &json!({"userId": "gone", "activeStatus": false})).await.ok();
        let before = rows(&app).await;
        app.post(STATUS, &json!({})).await.is(401, &not_logged_in());
        post(&app, &user, STATUS, &json!({})).await.is(403, &not_permitted());
        for (body, status, text) in [
            (json!({}), 404, "Agent not found"),
            (json!({"agentId": "boss", "status": "available"}), 404, "Agent not found"),
            (json!({"agentId": "nobody"}), 404, "Agent not found"),
            (json!({"agentId": "gone", "status": "available"}), 400, "error-user-deactivated"),
        ] {
            post(&app, &boss, STATUS, &body).await.is(status, &plain(text));
        }
        for (body, error) in [
            (json!({"status": "away"}), "must be equal to one of the allowed values"),
            (json!({"status": ["available"]}), "must be string"),
            (json!({"agentId": {}}), "must be string"),
            (json!({"other": 1}), "must NOT have additional properties"),
        ] {
            let answer = coded(&format!("{error} [invalid-params]"), "invalid-params");
            post(&app, &boss, STATUS, &body).await.is(400, &answer);
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_and_takes_chats_is_in_service() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = somebody(&app, "mary", ROLES).await;
        post(&app, &mary, STATUS, &json!({"status": "available"})).await.ok();
        assert_eq!(sessions(&app, "mary").await, [], "she is not there");
        second(&app).await;
        be(&app, &mary, "online").await;
        second(&app).await;
        be(&app, &mary, "away").await;
        assert_eq!(sessions(&app, "mary").await, [(START + 1_000, None)], "it goes on");
        be(&app, &mary, "offline").await;
        let first = (START + 1_000, Some(START + 2_000));
        assert_eq!(sessions(&app, "mary").await, [first]);
        be(&app, &mary, "offline").await;
        second(&app).await;
        be(&app, &mary, "busy").await;
        second(&app).await;
        post(&app, &mary, STATUS, &json!({"status": "not-available"})).await.ok();
        let then = (START + 3_000, Some(START + 4_000));
        assert_eq!(sessions(&app, "mary").await, [first, then]);
        // Within the same moment it begins and ends and begins again.
        for status in ["available", "not-available", "available"] {
            post(&app, &mary, STATUS, &json!({"status": status})).await.ok();
        }
        assert_eq!(sessions(&app, "mary").await, [first, then, (START + 4_000, None)]);
    }
}

/// Makes an agent with a password who is there and takes chats.
async fn in_service(app: &TestApp, username: &str, roles: &[&str]) -> Login {
    let login = app.user(username, roles).await;
    be(app, &login, "online").await;
    post(app, &login, STATUS, &json!({"status": "available"})).await.ok();
    login
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_takes_no_chats_until_it_is_back() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = in_service(&app, "mary", ROLES).await;
        second(&app).await;
        post(&app, &mary, "/api/v1/logout", &json!({})).await.ok();
        assert_eq!(state(&app, &mary.user_id).await, (Some("not-available"), true));
        assert_eq!(sessions(&app, &mary.user_id).await, [(START, Some(START + 1_000))]);
        second(&app).await;
        let mary = app.log_in("mary").await;
        assert_eq!(state(&app, &mary.user_id).await, (Some("available"), false));
        assert_eq!(sessions(&app, &mary.user_id).await, [(START, Some(START + 1_000)), (START + 2_000, None)]);

        // Who said itself that it takes none stays so.
        post(&app, &mary, STATUS, &json!({"status": "not-available"})).await.ok();
        let again = app.log_in("mary").await;
        assert_eq!(state(&app, &again.user_id).await, (Some("not-available"), false));
        // Who does not want to be seen is not back.
        post(&app, &again, STATUS, &json!({"status": "available"})).await.ok();
        be(&app, &again, "offline").await;
        post(&app, &again, "/api/v1/logout", &json!({})).await.ok();
        let hidden = app.log_in("mary").await;
        assert_eq!(state(&app, &hidden.user_id).await, (Some("not-available"), true));
        be(&app, &hidden, "online").await;
        app.log_in("mary").await;
        assert_eq!(state(&app, &hidden.user_id).await, (Some("available"), false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_login_brings_an_agent_back_as_well() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let mary = in_service(&app, "mary", ROLES).await;
        let other = app.log_in("mary").await;
        post(&app, &mary, "/api/v1/logout", &json!({})).await.ok();
        // Somebody else's login for her is not she.
        post(&app, &admin, "/api/v1/users.createToken", &json!({"userId": mary.user_id})).await.ok();
        assert_eq!(state(&app, &mary.user_id).await, (Some("not-available"), true));
        let resumed = app.post("/api/v1/login", &json!({"resume": other.token})).await.ok();
        assert_eq!(resumed["data"]["me"]["statusLivechat"], "available");
        assert_eq!(state(&app, &mary.user_id).await, (Some("available"), false));

        post(&app, &admin, "/api/v1/users.logout", &json!({"userId": mary.user_id})).await.ok();
        assert_eq!(state(&app, &mary.user_id).await, (Some("not-available"), true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_take_chats_without_a_login() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let robot = in_service(&app, "robot", &["bot", "livechat-agent", "user"]).await;
        post(&app, &robot, "/api/v1/logout", &json!({})).await.ok();
        assert_eq!(state(&app, &robot.user_id).await, (Some("available"), false));
        let mary = app.user("mary", &["user"]).await;
        post(&app, &mary, "/api/v1/logout", &json!({})).await.ok();
        assert_eq!(state(&app, &mary.user_id).await, (None, false), "she is no agent at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_makes_an_agent_wherever_it_comes_from() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let body = json!({"username": "new", "name": "New", "email": "new@example.com", "password": PASSWORD, "roles": ROLES});
        let new = post(&app, &admin, "/api/v1/users.create", &body).await.ok()["user"].clone();
        assert_eq!(new["statusLivechat"], "not-available", "nobody who is new is there");

        let (there, away) = (app.user("there", &["user"]).await, app.user("away", &["user"]).await);
        be(&app, &there, "busy").await;
        for (login, expected) in [(&there, "available"), (&away, "not-available")] {
            let body = json!({"userId": login.user_id, "data": {"roles": ROLES}});
            let changed = post(&app, &admin, "/api/v1/users.update", &body).await.ok();
            assert_eq!(changed["user"]["statusLivechat"], expected);
            assert_eq!(state(&app, &login.user_id).await, (Some(expected), false));
            let body = json!({"userId": login.user_id, "data": {"roles": ["user"]}});
            let changed = post(&app, &admin, "/api/v1/users.update", &body).await.ok();
            assert!(changed["user"].get("statusLivechat").is_none());
            assert_eq!(state(&app, &login.user_id).await, (None, false));

            let name = if expected == "available" { "there" } else { "away" };
            let body = json!({"username": name, "roleId": "livechat-agent"});
            post(&app, &admin, "/api/v1/roles.addUserToRole", &body).await.ok();
            assert_eq!(state(&app, &login.user_id).await, (Some(expected), false));
            post(&app, &admin, "/api/v1/roles.removeUserFromRole", &body).await.ok();
            assert_eq!(state(&app, &login.user_id).await, (None, false));
            // Other roles make no difference.
            let body = json!({"username": name, "roleId": "livechat-manager"});
            post(&app, &admin, "/api/v1/roles.addUserToRole", &body).await.ok();
            assert_eq!(state(&app, &login.user_id).await, (None, false));
        }
        assert_eq!(sessions(&app, &there.user_id).await, [(START, Some(START))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_role_by_editing_leaves_its_departments() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        insert_department(&app, "sales").await;
        for (name, path, body) in [
            ("mary", "/api/v1/users.update", json!({"userId": "mary", "data": {"roles": ["user"]}})),
            ("adam", "/api/v1/roles.removeUserFromRole", json!({"username": "adam", "roleId": "livechat-agent"})),
        ] {
            somebody(&app, name, &["user"]).await;
            make_agent(&app, &admin, name).await;
            super::put_into(&app, &admin, name, &["sales"]).await;
            assert_eq!(super::places(&app).await.len(), 1);
            post(&app, &admin, path, &body).await.ok();
            assert_eq!(super::places(&app).await, [""; 0]);
            assert_eq!(column(&app, "SELECT CAST(agent_count AS TEXT) FROM departments").await, ["0"]);
            assert_eq!(stored_user(&app, name).await.agent_data, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_log_in_takes_no_chats() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let mary = in_service(&app, "mary", ROLES).await;
        second(&app).await;
        for active in [false, true] {
            let body = json!({"userId": mary.user_id, "activeStatus": active});
            post(&app, &admin, "/api/v1/users.setActiveStatus", &body).await.ok();
            assert_eq!(state(&app, &mary.user_id).await, (Some("not-available"), false));
        }
        assert_eq!(sessions(&app, &mary.user_id).await, [(START, Some(START + 1_000))]);

        let adam = in_service(&app, "adam", ROLES).await;
        let body = json!({"userId": adam.user_id, "data": {"active": false}});
        post(&app, &admin, "/api/v1/users.update", &body).await.ok();
        assert_eq!(state(&app, &adam.user_id).await, (Some("not-available"), false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_agent_outlives_its_account() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let mary = in_service(&app, "mary", ROLES).await;
        insert_department(&app, "sales").await;
        super::put_into(&app, &admin, &mary.user_id, &["sales"]).await;
        assert!(rows(&app).await.values().flatten().any(|row| row.contains(&mary.user_id)));
        post(&app, &admin, "/api/v1/users.delete", &json!({"userId": mary.user_id})).await.ok();
        let left: Vec<_> = rows(&app).await.into_values().flatten().filter(|row| row.contains(&mary.user_id)).collect();
        assert_eq!(left, [""; 0]);
        assert_eq!(column(&app, "SELECT CAST(agent_count AS TEXT) FROM departments").await, ["0"]);
        delete(&app, &admin, &format!("/api/v1/livechat/users/agent/{}", mary.user_id)).await.is(400, &json!({"success": false}));
    }
}
