//! What clients ask of livechat as a whole: how chats are routed, the settings of integrations, and the widget's custom fields.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::custom_fields::make;
use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::support::usual;

const ROUTING: &str = "/api/v1/livechat/config/routing";
const INTEGRATIONS: &str = "/api/v1/livechat/integrations.settings";

/// What clients are told of a routing method.
pub fn routing(method: &str) -> Value {
    let is_manual = method == "Manual_Selection";
    json!({
        "previewRoom": is_manual,
        "showConnecting": is_manual,
        "showQueue": is_manual,
        "showQueueLink": method == "Auto_Selection",
        "returnQueue": is_manual,
        "enableTriggerAction": !is_manual,
        "autoAssignAgent": !is_manual,
    })
}

/// The routing methods there are.
pub const METHODS: [&str; 5] = ["Auto_Selection", "Manual_Selection", "External", "Load_Balancing", "Load_Rotation"];

#[tokio::test(flavor = "multi_thread")]
async fn users_are_told_how_chats_are_routed() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        app.get(ROUTING).await.is(401, &not_logged_in());
        get(&app, &mary, ROUTING).await.is(200, &json!({"config": routing("Auto_Selection"), "success": true}));
        for method in METHODS {
            post(&app, &admin, "/api/v1/settings/Livechat_Routing_Method", &json!({"value": method})).await.ok();
            get(&app, &mary, ROUTING).await.is(200, &json!({"config": routing(method), "success": true}));
        }
    }
}

/// A setting of integrations as it is answered.
fn setting(id: &str, kind: &str, value: Value, default: Value) -> Value {
    json!({
        "_id": id,
        "value": value,
        "packageValue": default,
        "enterprise": false,
        "type": kind,
        "group": "Omnichannel",
        "section": "CRM_Integration",
        "public": false,
        "hidden": false,
        "secret": id == "Livechat_secret_token",
        "blocked": false,
        "i18nLabel": id,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_see_the_settings_of_integrations() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, agent) = (app.admin().await, app.user("agent", &["livechat-agent"]).await);
        let (manager, monitor) =
            (app.user("manager", &["livechat-manager"]).await, app.user("monitor", &["livechat-monitor"]).await);
        app.get(INTEGRATIONS).await.is(401, &not_logged_in());
        get(&app, &agent, INTEGRATIONS).await.is(403, &not_permitted());
        let events = ["start", "close", "chat_taken", "chat_queued", "forward", "offline_msg", "visitor_message", "agent_message"];
        let mut settings = vec![
            setting("Livechat_webhookUrl", "string", json!(""), json!("")),
            setting("Livechat_secret_token", "string", json!(""), json!("")),
            setting("Livechat_http_timeout", "int", json!(5_000), json!(5_000)),
        ];
        settings
            .extend(events.map(|event| setting(&format!("Livechat_webhook_on_{event}"), "boolean", json!(false), json!(false))));
        for login in [&manager, &monitor, &admin] {
            get(&app, login, INTEGRATIONS).await.is(200, &json!({"settings": settings, "success": true}));
        }
        for (place, value) in [(0, json!("https://example.com/hook")), (1, json!("secret")), (2, json!(100)), (3, json!(true))] {
            let path = format!("/api/v1/settings/{}", settings[place]["_id"].as_str().expect("it has an id"));
            post(&app, &admin, &path, &json!({"value": value})).await.ok();
            settings[place]["value"] = value;
        }
        get(&app, &manager, INTEGRATIONS).await.is(200, &json!({"settings": settings, "success": true}));
    }
}

/// The custom fields that the widget is told of.
async fn widget_fields(app: &TestApp) -> Value {
    app.get("/api/v1/livechat/config").await.ok()["config"]["customFields"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_is_told_of_public_fields() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        assert_eq!(widget_fields(&app).await, json!([]));
        for (id, members) in [
            ("room", json!({"public": true, "scope": "room"})),
            ("hidden", json!({"public": true, "visibility": "hidden"})),
            ("old", json!({"public": true, "visibility": "public"})),
            ("internal", json!({"public": false})),
            ("town", json!({"public": true})),
            (
                "size",
                json!({"public": true, "type": "select", "options": "41,42", "defaultValue": "42", "required": true,
                    "regexp": "[0-9]", "searchable": true}),
            ),
        ] {
            make(&app, &admin, id, members).await;
        }
        let size = json!({"_id": "size", "label": "The size", "regexp": "[0-9]", "required": true, "type": "select",
            "defaultValue": "42", "options": ["41", "42"]});
        let town = json!({"_id": "town", "label": "The town", "regexp": "", "required": false, "type": null, "defaultValue": null});
        assert_eq!(widget_fields(&app).await, json!([size, town]), "at once, by label");
    }
}
