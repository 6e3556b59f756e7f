//! Visitors who are erased while a file of theirs is being made: a picture that arrives, a smaller one, or a printed transcript.

use std::sync::Arc;

use axum::http::Method;
use serde_json::json;
use usher_testkit::engines::Engine;
use usher_testkit::{Form, TestApp, picture};

use super::{kept, sent, tidy, upload};
use crate::support::{KEEP_CONNECTION, tamper, usual};

/// What is being made.
#[derive(Debug, Clone, Copy)]
enum Making {
    Upload,
    SmallerPicture,
    Transcript,
}

/// Makes it; it comes to the gate.
async fn make(app: &TestApp, making: Making, room: &str) {
    match making {
        Making::Upload => {
            let reply = upload(app, "token-1", room, Form::file("a.txt", "text/plain", b"words")).send().await;
            assert!(reply.status.is_client_error(), "{}", reply.body);
        }
        Making::SmallerPicture => drop(app.services.make_next_preview().await.expect("it can be made")),
        Making::Transcript => drop(app.services.print_next_transcript().await.expect("it can be printed")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_made_goes_with_its_visitor_and_sealing_waits_for_it() {
    for making in [Making::Upload, Making::SmallerPicture, Making::Transcript] {
        for engine in Engine::all() {
            let app = Arc::new(usual().setting(KEEP_CONNECTION, "true").start(&engine).await);
            app.register("token-1", "Mary").await;
            let room = app.room("token-1").await;
            sent(&app, "token-1", &room, Form::file("large.png", "image/png", &picture(1_000, 500))).await;
            tamper(&app, "UPDATE rooms SET pdf_requested_at = 1").await;
            app.gate.close();
            let maker = tokio::spawn({
                let (app, room) = (Arc::clone(&app), room.clone());
                async move { make(&app, making, &room).await }
            });
            app.gate.reached().await;
            app.call(Method::DELETE, "/api/v1/livechat/visitor/token-1").json(&json!({})).send().await.ok();
            let mut sealing = Box::pin(app.services.finish_erasures());
            let is_sealed = tokio::select! {
                biased;
                sealed = &mut sealing => Some(sealed),
                () = at_rest(&app) => None,
            };
            assert_eq!((is_sealed, app.services.unsealed_erasures().await), (None, Ok(1)), "{making:?}: its bytes may still come");
            app.gate.open();
            assert_eq!(sealing.await, Ok(1), "{making:?}");
            maker.await.unwrap_or_else(|panicked| panic!("{making:?}: {panicked}"));
            tidy(&app).await;
            assert_eq!((kept(&app), app.services.unsealed_erasures().await), (Vec::new(), Ok(0)), "{making:?}");
        }
    }
}

/// Until the store has answered many times: whoever could go on has gone on by then.
async fn at_rest(app: &TestApp) {
    for _ in 0..200 {
        app.services.unsealed_erasures().await.expect("erasures can be counted");
    }
}
