//! What all answers have in common, and how requests are read.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;
use usher_api::{Api, TrustedProxies};
use usher_testkit::TestApp;
use usher_testkit::application::{Login, Reply};
use usher_testkit::engines::Engine;

use crate::support::{LOGIN, MESSAGE, ROOM, VISITOR, coded, plain, rows, tamper, usual};

/// The longest body there may be.
const BODY_LIMIT: usize = 512 << 10;

/// The headers of every answer of the API.
const COMMON: [(&str, &str); 5] = [
    ("content-type", "application/json"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
    ("access-control-allow-origin", "*"),
    (
        "access-control-allow-headers",
        "Origin, X-Requested-With, Content-Type, Accept, X-User-Id, X-Auth-Token, x-visitor-token, Authorization, MCP-Protocol-Version",
    ),
];

/// Checks the headers of an answer that must have this status.
#[track_caller]
fn has_common_headers(reply: &Reply, status: u16) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    for (name, value) in COMMON {
        let found: Vec<_> = reply.headers.get_all(name).iter().collect();
        assert_eq!(found, [value], "{status}: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_same_headers() {
    for engine in Engine::all() {
        let app = usual().setting("Usher_Limit_Registrations_Per_Token", "1").with_rate_limits().start(&engine).await;
        let (login, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        let registration = json!({"visitor": {"token": "token-1"}});
        let long = "x".repeat(BODY_LIMIT + 1).into_bytes();
        let answers = [
            (200, app.post(VISITOR, &registration).await),
            (200, app.get(&format!("{VISITOR}/token-1")).await),
            (200, app.get("/api/v1/livechat/config").await),
            (200, app.call(Method::GET, "/api/v1/me").as_user(&login).send().await),
            (400, app.get(&format!("{VISITOR}/nobody")).await),
            (400, app.post(MESSAGE, &json!({})).await),
            (400, app.get(ROOM).await),
            (401, app.get("/api/v1/me").await),
            (401, app.post(LOGIN, &json!({})).await),
            (404, app.get("/api/v1/nothing").await),
            (404, app.get("/api/nothing").await),
            (404, app.get(&format!("{VISITOR}/")).await),
            (405, app.delete(ROOM).await),
            (405, app.call(Method::PATCH, "/api/v1/settings/Livechat_title").send().await),
            (403, app.call(Method::POST, "/api/v1/permissions.update").as_user(&mary).json(&json!({})).send().await),
            (413, app.call(Method::POST, VISITOR).bytes("application/json", long).send().await),
            (429, app.post(VISITOR, &registration).await),
        ];
        for (status, answer) in &answers {
            has_common_headers(answer, *status);
        }
    }
}

/// A store that cannot write is told in the same form.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_without_its_cause() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    crate::support::fill_disk(&app).await;
    let answer = app.post(VISITOR, &json!({"visitor": {"token": "token-1"}})).await;
    has_common_headers(&answer, 503);
    assert_eq!(answer.body, plain("Service Unavailable"));
    assert_eq!(answer.headers["retry-after"], "1");
}

/// The application without the judge that fails on every answer the document does not have, as 500 is.
fn unjudged(app: &TestApp) -> Router {
    usher_api::router(Arc::new(Api::new(Arc::clone(&app.services), TrustedProxies::default())))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_our_own_is_told_without_its_cause() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        tamper(&app, "ALTER TABLE visitors RENAME TO secrets").await;
        for request in [
            Request::get(format!("{VISITOR}/token-1")).body(Body::empty()),
            Request::post(VISITOR).header("content-type", "application/json").body(Body::from(r#"{"visitor":{"token":"t"}}"#)),
        ] {
            let request = request.expect("it is a request");
            let response = unjudged(&app).oneshot(request).await.expect("the router never fails");
            assert_eq!(
                (response.status().as_u16(), &response.headers()["content-type"]),
                (500, &COMMON[0].1.parse().expect("a value"))
            );
            let body = axum::body::to_bytes(response.into_body(), 1_024).await.expect("the answer is short");
            let body: Value = serde_json::from_slice(&body).expect("the answer is JSON");
            assert_eq!(body, plain("Internal server error"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_told() {
    let text = "API endpoint does not exist";
    let expected = json!({"success": false, "status": "error", "error": text, "message": text});
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for path in [
            "/api/v1/nothing",
            "/api/v1",
            "/api",
            "/",
            "/API/v1/login",
            "/api/login",
            "/api/v1/info/",
            "/api/v1/settings/",
            "/api/v1/settings/a/b",
            "/api/v1/users.List",
            "/api/v1/method.call/",
            "/api/v1/livechat/visitor/",
            "/api/v1/livechat/visitor/a/b",
        ] {
            app.get(path).await.is(404, &expected);
        }
        for (path, known) in [
            (LOGIN, "POST"),
            ("/api/v1/logout", "GET,HEAD,POST"),
            ("/api/v1/me", "GET,HEAD"),
            (VISITOR, "POST"),
            ("/api/v1/livechat/visitor/token-1", "DELETE,GET,HEAD"),
            (ROOM, "GET,HEAD"),
            (MESSAGE, "POST"),
            ("/api/v1/livechat/messages.history/room", "GET,HEAD"),
            ("/api/v1/livechat/config", "GET,HEAD"),
            ("/api/info", "GET,HEAD"),
            ("/api/v1/settings", "GET,HEAD,POST"),
            ("/api/v1/settings/Livechat_title", "GET,HEAD,POST"),
            ("/api/v1/settings.public", "GET,HEAD"),
            ("/api/v1/permissions.update", "POST"),
            ("/api/v1/users.list", "GET,HEAD"),
            ("/api/v1/method.call/livechat:takeInquiry", "POST"),
        ] {
            let answer = app.call(Method::PUT, path).send().await;
            answer.is(405, &expected);
            let mut allowed: Vec<_> =
                answer.headers["allow"].to_str().expect("methods are ASCII").split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), known, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_mark_too_many_is_nothing() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let login = app.admin().await;
        app.post(&format!("{VISITOR}?"), &json!({"visitor": {"token": "token-1"}})).await.ok();
        app.get(&format!("{VISITOR}/token-1?")).await.ok();
        app.get("/api/v1/livechat/config?").await.ok();
        app.get(&format!("{ROOM}?token=token-1&")).await.ok();
        app.call(Method::GET, "/api/v1/me?").as_user(&login).send().await.ok();
        app.get(&format!("{ROOM}?")).await.is(400, &plain("Match error: Missing key 'token'"));
    }
}

/// Sends bytes to the operations that take a body; gives what they answer.
async fn bodies(app: &TestApp, kind: Option<&str>, body: &[u8]) -> [(u16, Value); 3] {
    let mut answers = Vec::new();
    for path in [VISITOR, MESSAGE, LOGIN] {
        let call = app.call(Method::POST, path);
        let call = if let Some(kind) = kind { call.bytes(kind, body.to_vec()) } else { call.untyped(body.to_vec()) };
        let reply = call.send().await;
        answers.push((reply.status.as_u16(), reply.body));
    }
    answers.try_into().expect("three operations take a body")
}

/// What those operations answer to an empty object.
fn answers_to_nothing() -> [(u16, Value); 3] {
    let unauthorized = json!({"success": false, "status": "error", "error": "Unauthorized", "message": "Unauthorized"});
    let misfit = coded("must have required property 'token' [invalid-params]", "invalid-params");
    [(400, plain("Match error: Missing key 'visitor'")), (400, misfit), (401, unauthorized)]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_an_empty_object() {
    let valid = br#"{"visitor":{"token":"token-1"},"token":"token-1","rid":"r","msg":"m","user":"admin","password":"x"}"#;
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let before = rows(&app).await;
        for (kind, body) in [
            (None, &b""[..]),
            (None, valid),
            (Some("text/plain"), valid),
            (Some("application/jsonp"), valid),
            (Some(""), valid),
            (Some("application/json"), b"{}"),
            (Some("application/json"), b""),
            (Some("application/json"), b"{"),
            (Some("application/json"), br#"{"visitor":{"token":"token-1"}} {}"#),
            (Some("application/json"), br#"{'visitor':{'token':'token-1'}}"#),
            (Some("application/json"), b"{\"visitor\":{\"token\":\"\xff\"}}"),
            (Some("application/json"), br#"{"visitor":{"token":"\ud800"}}"#),
            (Some("application/x-www-form-urlencoded"), b""),
            (Some("application/x-www-form-urlencoded"), b"visitor%5Btoken%5D=%FF"),
            (Some("multipart/form-data; boundary=x"), b"--x\r\n\r\n--x--"),
        ] {
            assert_eq!(bodies(&app, kind, body).await, answers_to_nothing(), "{kind:?} {}", String::from_utf8_lossy(body));
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_come_as_json_or_as_a_form() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for (kind, body) in [
            ("application/json", r#"{"visitor":{"token":"token-1","name":"Mary Ann"}}"#),
            ("application/json; charset=utf-8", r#"{"visitor":{"token":"token-1","name":"Mary Ann"}}"#),
            ("Application/JSON", r#"{"visitor":{"token":"token-1","name":"Mary Ann"}}"#),
            ("application/x-www-form-urlencoded", "visitor[token]=token-1&visitor[name]=Mary+Ann"),
        ] {
            let answer = app.call(Method::POST, VISITOR).bytes(kind, body.into()).send().await.ok();
            assert_eq!(
                (&answer["visitor"]["token"], &answer["visitor"]["name"]),
                (&json!("token-1"), &json!("Mary Ann")),
                "{kind}"
            );
        }
        let room = app.room("token-1").await;
        let form = format!("token=token-1&rid={room}&msg=Hello+%F0%9F%98%80");
        let answer = app.call(Method::POST, MESSAGE).bytes("application/x-www-form-urlencoded", form.into()).send().await.ok();
        assert_eq!(answer["message"]["msg"], "Hello 😀");
    }
}

/// A registration of this many bytes.
fn registration_of(length: usize) -> Vec<u8> {
    let (head, tail) = (r#"{"visitor":{"token":"token-1"},"rest":""#, r#""}"#);
    format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len())).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_a_limit() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let before = rows(&app).await;
        let long = registration_of(BODY_LIMIT + 1);
        let announced = long.len().to_string();
        for call in [
            app.call(Method::POST, VISITOR).bytes("application/json", long.clone()),
            app.call(Method::POST, VISITOR).header("content-length", &announced).bytes("application/json", long),
            app.call(Method::POST, VISITOR).header("content-length", "18446744073709551615").bytes("application/json", Vec::new()),
        ] {
            let answer = call.send().await;
            answer.is(413, &plain("request entity too large"));
            assert_eq!(answer.headers["connection"], "close");
        }
        assert_eq!(rows(&app).await, before);
        app.call(Method::POST, VISITOR).bytes("application/json", registration_of(BODY_LIMIT)).send().await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_looked_at_before_anything_else() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let wrong = Login { user_id: "x".to_owned(), token: "y".to_owned() };
        let long = vec![b'x'; BODY_LIMIT + 1];
        let answer = app.call(Method::POST, "/api/v1/logout").as_user(&wrong).bytes("application/json", long).send().await;
        assert_eq!(answer.status.as_u16(), 401);
        // Where nobody has to be logged in, a wrong login is as good as none.
        app.call(Method::GET, "/api/v1/livechat/config").as_user(&wrong).send().await.ok();
    }
}

/// What a browser asks before a page calls from elsewhere.
async fn asked(app: &TestApp, origin: Option<&str>, wants: Option<&str>) -> Reply {
    let mut call = app.call(Method::OPTIONS, "/api/v1/livechat/config");
    for (name, value) in [("origin", origin), ("access-control-request-method", wants)] {
        if let Some(value) = value {
            call = call.header(name, value);
        }
    }
    call.send().await
}

/// Checks an answer to a browser: its status and text, the origin that may call, and whether that depends on who asks.
#[track_caller]
fn tells(reply: &Reply, status: u16, text: &str, allowed: Option<&str>) {
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (status, Some(text)));
    let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().expect("it is ASCII"));
    assert_eq!(header("access-control-allow-origin"), allowed);
    assert_eq!(header("vary"), allowed.filter(|origin| *origin != "*").map(|_| "Origin"));
    let methods = allowed.map(|_| "GET, POST, PUT, DELETE, HEAD, PATCH");
    assert_eq!(header("access-control-allow-methods"), methods);
    assert_eq!(header("access-control-allow-headers"), allowed.map(|_| COMMON[4].1));
}

const OFF: &str = "CORS not enabled. Go to \"Admin > General > REST Api\" to enable it.";
const HERE: &str = "https://here.example";
const THERE: &str = "https://there.example:8443";

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_whether_pages_may_call() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let login = app.admin().await;
        // Everybody may unless somebody says otherwise.
        tells(&asked(&app, Some(HERE), Some("GET")).await, 200, "OK", Some("*"));
        let none: Option<&str> = None;
        let both = format!("{HERE}, {THERE}");
        for (is_on, list, of_here, of_there) in [
            (true, "*", (200, "OK", Some("*")), (200, "OK", Some("*"))),
            (true, " * ", (200, "OK", Some("*")), (200, "OK", Some("*"))),
            (true, HERE, (200, "OK", Some(HERE)), (403, "Invalid origin", none)),
            (true, both.as_str(), (200, "OK", Some(HERE)), (200, "OK", Some(THERE))),
            (true, "https://here.example/", (403, "Invalid origin", none), (403, "Invalid origin", none)),
            (true, "here.example", (403, "Invalid origin", none), (403, "Invalid origin", none)),
            (true, "", (403, "Invalid origin", none), (403, "Invalid origin", none)),
            (false, "*", (405, OFF, none), (405, OFF, none)),
            (false, both.as_str(), (405, OFF, none), (405, OFF, none)),
        ] {
            for (id, value) in [("API_Enable_CORS", json!(is_on)), ("API_CORS_Origin", json!(list))] {
                let path = format!("/api/v1/settings/{id}");
                app.call(Method::POST, &path).as_user(&login).json(&json!({"value": value})).send().await.ok();
            }
            for (origin, (status, text, allowed)) in [(HERE, of_here), (THERE, of_there)] {
                tells(&asked(&app, Some(origin), Some("POST")).await, status, text, allowed);
            }
            // Nobody asks whether a page may call.
            for (origin, wants) in [(None, None), (Some(HERE), None), (None, Some("GET"))] {
                tells(&asked(&app, origin, wants).await, 200, "", None);
            }
            // What is really called is answered as always: it is the browser that keeps the answer from the page.
            let called = app.call(Method::GET, "/api/v1/livechat/config").header("origin", THERE).send().await;
            has_common_headers(&called, 200);
        }
    }
}

/// A list of origins is none to whoever writes something between them.
#[tokio::test(flavor = "multi_thread")]
async fn an_origin_is_compared_whole() {
    for engine in Engine::all() {
        let app = usual().setting("API_CORS_Origin", "https://here.example,null").start(&engine).await;
        for origin in ["https://here.example.evil.example", "https://here.exampl", "HTTPS://HERE.EXAMPLE", "", ",", "*"] {
            tells(&asked(&app, Some(origin), Some("GET")).await, 403, "Invalid origin", None);
        }
        tells(&asked(&app, Some("null"), Some("GET")).await, 200, "OK", Some("null"));
    }
}
