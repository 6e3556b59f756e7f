//! Methods about livechat as a whole, as older clients call them.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::custom_fields::not_allowed;
use super::{call, error, failure, mismatch, result};
use crate::livechat::{METHODS, routing};
use crate::permissions::{get, post};
use crate::support::{rows, usual};

const SAVE: &str = "livechat:saveIntegration";

#[tokio::test(flavor = "multi_thread")]
async fn users_are_told_how_chats_are_routed() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user"]).await);
        for method in METHODS {
            post(&app, &admin, "/api/v1/settings/Livechat_Routing_Method", &json!({"value": method})).await.ok();
            assert_eq!(result(call(&app, &mary, "livechat:getRoutingConfig", json!([])).await), routing(method));
        }
    }
}

/// The value of a setting of integrations.
async fn value(app: &TestApp, manager: &Login, id: &str) -> Value {
    let answer = get(app, manager, "/api/v1/livechat/integrations.settings").await.ok();
    let settings = answer["settings"].as_array().expect("it is a list");
    settings.iter().find(|setting| setting["_id"] == id).expect("it is one of them")["value"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_change_the_settings_of_integrations() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (manager, agent) = (app.user("manager", &["livechat-manager"]).await, app.user("agent", &["livechat-agent"]).await);
        let wanted = json!([{
            "Livechat_webhookUrl": " https://example.com/hook ",
            "Livechat_secret_token": "secret\n",
            "Livechat_http_timeout": 100,
            "Livechat_webhook_on_start": true,
            "Livechat_webhook_on_agent_message": true,
            "Livechat_title": "left alone",
            "other": {},
        }]);
        let before = rows(&app).await;
        assert_eq!(failure(call(&app, &agent, SAVE, wanted.clone()).await, 200), not_allowed(SAVE));
        for (parameters, expected) in [
            (json!([]), mismatch("Expected object, got undefined")),
            (json!([{"Livechat_webhookUrl": 7}]), mismatch("Expected string, got number in field Livechat_webhookUrl")),
            (
                json!([{"Livechat_webhookUrl": "x", "Livechat_webhook_on_start": "true"}]),
                error(json!("invalid-params"), "Match error: Expected boolean, got string"),
            ),
        ] {
            assert_eq!(failure(call(&app, &manager, SAVE, parameters.clone()).await, 200), expected, "{parameters}");
        }
        assert_eq!(rows(&app).await, before);

        assert_eq!(result(call(&app, &manager, SAVE, wanted).await), Value::Null);
        for (id, expected) in [
            ("Livechat_webhookUrl", json!("https://example.com/hook")),
            ("Livechat_secret_token", json!("secret")),
            ("Livechat_http_timeout", json!(100)),
            ("Livechat_webhook_on_start", json!(true)),
            ("Livechat_webhook_on_agent_message", json!(true)),
            ("Livechat_webhook_on_close", json!(false)),
        ] {
            assert_eq!(value(&app, &manager, id).await, expected, "{id}");
        }
        let title = app.get("/api/v1/settings.public?_id=Livechat_title").await.ok();
        assert_eq!(title["settings"][0]["value"], "Rocket.Chat");
    }
}
