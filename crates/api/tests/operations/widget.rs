//! `/livechat`: the widget's page and files, which browsers ask for.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use usher_api::{Api, TrustedProxies};
use usher_testkit::TestApp;
use usher_testkit::engines::{Engine, Folder};

use crate::support::usual;

const PAGE: &str = "<!doctype html><html><head></head><body><script src=\"livechat/bundle.1.js\"></script></body></html>";

/// Asks for something of a widget that is in `folder`.
async fn ask(app: &TestApp, folder: &Folder, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let api = Api::new(Arc::clone(&app.services), TrustedProxies::default()).with_widget(Some(folder.path().join("build")));
    let mut request = Request::builder().uri(path).header("host", "chat.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("it is a request");
    let answer = usher_api::router(Arc::new(api)).oneshot(request).await.expect("the router never fails");
    let (head, body) = answer.into_parts();
    let bytes = body.collect().await.expect("it is here already").to_bytes();
    (head.status, head.headers, String::from_utf8_lossy(&bytes).into_owned())
}

fn folder() -> Folder {
    let folder = Folder::default();
    std::fs::create_dir(folder.path().join("build")).expect("it can be made");
    std::fs::write(folder.path().join("build/index.html"), PAGE).expect("it can be written");
    std::fs::write(folder.path().join("build/bundle.1.js"), "code()").expect("it can be written");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_knows_its_server() {
    let app = usual().start(&Engine::sqlite()).await;
    let folder = folder();
    for path in ["/livechat", "/livechat?mode=popout", "/livechat/"] {
        let (status, headers, page) = ask(&app, &folder, path, &[]).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (StatusCode::OK, &"text/html; charset=utf-8".parse().expect("it is a value"))
        );
        assert!(
            page.contains("<body><script> SERVER_URL = 'http://chat.example'; </script><script src=\"livechat/bundle.1.js\">"),
            "{page}"
        );
        for name in ["content-security-policy", "x-frame-options", "location"] {
            assert_eq!(headers.get(name), None, "{path}");
        }
    }
    let app = usual().setting("Site_Url", "https://help.example/").start(&Engine::sqlite()).await;
    let (_, _, page) = ask(&app, &folder, "/livechat", &[]).await;
    assert!(page.contains("SERVER_URL = 'https://help.example';"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_those_of_the_folder_and_no_others() {
    let app = usual().start(&Engine::sqlite()).await;
    let folder = folder();
    std::fs::write(folder.path().join("secret.txt"), "secret").expect("it can be written");
    let (status, headers, body) = ask(&app, &folder, "/livechat/bundle.1.js", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "code()"));
    assert!(headers["content-type"].to_str().is_ok_and(|kind| kind.contains("javascript")), "{headers:?}");
    assert_eq!(headers["cache-control"], "public, max-age=3600");
    for path in ["nothing.js", "../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "/etc/passwd", "x%00.js"] {
        let (status, _, body) = ask(&app, &folder, &format!("/livechat/{path}"), &[]).await;
        assert!(status.is_client_error() && !body.contains("secret"), "{path}: {status} {body}");
    }
    let (status, headers, sound) = ask(&app, &folder, "/sounds/chime.mp3", &[]).await;
    assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"audio/mpeg".parse().expect("it is a value")));
    assert!(sound.len() > 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_sites_show_the_widget() {
    let app = usual().setting("Livechat_AllowedDomainsList", "shop.example,other.example").start(&Engine::sqlite()).await;
    let folder = folder();
    let (status, headers, _) = ask(&app, &folder, "/livechat", &[("referer", "https://shop.example/cart")]).await;
    assert_eq!(
        (status, &headers["content-security-policy"]),
        (StatusCode::OK, &"frame-ancestors https://shop.example".parse().expect("it is a value"))
    );
    let (status, headers, page) = ask(&app, &folder, "/livechat", &[("referer", "https://evil.example/")]).await;
    assert_eq!(
        (status, &headers["content-security-policy"]),
        (StatusCode::NOT_FOUND, &"frame-ancestors 'none'".parse().expect("it is a value"))
    );
    assert_eq!(page, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_widget_it_is_said_how_to_get_one() {
    let app = usual().start(&Engine::sqlite()).await;
    for path in ["/livechat", "/livechat/bundle.1.js"] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        assert!(reply.body.as_str().is_some_and(|told| told.contains("USHER_WIDGET_DIR")), "{}", reply.body);
    }
}
