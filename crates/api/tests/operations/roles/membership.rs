//! Who holds a role: giving it, taking it away, and looking at those who do.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::Setup;
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::{answer, built_in, create, no_role, not_allowed};
use crate::permissions::{get, grant, not_logged_in, not_permitted, post};
use crate::support::{coded, made_id, plain, rows};

const ADD: &str = "/api/v1/roles.addUserToRole";
const REMOVE: &str = "/api/v1/roles.removeUserFromRole";
const HOLDERS: &str = "/api/v1/roles.getUsersInRole";
const PUBLIC_HOLDERS: &str = "/api/v1/roles.getUsersInPublicRoles";

/// What is answered to a name that nobody has.
fn no_user() -> Value {
    coded("Invalid user [error-invalid-user]", "error-invalid-user")
}

/// The roles of a user, as it sees them itself.
async fn roles_of(app: &TestApp, login: &Login) -> Value {
    get(app, login, "/api/v1/me").await.ok()["roles"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_can_be_given_a_role() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let clerk = create(&app, &admin, json!({"name": "clerk"})).await;
        let id = made_id(&clerk["_id"]);
        for (body, role, roles) in [
            (
                json!({"username": "mary", "roleId": "livechat-agent"}),
                built_in("livechat-agent"),
                json!(["livechat-agent", "user"]),
            ),
            (
                json!({"username": "MARY", "roleName": "livechat-manager", "scope": "x", "other": 1}),
                built_in("livechat-manager"),
                json!(["livechat-agent", "livechat-manager", "user"]),
            ),
            (
                json!({"username": "mary", "roleId": "bot", "roleName": "unknown"}),
                built_in("bot"),
                json!(["bot", "livechat-agent", "livechat-manager", "user"]),
            ),
            (
                json!({"username": "mary", "roleName": "clerk"}),
                clerk.clone(),
                json!([id, "bot", "livechat-agent", "livechat-manager", "user"]),
            ),
        ] {
            post(&app, &admin, ADD, &body).await.is(200, &answer(&role));
            let mut expected: Vec<String> = serde_json::from_value(roles).expect("they are texts");
            expected.sort_unstable();
            assert_eq!(roles_of(&app, &mary).await, json!(expected), "at once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_membership_is_not_given() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let before = rows(&app).await;
        let no_such_role = coded("error-role-not-found", "Role not found");
        let already = coded("User already in role [error-user-already-in-role]", "error-user-already-in-role");
        let schema = |error: &str| coded(error, "invalid-params");
        for (body, answer) in [
            (json!({}), schema("must have required property 'username'")),
            (json!({"roleId": "bot"}), schema("must have required property 'username'")),
            (json!({"username": ["mary"], "roleId": "bot"}), schema("must be string")),
            (json!({"username": "mary", "roleId": {"$ne": ""}}), schema("must be string")),
            (json!({"username": "mary"}), plain("error-invalid-role-properties")),
            (json!({"username": "mary", "roleId": ""}), plain("error-invalid-role-properties")),
            (json!({"username": "nobody"}), plain("error-invalid-role-properties")),
            (json!({"username": "mary", "roleId": "unknown"}), no_such_role.clone()),
            (json!({"username": "mary", "roleName": "unknown"}), no_such_role.clone()),
            (json!({"username": "nobody", "roleId": "unknown"}), no_such_role),
            (json!({"username": "nobody", "roleId": "bot"}), no_user()),
            (json!({"username": "", "roleId": "bot"}), no_user()),
            (json!({"username": "mary", "roleId": "livechat-manager"}), already.clone()),
            (json!({"username": "admin", "roleId": "admin"}), already),
        ] {
            let reply = post(&app, &admin, ADD, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &answer), "{body}");
        }
        let good = json!({"username": "mary", "roleId": "bot"});
        post(&app, &mary, ADD, &good).await.is(400, &not_allowed("Accessing permissions is not allowed"));
        app.post(ADD, &good).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before, "nothing is written");
        post(&app, &admin, ADD, &good).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_can_lose_a_role() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager", "bot", "app"]).await);
        for (body, role, left) in [
            (json!({"username": "mary", "roleId": "bot", "scope": "x"}), "bot", json!(["app", "livechat-manager", "user"])),
            (json!({"username": "Mary", "roleName": "app"}), "app", json!(["livechat-manager", "user"])),
            (json!({"username": "mary", "roleId": "user"}), "user", json!(["livechat-manager"])),
            (json!({"username": "mary", "roleId": "livechat-manager"}), "livechat-manager", json!([])),
        ] {
            post(&app, &admin, REMOVE, &body).await.is(200, &answer(&built_in(role)));
            assert_eq!(roles_of(&app, &mary).await, left, "at once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_does_not_hold_cannot_be_taken() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let before = rows(&app).await;
        let not_held = coded("User is not in this role [error-user-not-in-role]", "error-user-not-in-role");
        let schema = |error: &str| coded(error, "invalid-params");
        for (body, answer) in [
            (json!({"roleId": "bot"}), schema("must have required property 'username'")),
            (json!({"username": "mary", "roleId": ["bot"]}), schema("must be string")),
            (json!({"username": "mary"}), plain("error-invalid-role-properties")),
            (json!({"username": "nobody", "roleId": "bot"}), no_user()),
            (json!({"username": "nobody", "roleId": "unknown"}), no_user()),
            (json!({"username": "mary", "roleId": "unknown"}), no_role()),
            (json!({"username": "mary", "roleId": "bot"}), not_held.clone()),
            (json!({"username": "mary", "roleId": "admin"}), not_held),
        ] {
            let reply = post(&app, &admin, REMOVE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &answer), "{body}");
        }
        let good = json!({"username": "mary", "roleId": "livechat-manager"});
        post(&app, &mary, REMOVE, &good).await.is(403, &not_permitted());
        app.post(REMOVE, &good).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before, "nothing is written");
        post(&app, &admin, REMOVE, &good).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays_one() {
    let needed = coded("You need to have at least one admin [error-admin-required]", "error-admin-required");
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["admin"]).await);
        let demote = |name: &str| json!({"username": name, "roleId": "admin"});
        post(&app, &admin, REMOVE, &demote("mary")).await.ok();
        post(&app, &admin, REMOVE, &demote("admin")).await.is(400, &needed);
        get(&app, &mary, "/api/v1/settings/Livechat_title").await.is(403, &not_permitted());

        // Somebody who cannot log in is no help.
        post(&app, &admin, ADD, &demote("mary")).await.is(200, &answer(&built_in("admin")));
        let deactivate = json!({"userId": mary.user_id, "activeStatus": false});
        post(&app, &admin, "/api/v1/users.setActiveStatus", &deactivate).await.ok();
        post(&app, &admin, REMOVE, &demote("admin")).await.is(400, &needed);
        post(&app, &admin, REMOVE, &demote("mary")).await.ok();
        post(&app, &admin, REMOVE, &demote("admin")).await.is(400, &needed);
        get(&app, &admin, "/api/v1/settings/Livechat_title").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn making_administrators_needs_a_permission_of_its_own() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let john = app.user("john", &["user"]).await;
        let body = json!({"username": "john", "roleId": "admin"});
        grant(&app, &admin, "access-permissions", &["admin", "livechat-manager"]).await;
        post(&app, &mary, ADD, &body).await.is(400, &not_allowed("Assigning admin is not allowed"));
        assert_eq!(roles_of(&app, &john).await, json!(["user"]));
        post(&app, &mary, ADD, &json!({"username": "john", "roleId": "bot"})).await.ok();
        post(&app, &admin, ADD, &body).await.ok();
        post(&app, &mary, REMOVE, &body).await.is(400, &not_allowed("Assigning admin is not allowed"));
        assert_eq!(roles_of(&app, &john).await, json!(["admin", "bot", "user"]));
        grant(&app, &admin, "assign-admin-role", &["livechat-manager"]).await;
        post(&app, &admin, REMOVE, &body).await.is(400, &not_allowed("Assigning admin is not allowed"));
        post(&app, &mary, REMOVE, &body).await.ok();
        post(&app, &mary, ADD, &body).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_hold_a_role_are_listed_in_pages() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let mut expected = Vec::new();
        for (second, name) in ["zoe", "mary", "adam"].into_iter().enumerate() {
            app.advance(Duration::from_secs(1));
            let login = app.user(name, &["user", "livechat-agent"]).await;
            let made = format!("2024-01-31T12:00:0{}.000Z", second + 1);
            expected.push(json!({
                "_id": login.user_id,
                "username": name,
                "name": name,
                "emails": [{"address": format!("{name}@example.com"), "verified": true}],
                "createdAt": made,
                "_updatedAt": made,
            }));
        }
        expected.reverse();
        let mary = app.log_in("mary").await;
        let page = |users: &[Value], offset: usize, total: usize| json!({"users": users, "count": users.len(), "offset": offset, "total": total, "success": true});
        let of = |query: &str| format!("{HOLDERS}?role=livechat-agent{query}");
        for (query, shown, offset) in [
            ("", 0..3, 0),
            ("&roomId=GENERAL&other=1", 0..3, 0),
            ("&count=2", 0..2, 0),
            ("&count=2&offset=2", 2..3, 2),
            ("&offset=3", 3..3, 3),
            ("&count=0", 0..3, 0),
        ] {
            get(&app, &admin, &of(query)).await.is(200, &page(&expected[shown], offset, 3));
        }
        get(&app, &admin, &format!("{HOLDERS}?role=guest")).await.is(200, &page(&[], 0, 0));
        let bots = get(&app, &admin, &format!("{HOLDERS}?role=bot")).await.ok();
        assert_eq!((&bots["users"][0]["username"], &bots["total"]), (&json!("rocket.cat"), &json!(1)));

        let unknown = coded("[error-invalid-roleId]", "error-invalid-roleId");
        for role in ["", "unknown", "Admin"] {
            get(&app, &admin, &format!("{HOLDERS}?role={role}")).await.is(400, &unknown);
        }
        for (query, error) in [
            ("", "must have required property 'role'"),
            ("?role[]=admin", "must be string"),
            ("?role=admin&count=x", "must be integer"),
        ] {
            get(&app, &admin, &format!("{HOLDERS}{query}")).await.is(400, &coded(error, "error-invalid-params"));
        }
        get(&app, &mary, &of("")).await.is(403, &not_permitted());
        app.get(&of("")).await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_whose_role_has_a_description_are_known_to_everybody() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let mary = app.user("mary", &["user", "livechat-agent", "livechat-manager", "bot"]).await;
        let john = app.user("john", &["user"]).await;
        let user = |login: &Login, name: &str, roles: &[&str]| json!({"_id": login.user_id, "username": name, "roles": roles});
        let shown = |users: &[Value]| json!({"users": users, "success": true});
        let first = user(&admin, "admin", &["admin"]);
        let third = user(&mary, "mary", &["livechat-agent", "livechat-manager"]);
        app.get(PUBLIC_HOLDERS).await.is(401, &not_logged_in());
        get(&app, &john, PUBLIC_HOLDERS).await.is(200, &shown(&[first.clone(), third.clone()]));

        let clerk = create(&app, &admin, json!({"name": "clerk", "description": "Counts"})).await["_id"].clone();
        let id = made_id(&clerk);
        post(&app, &admin, ADD, &json!({"username": "john", "roleId": id})).await.ok();
        let second = user(&john, "john", &[id]);
        get(&app, &john, PUBLIC_HOLDERS).await.is(200, &shown(&[first.clone(), second, third.clone()]));
        let body = json!({"roleId": id, "name": "clerk", "description": ""});
        post(&app, &admin, "/api/v1/roles.update", &body).await.ok();
        get(&app, &john, PUBLIC_HOLDERS).await.is(200, &shown(&[first.clone(), third]));

        let deactivate = json!({"userId": mary.user_id, "activeStatus": false});
        post(&app, &admin, "/api/v1/users.setActiveStatus", &deactivate).await.ok();
        get(&app, &john, PUBLIC_HOLDERS).await.is(200, &shown(&[first]));
    }
}

/// A role that is held in a room is not given everywhere because there is no such room.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_a_room_needs_the_room() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let body = json!({"username": "mary", "roleId": "owner", "roomId": "GENERAL"});
        post(&app, &admin, ADD, &body).await.is(400, &plain("error-invalid-room"));
        assert_eq!(roles_of(&app, &mary).await, json!(["user"]));
        let body = json!({"username": "mary", "roleId": "livechat-agent", "roomId": "GENERAL"});
        post(&app, &admin, ADD, &body).await.is(200, &answer(&built_in("livechat-agent")));
        assert_eq!(roles_of(&app, &mary).await, json!(["livechat-agent", "user"]), "this one is held everywhere anyway");
    }
}
