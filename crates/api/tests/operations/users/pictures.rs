//! The pictures under `/avatar`.

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::*;
use crate::support::{encoded, usual};

/// When every picture was drawn, as far as browsers know.
const DRAWN: &str = "Thu, 01 Jan 2015 00:00:00 GMT";

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().expect("it is ASCII")).unwrap_or_default()
}

/// The letter in a picture.
fn letter(picture: &Value) -> String {
    let picture = picture.as_str().expect("a picture is a text");
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && picture.ends_with("</text></svg>"), "{picture}");
    let (_, end) = picture.rsplit_once("\">").expect("there is a letter in it");
    end.trim_end_matches("</text></svg>").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_has_a_picture() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for (path, expected) in [
            ("/avatar/mary".to_owned(), "M"),
            ("/avatar/@mary".to_owned(), "M"),
            ("/avatar/mary?size=50&format=png&etag=x&cacheTime=1".to_owned(), "M"),
            (format!("/avatar/uid/{}", mary.user_id), "M"),
            ("/avatar/guest-12".to_owned(), "G"),
            ("/avatar/uid/nonsense".to_owned(), "?"),
            ("/avatar/uid/%00".to_owned(), "?"),
            ("/avatar/room/GENERAL".to_owned(), "G"),
            (format!("/avatar/{}", encoded("<script>alert(1)</script>")), "S"),
            (format!("/avatar/{}", encoded("\"><b>")), "B"),
            (format!("/avatar/{}", encoded("éva")), "É"),
            ("/avatar/--".to_owned(), "?"),
        ] {
            let reply = app.get(&path).await;
            assert_eq!(reply.status.as_u16(), 200, "{path}");
            assert_eq!(letter(&reply.body), expected, "{path}");
            for (name, value) in [
                ("content-type", "image/svg+xml"),
                ("cache-control", "public, max-age=3600"),
                ("last-modified", DRAWN),
                ("content-disposition", "inline"),
                ("content-security-policy", "default-src 'none'"),
            ] {
                assert_eq!(header(&reply.headers, name), value, "{path} {name}");
            }
        }
        let of_name = app.get("/avatar/mary").await.body;
        assert_eq!(app.get(&format!("/avatar/uid/{}", mary.user_id)).await.body, of_name, "one user has one picture");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_known_is_not_sent_again() {
    for engine in Engine::all() {
        let app = usual().setting("Accounts_AvatarCacheTime", "60").start(&engine).await;
        let reply = app.call(Method::GET, "/avatar/mary").header("if-modified-since", DRAWN).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body), (304, &json!("")));
        assert_eq!(header(&reply.headers, "cache-control"), "public, max-age=60");
        let since = "Wed, 31 Dec 2014 23:59:59 GMT";
        let reply = app.call(Method::GET, "/avatar/mary").header("if-modified-since", since).send().await;
        assert_eq!((reply.status.as_u16(), letter(&reply.body)), (200, "M".to_owned()));
        let head = app.head("/avatar/mary").await;
        assert_eq!((head.status.as_u16(), header(&head.headers, "content-type")), (200, "image/svg+xml"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_can_be_for_users_alone() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        set(&app, "Accounts_AvatarBlockUnauthenticatedAccess", json!(true)).await;
        let cookies = |id: &str, token: &str| format!("other=1; rc_uid={id}; rc_token={token}");
        for path in ["/avatar/mary", "/avatar/uid/mary", "/avatar/room/mary"] {
            let call = || app.call(Method::GET, path);
            for refused in [
                call().send().await,
                call().header("if-modified-since", DRAWN).send().await,
                call().header("cookie", &cookies(&mary.user_id, "wrong")).send().await,
                call().header("cookie", &cookies("", &mary.token)).send().await,
                call().header("x-user-id", &mary.user_id).header("x-auth-token", "wrong").send().await,
            ] {
                assert_eq!((refused.status.as_u16(), &refused.body), (403, &json!("Forbidden")), "{path}");
            }
            for shown in
                [call().as_user(&mary).send().await, call().header("cookie", &cookies(&mary.user_id, &mary.token)).send().await]
            {
                assert_eq!(shown.status.as_u16(), 200, "{path}");
            }
        }
        set(&app, "Accounts_AvatarBlockUnauthenticatedAccess", json!(false)).await;
        app.get("/avatar/mary").await.ok();
    }
}
