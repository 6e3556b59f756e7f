//! Beginning, going on and ending a connection.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{RealtimeClient, Setup, TestApp};

const CONNECT: &str = r#"{"msg":"connect","version":"1","support":["1","pre2","pre1"]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn connections_begin_as_clients_expect() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    let mut client = RealtimeClient::open(&app, "/websocket").await;
    assert_eq!(client.next().await, json!({"server_id": "0"}));
    client.send_text(r#"{"msg":"ping","id":"early"}"#).await;
    assert_eq!(client.next().await, json!({"msg": "pong", "id": "early"}));
    client.send_text(CONNECT).await;
    let connected = client.next().await;
    let session = connected["session"].as_str().expect("the session has an id");
    assert_eq!((session.len(), &connected), (17, &json!({"msg": "connected", "session": session})));
    client.send_text(r#"{"msg":"ping"}"#).await;
    assert_eq!(client.next().await, json!({"msg": "pong"}));
    client.send_text(r#"{"msg":"pong"}"#).await;
    client.send_text(CONNECT).await;
    assert_eq!(client.next().await["reason"], "Already connected");
    client.send_text(r#"{"msg":"dance"}"#).await;
    let expected = json!({"msg": "error", "reason": "Bad request", "offendingMessage": {"msg": "dance"}});
    assert_eq!(client.next().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_keep_to_the_protocol_is_told_why_it_ends() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    for (texts, code) in [
        (&[r#"{"msg":"method","method":"x","id":"1"}"#][..], 1_002),
        (&[r#"{"msg":"sub","name":"x","id":"1"}"#], 1_002),
        (&[r#"{"msg":"connect","version":"0","support":["0"]}"#], 1_002),
        (&[CONNECT, r#"{"msg":"method","method":"x"}"#], 1_002),
        (&[CONNECT, r#"{"msg":"method","id":"1"}"#], 1_002),
        (&[CONNECT, r#"{"msg":"sub","id":"1"}"#], 1_002),
        (&["nonsense"], 1_007),
        (&[CONNECT, "[]"], 1_007),
    ] {
        let mut client = RealtimeClient::open(&app, "/websocket").await;
        for text in texts {
            client.send_text(text).await;
        }
        assert_eq!(client.closed().await, code, "{texts:?}");
    }
    let mut client = RealtimeClient::connect(&app).await;
    client.send_bytes(vec![1, 2, 3]).await;
    assert_eq!(client.closed().await, 1_007);
    let mut client = RealtimeClient::connect(&app).await;
    // It ends before all of it is sent: whether that goes well is a matter of time.
    client.try_send(&"x".repeat((512 << 10) + 1)).await;
    assert_eq!(client.closed().await, 1_009);
    let mut client = RealtimeClient::open(&app, "/websocket").await;
    client.send(&json!({"msg": "connect", "version": "0"})).await;
    client.wait_for(|frame| *frame == json!({"msg": "failed", "version": "1"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_and_every_subscription_is_answered() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    let mut client = RealtimeClient::connect(&app).await;
    let unknown = client.call("no-such-method", json!([])).await;
    let error = json!({"isClientSafe": true, "error": 404, "reason": "Method 'no-such-method' not found",
        "message": "Method 'no-such-method' not found [404]", "errorType": "Meteor.Error"});
    assert_eq!(unknown, json!({"msg": "result", "id": unknown["id"], "error": error}));
    let settings = client.call("public-settings/get", json!([])).await;
    assert!(settings["result"].as_array().is_some_and(|settings| settings.len() > 10), "{settings}");

    let nosub = client.subscribe_as("a", "stream-unheard-of", json!([])).await;
    assert_eq!(nosub["error"]["reason"], "Subscription 'stream-unheard-of' not found");
    for name in ["meteor.loginServiceConfiguration", "meteor_autoupdate_clientVersions", "userData", "activeUsers"] {
        assert_eq!(client.subscribe_as("b", name, json!([])).await, json!({"msg": "ready", "subs": ["b"]}), "{name}");
    }
    let nameless = client.subscribe_as("c", "stream-notify-all", json!(["", false])).await;
    assert_eq!(nameless["error"]["error"], "invalid-event-name");
    assert_eq!(client.subscribe_as("d", "stream-notify-all", json!(["public-settings-changed", true])).await["msg"], "ready");
    let added = json!({"eventName": "public-settings-changed"});
    let expected = json!({"msg": "added", "collection": "stream-notify-all", "id": "id", "fields": added});
    assert_eq!(client.next().await, expected, "some clients hear nothing without it");

    client.send(&json!({"msg": "unsub", "id": "never"})).await;
    client.send(&json!({"msg": "unsub", "id": "d"})).await;
    assert_eq!(client.next().await, json!({"msg": "nosub", "id": "d"}), "there is no answer to the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_sockjs_have_frames_of_their_own() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    let info = app.get("/sockjs/info").await;
    assert_eq!(info.headers["access-control-allow-origin"], "*");
    let entropy =
        info.body["entropy"].as_u64().filter(|entropy| u32::try_from(*entropy).is_ok()).expect("it is a number of 32 bits");
    assert_eq!(info.body, json!({"websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": entropy}));

    let mut client = RealtimeClient::open(&app, "/sockjs/123/abcdefgh/websocket").await;
    assert_eq!(client.next_text().await, "o");
    client.send(&json!([CONNECT, r#"{"msg":"ping","id":"1"}"#])).await;
    let framed = async |client: &mut RealtimeClient| {
        let text = client.next_text().await;
        let texts: Vec<String> = serde_json::from_str(text.strip_prefix('a').expect("it is a frame")).expect("it is a list");
        serde_json::from_str::<Value>(&texts[0]).expect("it holds JSON")
    };
    assert_eq!(framed(&mut client).await["msg"], "connected");
    assert_eq!(framed(&mut client).await, json!({"msg": "pong", "id": "1"}));
    client.send_text("{}").await;
    assert_eq!(client.next_text().await, r#"c[3000,"Go away!"]"#);
    assert_eq!(client.closed().await, 1_007);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_leaves_nothing() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    let mut staying = RealtimeClient::connect(&app).await;
    let leaving = RealtimeClient::connect(&app).await;
    assert_eq!(app.realtime.connections(), 2);
    drop(leaving);
    while app.realtime.connections() > 1 {
        staying.catch_up(&app).await;
    }
    let metrics = app.get("/metrics").await.body;
    assert!(metrics.as_str().is_some_and(|metrics| metrics.contains("usher_realtime_connections 1\n")), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_for_too_much_is_slowed_down() {
    let setup = Setup::default().with_rate_limits().setting("DDP_Rate_Limit_Connection_Requests_Allowed", "30");
    let app = setup.start(&Engine::sqlite()).await;
    let mut client = RealtimeClient::connect(&app).await;
    for number in 0..15 {
        let answer = client.call("livechat:setUpConnection", json!([{"token": "mary"}])).await;
        let refused = answer["error"]["error"] == "too-many-requests";
        assert_eq!(refused, number >= 10, "ten calls of one method in ten seconds: {answer}");
    }
    let mut granted = 0;
    for number in 0..30 {
        let answer = client.subscribe_as(&number.to_string(), "stream-notify-all", json!(["license", false])).await;
        match answer["msg"].as_str() {
            Some("ready") => granted += 1,
            _ => assert_eq!(answer["error"]["error"], "too-many-requests"),
        }
    }
    assert_eq!(granted, 15, "thirty calls and subscriptions in all");
    let mut other = RealtimeClient::connect(&app).await;
    assert_eq!(other.call("livechat:setUpConnection", json!([{"token": "mary"}])).await.get("error"), None);
}
