//! `GET livechat/config`: what the widget asks first.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::support::{coded, usual};

const CONFIG: &str = "/api/v1/livechat/config";

/// What a server with nothing but defaults answers.
fn defaults() -> Value {
    json!({
        "config": {
            "enabled": true,
            "settings": {
                "registrationForm": true,
                "allowSwitchingDepartments": true,
                "nameFieldRegistrationForm": true,
                "emailFieldRegistrationForm": true,
                "displayOfflineForm": true,
                "videoCall": false,
                "fileUpload": true,
                "language": "",
                "transcript": false,
                "historyMonitorType": "url",
                "forceAcceptDataProcessingConsent": false,
                "showConnecting": false,
                "agentHiddenInfo": false,
                "clearLocalStorageWhenChatEnded": false,
                "limitTextLength": false,
                "hiddenSystemMessages": ["uj", "ul", "livechat-close"],
                "hideWatermark": false,
                "visitorsCanCloseChat": true,
            },
            "theme": {
                "title": "Rocket.Chat",
                "color": "#C1272D",
                "offlineTitle": "Leave a message",
                "offlineColor": "#666666",
                "position": "right",
                "background": "",
                "hideExpandChat": false,
                "actionLinks": {
                    "jitsi": [
                        {"icon": "icon-videocam", "i18nLabel": "Accept"},
                        {"icon": "icon-cancel", "i18nLabel": "Decline"},
                    ],
                },
            },
            "messages": {
                "offlineMessage": "",
                "offlineSuccessMessage": "",
                "offlineUnavailableMessage": "",
                "conversationFinishedMessage": "",
                "conversationFinishedText": "",
                "transcriptMessage": "",
                "registrationFormMessage": "",
                "dataProcessingConsentText": "",
            },
            "survey": {
                "items": ["satisfaction", "agentKnowledge", "agentResposiveness", "agentFriendliness"],
                "values": ["1", "2", "3", "4", "5"],
            },
            "triggers": [],
            "departments": [],
            "customFields": [],
            "resources": {"sound": "/sounds/chime.mp3", "emojis": []},
            "online": false,
        },
        "success": true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_defaults_are_shown() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        for query in ["", "?", "?token=", "?token=nobody", "?department=x&businessUnit=y&anything=z"] {
            app.get(&format!("{CONFIG}{query}")).await.is(200, &defaults());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_while_livechat_is_off() {
    for engine in Engine::all() {
        let app = usual().setting("Livechat_enabled", "false").start(&engine).await;
        app.register("token-1", "Mary").await;
        let expected = json!({"config": {"enabled": false}, "success": true});
        app.get(&format!("{CONFIG}?token=token-1")).await.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_guest_is_shown_with_its_room() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let mary = app.register("token-1", "Mary").await;
        let mut expected = defaults();
        expected["config"]["online"] = json!(true);
        expected["config"]["guest"] = json!({
            "_id": mary["_id"],
            "username": "guest-1",
            "name": "Mary",
            "token": "token-1",
            "visitorEmails": [{"address": "mary@example.com"}],
        });
        app.get(&format!("{CONFIG}?token=token-1")).await.is(200, &expected);

        let room = app.room("token-1").await;
        expected["config"]["room"] = json!({"_id": room, "open": true});
        app.get(&format!("{CONFIG}?token=token-1")).await.is(200, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_sees_nobody() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        let mary = app.register("token-1", "Mary").await;
        app.room("token-1").await;
        let id = mary["_id"].as_str().expect("a visitor has an id");
        for token in ["nobody", id, "guest-1", "mary@example.com", "TOKEN-1", ""] {
            let config = app.get(&format!("{CONFIG}?token={token}")).await.ok()["config"].clone();
            assert_eq!((&config["guest"], &config["room"]), (&Value::Null, &Value::Null), "{token}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_text_is_refused() {
    for engine in Engine::all() {
        let app = TestApp::usual(&engine).await;
        for query in ["token[]=x", "token[$ne]=", "token=a&token=b", "department[]=x", "businessUnit[a]=x"] {
            app.get(&format!("{CONFIG}?{query}")).await.is(400, &coded("must be string", "error-invalid-params"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_show_through() {
    let table: [Row; 14] = [
        ("Livechat_accept_chats_with_no_agents", "true", "/online", json!(true)),
        ("Livechat_title", "Ask us", "/theme/title", json!("Ask us")),
        ("Livechat_title_color", "#000000", "/theme/color", json!("#000000")),
        ("Livechat_widget_position", "left", "/theme/position", json!("left")),
        ("Livechat_hide_expand_chat", "true", "/theme/hideExpandChat", json!(true)),
        ("Livechat_registration_form", "false", "/settings/registrationForm", json!(false)),
        ("Livechat_show_agent_info", "false", "/settings/agentHiddenInfo", json!(true)),
        ("FileUpload_Enabled", "false", "/settings/fileUpload", json!(false)),
        ("Livechat_fileupload_enabled", "false", "/settings/fileUpload", json!(false)),
        ("Omnichannel_call_provider", "default-provider", "/settings/videoCall", json!(true)),
        ("Livechat_enable_message_character_limit", "true", "/settings/limitTextLength", json!(5_000)),
        ("Livechat_offline_message", "Away", "/messages/offlineMessage", json!("Away")),
        ("Livechat_data_processing_consent_text", "Agree?", "/messages/dataProcessingConsentText", json!("Agree?")),
        ("Site_Url", "https://chat.example.com/", "/resources/sound", json!("https://chat.example.com/sounds/chime.mp3")),
    ];
    // Each by itself, and all at once on every engine.
    let sqlite = Engine::sqlite;
    for row in &table {
        assert_eq!(shown_with(&sqlite(), &[row]).await, expected_with(&[row]), "{row:?}");
    }
    let all: Vec<_> = table.iter().collect();
    for engine in Engine::all() {
        assert_eq!(shown_with(&engine, &all).await, expected_with(&all));
    }
    let app = Setup::default()
        .setting("Livechat_enable_message_character_limit", "true")
        .setting("Livechat_message_character_limit", "140")
        .start(&sqlite())
        .await;
    assert_eq!(app.get(CONFIG).await.ok()["config"]["settings"]["limitTextLength"], 140);
}

/// A setting, its value, the place where it shows, and how.
type Row = (&'static str, &'static str, &'static str, Value);

/// What a server with these settings shows.
async fn shown_with(engine: &Engine, settings: &[&Row]) -> Value {
    let setup = settings.iter().fold(Setup::default(), |setup, (id, value, ..)| setup.setting(id, value));
    setup.start(engine).await.get(CONFIG).await.ok()
}

/// The defaults with what these settings change.
fn expected_with(settings: &[&Row]) -> Value {
    let mut expected = defaults();
    for (_, _, place, shown) in settings {
        *expected["config"].pointer_mut(place).expect("the place is in the defaults") = shown.clone();
    }
    expected
}
