//! The widget's files, as pages that embed it ask for them: those of any build of the widget, in a folder that the operator names. The page is
//! told which server it talks to.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tower::ServiceExt;
use tower_http::services::ServeDir;
use usher_domain::settings::{ALLOWED_DOMAINS, Settings, WIDGET_SCRIPTS, WIDGET_STYLES};

use crate::Shared;

/// Where the widget is. The page is at exactly this path: its addresses are relative to it.
const PATH: &str = "/livechat";

/// The page among the files.
const PAGE: &str = "index.html";

/// How long browsers keep the files, in seconds. Most have names that change with what is in them.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The sound that the widget makes unless it is told to make another.
const CHIME: &[u8] = include_bytes!("../assets/chime.mp3");

/// The paths of the widget.
pub fn router() -> Router<Shared> {
    let chime = || async { ([(CONTENT_TYPE, HeaderValue::from_static("audio/mpeg")), (CACHE_CONTROL, KEPT)], CHIME) };
    Router::new()
        .route("/sounds/chime.mp3", get(chime))
        .route("/livechat", get(page))
        .route("/livechat/", get(page))
        .route("/livechat/{*file}", get(file))
}

async fn page(State(api): State<Shared>, headers: HeaderMap) -> Response {
    let platform = api.services.platform();
    let embedding = Embedding::of(platform.settings.text(&ALLOWED_DOMAINS), text(&headers, REFERER));
    if embedding == Embedding::Forbidden {
        return (StatusCode::NOT_FOUND, [(CONTENT_SECURITY_POLICY, "frame-ancestors 'none'")]).into_response();
    }
    let Some(folder) = &api.widget else { return missing() };
    let Ok(page) = tokio::fs::read_to_string(folder.join(PAGE)).await else { return missing() };
    // A server that does not know its own address is where the page was asked for.
    let site = match platform.site() {
        "" => format!("http://{}", text(&headers, HOST)),
        site => site.to_owned(),
    };
    let mut response = Html(completed(&page, &site, &platform.settings)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Embedding::In(origin) = embedding
        && let Ok(policy) = HeaderValue::from_str(&format!("frame-ancestors {origin}"))
    {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

async fn file(State(api): State<Shared>, mut request: Request) -> Response {
    let Some(folder) = &api.widget else { return missing() };
    let path = request.uri().path().strip_prefix(PATH).unwrap_or_default();
    let Ok(uri) = path.parse::<Uri>() else { return StatusCode::NOT_FOUND.into_response() };
    *request.uri_mut() = uri;
    let Ok(answer) = ServeDir::new(folder).append_index_html_on_directories(false).oneshot(request).await;
    let mut response = answer.into_response();
    if response.status().is_success() {
        response.headers_mut().insert(CACHE_CONTROL, KEPT);
    }
    response
}

/// What is answered while there is no widget to serve.
fn missing() -> Response {
    const TEXT: &str = "There is no widget here: start the server with --widget-dir FOLDER (or USHER_WIDGET_DIR), the `build` folder of a widget.\n";
    (StatusCode::NOT_FOUND, TEXT).into_response()
}

/// Which pages may show the widget.
#[derive(Debug, PartialEq, Eq)]
enum Embedding {
    /// All.
    Anywhere,
    /// Those of this origin.
    In(String),
    /// Not the one that asks.
    Forbidden,
}

impl Embedding {
    /// Whether a page may show the widget, by the list of hosts that may (empty: all) and the page's address, if it is known.
    fn of(allowed: &str, referer: &str) -> Embedding {
        let mut hosts = allowed.split(',').map(str::trim).filter(|host| !host.is_empty()).peekable();
        if hosts.peek().is_none() || referer.is_empty() {
            return Embedding::Anywhere;
        }
        let page = referer.parse::<Uri>().ok();
        let (scheme, authority) = (page.as_ref().and_then(Uri::scheme_str), page.as_ref().and_then(Uri::authority));
        match (scheme, authority) {
            (Some(scheme), Some(authority)) if hosts.any(|host| host == authority.as_str() || host == authority.host()) => {
                Embedding::In(format!("{scheme}://{authority}"))
            }
            _ => Embedding::Forbidden,
        }
    }
}

/// The page with what the server has to say: its own address, and what administrators add to it.
fn completed(page: &str, site: &str, settings: &Settings) -> String {
    let server = format!("<script> SERVER_URL = '{}'; </script>", in_script(site));
    let listed = |texts: &str, tag: fn(&str) -> String| -> String {
        texts.split(',').map(str::trim).filter(|text| !text.is_empty()).map(|text| tag(&in_attribute(text))).collect()
    };
    let styles = listed(settings.text(&WIDGET_STYLES), |address| format!("<link rel=\"stylesheet\" href=\"{address}\">"));
    let scripts = listed(settings.text(&WIDGET_SCRIPTS), |address| format!("<script src=\"{address}\"></script>"));
    let page = after_tag(page, "<body", &server);
    before(&before(&page, "</head>", &styles), "</body>", &scripts)
}

/// `page` with `what` behind the first tag that begins with `tag`.
fn after_tag(page: &str, tag: &str, what: &str) -> String {
    match page.find(tag).and_then(|start| Some(start + page[start..].find('>')? + 1)) {
        Some(place) => format!("{}{what}{}", &page[..place], &page[place..]),
        None => format!("{what}{page}"),
    }
}

/// `page` with `what` before the last `tag`.
fn before(page: &str, tag: &str, what: &str) -> String {
    match page.rfind(tag) {
        Some(place) => format!("{}{what}{}", &page[..place], &page[place..]),
        None => format!("{page}{what}"),
    }
}

/// A text within quotes in a script: nothing in it ends the quotes or the script.
fn in_script(text: &str) -> String {
    let harmless = |character: char| character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&()*+,;=%".contains(character);
    text.chars().filter(|character| harmless(*character)).collect()
}

/// A text within double quotes in a tag.
fn in_attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_are_completed() {
        let settings = Settings::with([
            ("Livechat_WidgetLayoutClasses", json!("https://a.example/x.css, https://b.example/\"y.css")),
            ("Livechat_AdditionalWidgetScripts", json!("https://a.example/x.js")),
        ]);
        let page = "<html><head><title>x</title></head><body class=\"y\"><div></div></body></html>";
        assert_eq!(
            completed(page, "https://chat.example", &settings.unwrap()),
            "<html><head><title>x</title><link rel=\"stylesheet\" href=\"https://a.example/x.css\"><link rel=\"stylesheet\" \
             href=\"https://b.example/&quot;y.css\"></head><body class=\"y\"><script> SERVER_URL = 'https://chat.example'; </script>\
             <div></div><script src=\"https://a.example/x.js\"></script></body></html>"
        );
        let odd = completed("text", "http://x'</script><script>alert(1)", &Settings::default());
        assert_eq!(odd, "<script> SERVER_URL = 'http://x/scriptscriptalert(1)'; </script>text");
    }

    #[test]
    fn pages_of_other_sites_do_not_get_the_widget() {
        let within = |origin: &str| Embedding::In(origin.to_owned());
        for (allowed, referer, expected) in [
            ("", "https://shop.example/", Embedding::Anywhere),
            (" , ", "https://shop.example/", Embedding::Anywhere),
            ("shop.example", "", Embedding::Anywhere),
            ("shop.example", "https://shop.example/cart?x=1", within("https://shop.example")),
            ("a.example, shop.example", "http://shop.example:8080/", within("http://shop.example:8080")),
            ("shop.example:8080", "http://shop.example:8080/", within("http://shop.example:8080")),
            ("shop.example", "https://shop.example.evil.example/", Embedding::Forbidden),
            ("shop.example", "nonsense", Embedding::Forbidden),
        ] {
            assert_eq!(Embedding::of(allowed, referer), expected, "{allowed} {referer}");
        }
    }
}
