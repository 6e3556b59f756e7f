//! Personal access tokens, `POST users.createToken` and `POST users.logout`.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::*;
use crate::support::{plain, rows, usual};

const REGENERATE: &str = "/api/v1/users.regeneratePersonalAccessToken";
const LIST: &str = "/api/v1/users.getPersonalAccessTokens";
const REMOVE: &str = "/api/v1/users.removePersonalAccessToken";
const CREATE_TOKEN: &str = "/api/v1/users.createToken";
const LOG_OUT: &str = "/api/v1/users.logout";

/// A token as its owner sees it afterwards.
fn shown(name: &str, created: &str, token: &str, bypasses: bool) -> Value {
    json!({"name": name, "createdAt": created, "lastTokenPart": &token[token.len() - 6..], "bypassTwoFactor": bypasses})
}

/// A token made just now, checked for its form.
#[track_caller]
fn made(reply: Reply) -> String {
    let body = reply.ok();
    let token = body["token"].as_str().expect("a token is a text").to_owned();
    assert_eq!(body, json!({"token": token, "success": true}));
    let is_symbol = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    assert!(token.len() == 43 && token.bytes().all(is_symbol), "{token}");
    token
}

fn login(owner: &Login, token: &str) -> Login {
    Login { user_id: owner.user_id.clone(), token: token.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_token_lasts_until_it_is_taken_back() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        get(&app, &mary, LIST).await.is(200, &json!({"tokens": [], "success": true}));
        let second = made(post(&app, &mary, GENERATE, &json!({"tokenName": "second", "bypassTwoFactor": true})).await);
        app.advance(Duration::from_secs(1));
        let first = made(post(&app, &mary, GENERATE, &json!({"tokenName": "first"})).await);
        let stored = format!("{:?}", rows(&app).await);
        assert!(!stored.contains(&first) && !stored.contains(&second), "only hashes of tokens are stored");
        let tokens = json!([
            shown("first", "2024-01-31T12:00:01.000Z", &first, false),
            shown("second", "2024-01-31T12:00:00.000Z", &second, true),
        ]);
        get(&app, &mary, LIST).await.is(200, &json!({"tokens": tokens, "success": true}));

        app.advance(Duration::from_hours(24 * 3_650));
        assert!(!counts(&app, &mary).await, "a login has expired");
        let [first, second] = [login(&mary, &first), login(&mary, &second)];
        assert!(counts(&app, &first).await && counts(&app, &second).await);
        app.log_in("mary").await;
        assert!(counts(&app, &first).await, "they are not cleared away with what has expired");
        get(&app, &first, LIST).await.is(200, &json!({"tokens": tokens, "success": true}));
        let resumed = app.post(crate::support::LOGIN, &json!({"resume": first.token})).await.ok();
        assert_eq!(resumed["data"]["authToken"], *first.token);

        post(&app, &first, REMOVE, &json!({"tokenName": "second"})).await.is(200, &json!({"success": true}));
        assert!(counts(&app, &first).await && !counts(&app, &second).await);
        post(&app, &first, REMOVE, &json!({"tokenName": "first"})).await.is(200, &json!({"success": true}));
        assert!(!counts(&app, &first).await);
        let stored = rows(&app).await["login_tokens"].clone();
        assert_eq!(stored.iter().filter(|row| row.contains(&mary.user_id)).count(), 1, "the login that has begun since");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_token_is_replaced_by_another() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let body = json!({"tokenName": "program", "bypassTwoFactor": true});
        let before = made(post(&app, &mary, GENERATE, &body).await);
        app.advance(Duration::from_secs(1));
        let after = made(post(&app, &mary, REGENERATE, &json!({"tokenName": "program"})).await);
        assert!(!counts(&app, &login(&mary, &before)).await && counts(&app, &login(&mary, &after)).await);
        let tokens = json!([shown("program", "2024-01-31T12:00:01.000Z", &after, true)]);
        get(&app, &mary, LIST).await.is(200, &json!({"tokens": tokens, "success": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_with_tokens_is_refused() {
    let missing = plain("The 'tokenName' param is required");
    let exists = coded("A token with this name already exists [error-token-already-exists]", "error-token-already-exists");
    let unknown = coded("Token does not exist [error-token-does-not-exists]", "error-token-does-not-exists");
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["user"]).await);
        personal_token(&app, &mary, "program").await;
        personal_token(&app, &john, "his").await;
        let before = rows(&app).await;
        for path in [GENERATE, REGENERATE, REMOVE] {
            for body in [json!({}), json!({"tokenName": ""}), json!({"tokenName": "  "}), json!({"tokenName": null})] {
                post(&app, &mary, path, &body).await.is(400, &missing);
            }
            post(&app, &mary, path, &json!({"tokenName": ["x"]})).await.is(400, &invalid("must be string"));
            let long = json!({"tokenName": "x".repeat(1_025)});
            post(&app, &mary, path, &long).await.is(400, &invalid("must NOT have more than 1024 characters"));
            app.post(path, &json!({"tokenName": "program"})).await.is(401, &not_logged_in());
        }
        let perhaps = json!({"tokenName": "x", "bypassTwoFactor": "perhaps"});
        post(&app, &mary, GENERATE, &perhaps).await.is(400, &invalid("must be boolean"));
        post(&app, &mary, GENERATE, &json!({"tokenName": "program"})).await.is(400, &exists);
        for name in ["Program", "his", "' OR 1=1 --"] {
            post(&app, &mary, REGENERATE, &json!({"tokenName": name})).await.is(400, &unknown);
            post(&app, &mary, REMOVE, &json!({"tokenName": name})).await.is(400, &unknown);
        }
        app.get(LIST).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before);
        personal_token(&app, &john, "program").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_may_have_personal_tokens() {
    let refused = |method: &str| {
        let mut body = coded("Not Authorized [not-authorized]", "not-authorized");
        body["details"] = json!({"method": format!("personalAccessTokens:{method}")});
        body
    };
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, agent) = (app.user("mary", &["user"]).await, app.user("agent", &["livechat-agent"]).await);
        let (admin, body) = (app.admin().await, json!({"tokenName": "program"}));
        let refuses = async |login: &Login| {
            post(&app, login, GENERATE, &body).await.is(400, &refused("generateToken"));
            post(&app, login, REGENERATE, &body).await.is(400, &refused("regenerateToken"));
            post(&app, login, REMOVE, &body).await.is(400, &refused("removeToken"));
            get(&app, login, LIST).await.is(400, &refused("getPersonalAccessTokens"));
        };
        refuses(&agent).await;
        let token = personal_token(&app, &mary, "program").await;
        personal_token(&app, &admin, "program").await;
        grant(&app, "create-personal-access-tokens", &["livechat-agent"]).await;
        personal_token(&app, &agent, "program").await;
        refuses(&mary).await;
        refuses(&admin).await;
        assert!(counts(&app, &token).await, "tokens that are there go on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_logs_in_for_others() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        for body in [json!({"userId": mary.user_id}), json!({"username": "MARY", "secret": "x"}), json!({"user": "mary"})] {
            let answer = post(&app, &admin, CREATE_TOKEN, &body).await.ok();
            let token = answer["data"]["authToken"].as_str().expect("a token is a text");
            assert_eq!(answer, json!({"data": {"userId": mary.user_id, "authToken": token}, "success": true}));
            assert!(counts(&app, &login(&mary, token)).await && counts(&app, &mary).await);
        }
        let refused = coded("Not authorized [error-not-authorized]", "error-not-authorized");
        for role in ["user", "bot", "livechat-manager"] {
            let caller = app.user(&format!("{role}.1"), &[role]).await;
            post(&app, &caller, CREATE_TOKEN, &json!({"userId": mary.user_id})).await.is(400, &refused);
            post(&app, &caller, CREATE_TOKEN, &json!({"userId": caller.user_id})).await.is(400, &refused);
            post(&app, &caller, CREATE_TOKEN, &json!({"userId": "nonsense"})).await.is(400, &refused);
        }
        for (body, expected) in [
            (json!({}), nobody_named()),
            (json!({"userId": " "}), nobody_named()),
            (json!({"userId": "nonsense"}), nobody_found()),
            (json!({"username": "nobody"}), nobody_found()),
            (json!({"userId": ["x"]}), invalid("must be string")),
        ] {
            post(&app, &admin, CREATE_TOKEN, &body).await.is(400, &expected);
        }
        app.post(CREATE_TOKEN, &json!({"userId": mary.user_id})).await.is(401, &not_logged_in());
        grant(&app, "user-generate-access-token", &["livechat-manager"]).await;
        let manager = app.log_in("livechat-manager.1").await;
        post(&app, &manager, CREATE_TOKEN, &json!({"userId": mary.user_id})).await.ok();
        post(&app, &admin, CREATE_TOKEN, &json!({"userId": mary.user_id})).await.is(400, &refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_everywhere_ends_every_login() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, john) = (app.admin().await, app.user("john", &["user"]).await);
        app.user("mary", &["user"]).await;
        for number in 0..5 {
            let mary = app.log_in("mary").await;
            let (other, token) = (app.log_in("mary").await, personal_token(&app, &mary, "program").await);
            let (caller, body) = match number {
                0 => (&mary, json!({})),
                1 => (&mary, json!({"userId": mary.user_id})),
                2 => (&token, json!({"username": "MARY"})),
                3 => (&admin, json!({"userId": mary.user_id})),
                _ => (&admin, json!({"username": "mary"})),
            };
            let expected = json!({"message": format!("User {} has been logged out!", mary.user_id), "success": true});
            post(&app, caller, LOG_OUT, &body).await.is(200, &expected);
            for login in [&mary, &other, &token] {
                assert!(!counts(&app, login).await, "call {number}");
            }
            assert!(counts(&app, &john).await && counts(&app, &admin).await, "nobody else's login ends");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_end_the_logins_of_others() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        for role in ["user", "bot", "livechat-manager"] {
            let caller = app.user(&format!("{role}.1"), &[role]).await;
            post(&app, &caller, LOG_OUT, &json!({"userId": mary.user_id})).await.is(403, &unauthorized());
            post(&app, &caller, LOG_OUT, &json!({"userId": "nonsense"})).await.is(403, &unauthorized());
        }
        post(&app, &admin, LOG_OUT, &json!({"userId": "nonsense"})).await.is(400, &nobody_found());
        post(&app, &admin, LOG_OUT, &json!({"username": "nobody"})).await.is(400, &nobody_found());
        post(&app, &admin, LOG_OUT, &json!({"userId": {}})).await.is(400, &invalid("must be string"));
        app.post(LOG_OUT, &json!({"userId": mary.user_id})).await.is(401, &not_logged_in());
        assert!(counts(&app, &mary).await);
        grant(&app, "logout-other-user", &["livechat-manager"]).await;
        let manager = app.log_in("livechat-manager.1").await;
        post(&app, &manager, LOG_OUT, &json!({"userId": mary.user_id})).await.ok();
        assert!(!counts(&app, &mary).await);
        post(&app, &admin, LOG_OUT, &json!({"userId": manager.user_id})).await.is(403, &unauthorized());
    }
}
