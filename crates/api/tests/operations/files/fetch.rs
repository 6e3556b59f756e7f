//! `/file-upload/{id}/{name}`: how files are handed out.

use axum::http::Method;
use usher_testkit::Form;
use usher_testkit::engines::Engine;

use super::{PNG, fetched, link, sent};
use crate::support::usual;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_whole_and_in_parts() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let message = sent(&app, "token-1", &room, Form::file("a b.mp3", "audio/mpeg", b"ID3\x03\0\0\0\0\0\x0fmusic")).await;
        let path = format!("{}?rc_room_type=l&rc_rid={room}&rc_token=token-1", link(&message));
        assert_eq!(message["attachments"][0]["audio_type"], "audio/mpeg", "{message}");

        let reply = app.get(&path).await;
        for (name, value) in [
            ("content-type", "audio/mpeg"),
            ("content-length", "15"),
            ("accept-ranges", "bytes"),
            ("last-modified", "Wed, 31 Jan 2024 12:00:00 GMT"),
            ("cache-control", "private, max-age=31536000"),
            ("content-disposition", "attachment; filename*=UTF-8''a%20"),
        ] {
            assert!(reply.headers[name].to_str().is_ok_and(|given| given.starts_with(value)), "{name}: {:?}", reply.headers[name]);
        }
        assert_eq!(reply.bytes, b"ID3\x03\0\0\0\0\0\x0fmusic");

        let head = app.head(&path).await;
        assert_eq!(
            (head.status.as_u16(), head.bytes.len(), &head.headers["content-length"]),
            (200, 0, &reply.headers["content-length"])
        );

        for (range, status, shown, bytes) in [
            ("bytes=0-2", 206, "bytes 0-2/15", &b"ID3"[..]),
            ("bytes=10-", 206, "bytes 10-14/15", b"music"),
            ("bytes=-5", 206, "bytes 10-14/15", b"music"),
            ("bytes=15-", 416, "bytes */15", b""),
        ] {
            let part = app.call(Method::GET, &path).header("range", range).send().await;
            assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (status, bytes), "{range}");
            assert_eq!(part.headers["content-range"], shown, "{range}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_downloaded_where_that_is_wanted() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        let message = sent(&app, "token-1", &room, Form::file("a.png", "image/png", PNG)).await;
        let shown = fetched(&app, &link(&message), "token-1", &room).await;
        assert_eq!(shown.headers["content-disposition"], "inline; filename*=UTF-8''a.png");
        let path = format!("{}?download&rc_room_type=l&rc_rid={room}&rc_token=token-1", link(&message));
        assert_eq!(app.get(&path).await.headers["content-disposition"], "attachment; filename*=UTF-8''a.png");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_at_other_addresses() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        app.register("token-1", "Mary").await;
        let room = app.room("token-1").await;
        for id in ["nothing", "..", "%2e%2e%2fusher.db", "%00", "a%23b", "*"] {
            let reply = fetched(&app, &format!("/file-upload/{id}/a.png"), "token-1", &room).await;
            assert_eq!((reply.status.as_u16(), reply.bytes.len()), (404, 0), "{id}");
        }
    }
}
