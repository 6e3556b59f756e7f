//! Who is given a file.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use usher_testkit::engines::Engine;
use usher_testkit::{Form, TestApp};

use super::{PNG, fetched, fetched_by, link, sent};
use crate::chat::Desk;
use crate::support::{history, usual};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_read_the_room_is_given_its_files() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let app = &desk.app;
        let file = link(&sent(app, "token-1", &desk.room, Form::file("a.png", "image/png", PNG)).await);
        let user = desk.person("user", &["user"]).await;
        for (who, login, status) in [
            ("the agent", &desk.agent, 200),
            ("another agent", &desk.stranger, 403),
            ("a user", &user, 403),
            ("an administrator", &desk.admin, 200),
        ] {
            assert_eq!(fetched_by(app, &file, login).await.status.as_u16(), status, "{who}");
        }
        let nobody = app.get(&file).await;
        assert_eq!((nobody.status.as_u16(), nobody.bytes.len()), (403, 0));
        app.post("/api/v1/livechat/room.close", &json!({"token": "token-1", "rid": desk.room})).await.ok();
        assert_eq!(fetched(app, &file, "token-1", &desk.room).await.status.as_u16(), 200, "a closed chat keeps its files");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_stands_in_the_query_in_cookies_or_in_headers() {
    for engine in Engine::all() {
        let desk = Desk::new(&engine).await;
        let app = &desk.app;
        let file = link(&sent(app, "token-1", &desk.room, Form::file("a.png", "image/png", PNG)).await);
        let with_cookies = |cookies: String, query: &str| {
            let path = format!("{file}{query}");
            async move { app.call(Method::GET, &path).header("cookie", &cookies).send().await.status.as_u16() }
        };
        let room = &desk.room;
        let (uid, token) = (&desk.agent.user_id, &desk.agent.token);
        assert_eq!(with_cookies(format!("rc_room_type=l; rc_rid={room}; rc_token=token-1; rc_is_widget=t"), "").await, 200);
        assert_eq!(with_cookies(format!("rc_uid={uid}; rc_token={token}"), "").await, 200);
        assert_eq!(with_cookies(format!("rc_room_type=l; rc_rid={room}; rc_token=nobody"), "").await, 403);
        assert_eq!(with_cookies(String::new(), &format!("?rc_uid={uid}&rc_token={token}")).await, 200);
        // The query counts before cookies.
        let good = format!("rc_uid={uid}; rc_token={token}");
        assert_eq!(with_cookies(good, &format!("?rc_uid={uid}&rc_token=wrong")).await, 403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_open_files_or_keep_them_for_members() {
    for engine in Engine::all() {
        let open = usual().setting("FileUpload_ProtectFiles", "false").start(&engine).await;
        open.register("token-1", "Mary").await;
        let room = open.room("token-1").await;
        let file = link(&sent(&open, "token-1", &room, Form::file("a.png", "image/png", PNG)).await);
        assert_eq!(open.get(&file).await.status.as_u16(), 200);
    }
    for engine in Engine::all() {
        let desk = Desk::with(usual().setting("FileUpload_Restrict_to_room_members", "true"), &engine).await;
        let file = link(&sent(&desk.app, "token-1", &desk.room, Form::file("a.png", "image/png", PNG)).await);
        assert_eq!(fetched_by(&desk.app, &file, &desk.agent).await.status.as_u16(), 200);
        assert_eq!(fetched_by(&desk.app, &file, &desk.admin).await.status.as_u16(), 403, "an administrator is no member");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_links_open_their_file_to_anybody_for_an_hour() {
    const KEY: &str = "FileUpload_json_web_token_secret_for_files";
    for engine in Engine::all() {
        let app = usual().setting("Site_Url", "https://chat.example.com").setting(KEY, "a key").start(&engine).await;
        let other = usual()
            .setting("Site_Url", "https://chat.example.com")
            .setting(KEY, "a key")
            .setting("FileUpload_Enable_json_web_token_for_files", "false");
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let mut links = Vec::new();
        for name in ["a.png", "b.png"] {
            sent(&app, "token-1", &room, Form::file(name, "image/png", PNG)).await;
            let told = app.get(&history(&room, "token=token-1&limit=1")).await.ok();
            let address = told["messages"][0]["fileUpload"]["publicFilePath"].as_str().unwrap().to_owned();
            links.push(address.strip_prefix("https://chat.example.com").expect("it is the whole address").to_owned());
        }
        let status = async |app: &TestApp, link: &str| app.get(link).await.status.as_u16();
        let [first, second] = [&links[0], &links[1]].map(|link| link.split_once("?token=").expect("the link is signed"));
        let cookies =
            async |cookies: &str, link: &str| app.call(Method::GET, link).header("cookie", cookies).send().await.status.as_u16();
        assert_eq!(status(&app, &links[0]).await, 200);
        assert_eq!(cookies("rc_room_type=l; rc_rid=another; rc_token=nobody", &links[0]).await, 200, "the link is enough");
        for wrong in [second.1, "", "nonsense", &first.1[..first.1.len() - 1]] {
            assert_eq!(status(&app, &format!("{}?token={wrong}", first.0)).await, 403, "{wrong}");
        }
        let wrong = format!("{}?token=nonsense", first.0);
        assert_eq!(cookies(&format!("rc_room_type=l; rc_rid={room}; rc_token=token-1"), &wrong).await, 200, "so is who asks");
        app.advance(Duration::from_secs(3_600));
        assert_eq!(status(&app, &links[0]).await, 403);

        let fresh = Engine::sqlite();
        let unsigned = other.start(&fresh).await;
        unsigned.register("token-1", "Mary").await;
        let room = unsigned.room("token-1").await;
        let message = sent(&unsigned, "token-1", &room, Form::file("a.png", "image/png", PNG)).await;
        let told = unsigned.get(&history(&room, "token=token-1&limit=1")).await.ok();
        let public = format!("https://chat.example.com{}", link(&message));
        assert_eq!(told["messages"][0]["fileUpload"]["publicFilePath"], json!(public));
        assert_eq!(status(&unsigned, &format!("{}?token={}", link(&message), first.1)).await, 403);
    }
}

/// How many visitors there are: with two rooms each, their files make more than 10,000 combinations of file, room and token.
const VISITORS: usize = 16;

/// A file, its room and the token of its visitor.
struct Sent {
    file: String,
    room: String,
    token: String,
}

async fn all_sent(app: &TestApp) -> Vec<Sent> {
    let mut all = Vec::new();
    for number in 0..VISITORS {
        let token = format!("token-{number}");
        app.register(&token, &format!("Visitor {number}")).await;
        for _ in 0..2 {
            let room = app.room(&token).await;
            let message = sent(app, &token, &room, Form::file("a.txt", "text/plain", room.as_bytes())).await;
            all.push(Sent { file: link(&message), room: room.clone(), token: token.clone() });
            app.post("/api/v1/livechat/room.close", &json!({"token": token, "rid": room})).await.ok();
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_combinations_only_those_that_belong_together_are_let_in() {
    let engine = Engine::sqlite();
    let app = usual().start(&engine).await;
    let all = all_sent(&app).await;
    let tokens: Vec<String> = (0..VISITORS).map(|number| format!("token-{number}")).collect();
    let (mut tried, mut given) = (0, 0);
    for file in &all {
        for room in &all {
            for token in &tokens {
                let belongs = file.room == room.room && file.token == *token;
                let reply = fetched(&app, &file.file, token, &room.room).await;
                let expected = if belongs { (200, file.room.as_bytes()) } else { (403, &b""[..]) };
                assert_eq!((reply.status.as_u16(), reply.bytes.as_slice()), expected, "{} {} {token}", file.file, room.room);
                tried += 1;
                given += usize::from(belongs);
            }
        }
    }
    assert!(tried >= 10_000 && given == all.len(), "{given} of {tried}");
}
