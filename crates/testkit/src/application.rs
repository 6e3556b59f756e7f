//! The application in process: requests go through the router without a socket, and every answer is held against the document that
//! the application gives of itself.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tower::ServiceExt;
use usher_adapters::{ObjectStorage, Painter, Press};
use usher_api::{Api, TrustedProxies};
use usher_ddp::{Realtime, Running};
use usher_domain::password::PasswordDigest;
use usher_domain::settings;
use usher_services::logins::LoginForm;
use usher_services::platform::SettingsOfEnvironment;
use usher_services::ports::Outside;
use usher_services::users::{FirstUser, UserChoice};
use usher_services::{Hub, Services};

use crate::document::Document;
use crate::engines::{Engine, Folder};
use crate::form::Form;
use crate::gate::{Gate, Gated};
use crate::outside::key_in;
use crate::{FakeExchanges, FakeMailer, ManualClock, SeededRandom};

/// The password of every user that tests make.
pub const PASSWORD: &str = "correct horse battery staple";

/// How an application differs from the usual one.
#[derive(Debug, Clone)]
pub struct Setup {
    settings: Vec<(String, String)>,
    proxies: Vec<String>,
    rate_limits: bool,
    /// Writes run once, not twice: for tests of what happens when many come at once.
    without_rehearsal: bool,
    seed: u64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { settings: Vec::new(), proxies: Vec::new(), rate_limits: false, without_rehearsal: false, seed: 1 }
    }
}

impl Setup {
    /// Ids and tokens are others: for a second process on the same data.
    pub fn seeded(mut self, seed: u64) -> Setup {
        self.seed = seed;
        self
    }

    /// The setting `id` has this value.
    pub fn setting(mut self, id: &str, value: &str) -> Setup {
        self.settings.push((id.to_owned(), value.to_owned()));
        self
    }

    /// Forwarding headers from this network count.
    pub fn trusting(mut self, network: &str) -> Setup {
        self.proxies.push(network.to_owned());
        self
    }

    /// Callers are slowed down.
    pub fn with_rate_limits(mut self) -> Setup {
        self.rate_limits = true;
        self
    }

    /// Writes run once instead of twice.
    pub fn without_rehearsal(mut self) -> Setup {
        self.without_rehearsal = true;
        self
    }

    /// Starts the application on `engine`.
    pub async fn start(self, engine: &Engine) -> TestApp {
        let (clock, hub) = (Arc::new(ManualClock::default()), Arc::new(Hub::default()));
        let store = if self.without_rehearsal {
            engine.open_for_crowds(clock.clone(), hub.clone())
        } else {
            engine.open(clock.clone(), hub.clone())
        };
        let forced = settings::forced(self.settings).expect("tests set settings that exist");
        let environment = SettingsOfEnvironment { forced, ..SettingsOfEnvironment::default() };
        let random = Arc::new(SeededRandom::new(self.seed));
        let (mailer, exchanges) = (Arc::new(FakeMailer::default()), Arc::new(FakeExchanges::default()));
        let files = Folder::default();
        let storage = Arc::new(ObjectStorage::in_folder(files.path()).expect("files can be kept in a folder"));
        let gate = Arc::new(Gate::default());
        let outside = Outside {
            mailer: mailer.clone(),
            exchanges: exchanges.clone(),
            storage: Some(Arc::new(Gated { storage, gate: Arc::clone(&gate) })),
            pictures: Arc::new(Painter),
            printer: Arc::new(Press::default()),
            signer: Arc::new(key_in(&files)),
        };
        let services = Services::start(Arc::new(store), hub, environment, self.rate_limits, clock.clone(), random, outside);
        let services = Arc::new(services.await.expect("an application of the tests starts"));
        let proxies = TrustedProxies::parse(&self.proxies).expect("tests trust networks");
        let realtime = Realtime::new(Arc::clone(&services), {
            let proxies = proxies.clone();
            Arc::new(move |head| proxies.client_of(head))
        });
        let api = Arc::new(Api::new(Arc::clone(&services), proxies));
        let router = usher_api::router(api).merge(usher_ddp::router(Arc::clone(&realtime)));
        TestApp { services, realtime, clock, mailer, exchanges, files, gate, router, served: OnceCell::new() }
    }
}

/// An application on one engine.
pub struct TestApp {
    /// Its use cases.
    pub services: Arc<Services>,
    /// Its realtime side.
    pub realtime: Arc<Realtime>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Takes its mails.
    pub mailer: Arc<FakeMailer>,
    /// Knows which domains take mail: none, until a test says otherwise.
    pub exchanges: Arc<FakeExchanges>,
    /// Where it keeps files.
    pub files: Folder,
    /// What every file passes before it is kept.
    pub gate: Arc<Gate>,
    router: Router,
    /// Where it is served, once somebody wants to connect, and what runs beside the connections.
    served: OnceCell<(SocketAddr, Running)>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON, or as a JSON text if it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The body of an answer that must be 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// Checks status and body of an answer, whole.
    #[track_caller]
    pub fn is(&self, status: u16, body: &Value) {
        assert_eq!((self.status.as_u16(), &self.body), (status, body));
    }
}

/// A request on its way.
pub struct Call<'a> {
    app: &'a TestApp,
    request: axum::http::request::Builder,
    body: Vec<u8>,
}

impl Call<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends `body` as JSON.
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    /// Sends bytes as they are.
    pub fn bytes(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.request = self.request.header("content-type", kind);
        self.body = body;
        self
    }

    /// Sends a form of several parts.
    pub fn form(self, form: Form) -> Self {
        let (kind, body) = form.finish();
        self.bytes(&kind, body)
    }

    /// Sends bytes without saying what they are.
    pub fn untyped(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Adds a header whose value is bytes as they are.
    pub fn raw_header(mut self, name: &str, value: &[u8]) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Comes from this address.
    pub fn from_address(mut self, address: &str) -> Self {
        let peer = SocketAddr::new(address.parse().expect("it is an address"), 40_000);
        self.request = self.request.extension(ConnectInfo(peer));
        self
    }

    /// Presents a login.
    pub fn as_user(self, login: &Login) -> Self {
        self.header("x-user-id", &login.user_id).header("x-auth-token", &login.token)
    }

    /// Sends it, and holds the answer against the document.
    pub async fn send(self) -> Reply {
        let request = self.request.body(Body::from(self.body)).expect("tests make requests that can be");
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.app.router.clone().oneshot(request).await.expect("the router never fails");
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("the answer is here already").to_bytes();
        // Only files are no UTF-8.
        let text = String::from_utf8_lossy(&bytes);
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
        document().check(&method, &path, head.status, &body);
        Reply { status: head.status, headers: head.headers, body, bytes: bytes.to_vec() }
    }
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's id.
    pub user_id: String,
    /// The login token.
    pub token: String,
}

/// The document of the application, read once.
fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::new(&usher_api::document()))
}

impl TestApp {
    /// The usual application on `engine`: rooms open although there is no agent.
    pub async fn usual(engine: &Engine) -> TestApp {
        Setup::default().setting("Livechat_accept_chats_with_no_agents", "true").start(engine).await
    }

    /// Where it is served for real, for clients that keep a connection.
    pub async fn address(&self) -> SocketAddr {
        let serve = async || {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
            let address = listener.local_addr().expect("a listener has an address");
            let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(axum::serve(listener, service).into_future());
            (address, self.realtime.start())
        };
        self.served.get_or_init(serve).await.0
    }

    /// Begins a request.
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 40_000)));
        Call { app: self, request: Request::builder().method(method).uri(path).extension(peer), body: Vec::new() }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path).send().await
    }

    /// `POST path`.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path).json(body).send().await
    }

    /// `HEAD path`: the answer to `GET path` without its body.
    pub async fn head(&self, path: &str) -> Reply {
        self.call(Method::HEAD, path).send().await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path).send().await
    }

    /// Registers a visitor called `name`; gives the record.
    pub async fn register(&self, token: &str, name: &str) -> Value {
        let body = json!({"visitor": {"token": token, "name": name, "email": format!("{name}@example.com")}});
        self.post("/api/v1/livechat/visitor", &body).await.ok()["visitor"].clone()
    }

    /// The id of a visitor's open room, opened if need be.
    pub async fn room(&self, token: &str) -> String {
        let answer = self.get(&format!("/api/v1/livechat/room?token={token}")).await.ok();
        answer["room"]["_id"].as_str().expect("a room has an id").to_owned()
    }

    /// Posts a message; gives it as stored.
    pub async fn message(&self, token: &str, room: &str, text: &str) -> Value {
        let body = json!({"token": token, "rid": room, "msg": text});
        self.post("/api/v1/livechat/message", &body).await.ok()["message"].clone()
    }

    /// Makes the first user, an administrator called `admin`.
    pub async fn create_admin(&self) {
        let first = FirstUser {
            username: "admin".to_owned(),
            email: Some("Admin@example.com".to_owned()),
            name: "Administrator".to_owned(),
            password: PasswordDigest::of_plain(PASSWORD),
        };
        assert_eq!(self.services.create_first_user(first).await, Ok(true));
    }

    /// Logs in as that administrator, who is made if need be.
    pub async fn admin(&self) -> Login {
        if !self.services.has_users().await.expect("users can be asked for") {
            self.create_admin().await;
        }
        self.log_in("admin").await
    }

    /// Logs a user in whom tests made.
    pub async fn log_in(&self, username: &str) -> Login {
        let (name, password) = (UserChoice::Username(username.to_owned()), PasswordDigest::of_plain(PASSWORD));
        let form = LoginForm::Password { name, password, code: None };
        let login = self.services.log_in(form, [192, 0, 2, 1].into()).await.expect("the password is right");
        Login { user_id: login.user.id, token: login.token }
    }

    /// Makes a user with these roles, as the administrator does, and logs it in.
    pub async fn user(&self, username: &str, roles: &[&str]) -> Login {
        let admin = self.admin().await;
        let body = json!({"username": username, "name": username, "email": format!("{username}@example.com"), "password": PASSWORD,
            "roles": roles, "verified": true});
        self.call(Method::POST, "/api/v1/users.create").as_user(&admin).json(&body).send().await.ok();
        self.log_in(username).await
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}
