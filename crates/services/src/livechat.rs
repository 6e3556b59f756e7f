//! What the widget asks first: how it looks, what it offers, and what it already knows of its visitor.

use serde_json::{Map, Value, json};
use usher_domain::settings::{self as setting, Settings};
use usher_domain::visitor::{Visitor, VisitorToken};
use usher_store::q;

use crate::documents::addresses;
use crate::rooms::OpenRoom;
use crate::{Error, Services};

impl Services {
    /// The widget's configuration, with the guest and its room if `token` is known.
    pub async fn livechat_config(&self, token: Option<VisitorToken>) -> Result<Value, Error> {
        let platform = self.platform();
        let settings = &platform.settings;
        if !settings.get(&setting::LIVECHAT_ENABLED) {
            return Ok(json!({"enabled": false}));
        }
        let mut config = json!({
            "enabled": true,
            "settings": behaviour(settings),
            "theme": theme(settings),
            "messages": messages(settings),
            "survey": {
                "items": ["satisfaction", "agentKnowledge", "agentResposiveness", "agentFriendliness"],
                "values": ["1", "2", "3", "4", "5"],
            },
            "triggers": [],
            "departments": [],
            "customFields": [],
            "resources": {"sound": format!("{}/sounds/chime.mp3", settings.text(&setting::SITE_URL).trim_end_matches('/')), "emojis": []},
            // There are no agents yet, so somebody is there only where nobody has to be.
            "online": settings.get(&setting::ACCEPT_WITHOUT_AGENTS),
        });
        if let (Some(token), Some(config)) = (token, config.as_object_mut()) {
            self.add_guest(config, token).await?;
        }
        Ok(config)
    }

    async fn add_guest(&self, config: &mut Map<String, Value>, token: VisitorToken) -> Result<(), Error> {
        let presented = token.clone();
        let known: Option<(Visitor, Option<OpenRoom>)> = self
            .store
            .read(move |tx| {
                let Some(visitor) = q::visitors::by_token(tx, &token)? else { return Ok::<_, Error>(None) };
                let room = q::rooms::first_open(tx, &visitor.id)?;
                let room = room.map(|stored| OpenRoom { room: stored.room, last_message: None, is_new: false });
                Ok(Some((visitor, room)))
            })
            .await?;
        let Some((visitor, room)) = known else { return Ok(()) };
        config.insert("guest".to_owned(), guest(&visitor, presented.as_str()));
        if let Some(OpenRoom { room, .. }) = room {
            let mut shown = json!({"_id": room.id, "open": true});
            if let Some(department) = room.department_id {
                shown["departmentId"] = department.into();
            }
            config.insert("room".to_owned(), shown);
        }
        Ok(())
    }
}

fn guest(visitor: &Visitor, token: &str) -> Value {
    let mut guest = json!({"_id": visitor.id, "username": visitor.username, "token": token});
    let optional = [
        ("name", visitor.name.as_deref().map(Value::from)),
        ("visitorEmails", addresses(visitor).map(|emails| json!(emails))),
        ("department", visitor.department_id.as_deref().map(Value::from)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            guest[key] = value;
        }
    }
    guest
}

fn behaviour(settings: &Settings) -> Value {
    json!({
        "registrationForm": settings.get(&setting::REGISTRATION_FORM),
        "allowSwitchingDepartments": settings.get(&setting::SWITCHING_DEPARTMENTS),
        "nameFieldRegistrationForm": settings.get(&setting::REGISTRATION_NAME),
        "emailFieldRegistrationForm": settings.get(&setting::REGISTRATION_EMAIL),
        "displayOfflineForm": settings.get(&setting::OFFLINE_FORM),
        "videoCall": settings.choice(&setting::CALL_PROVIDER) == "default-provider",
        "fileUpload": settings.get(&setting::FILE_UPLOAD) && settings.get(&setting::FILE_UPLOAD_AT_ALL),
        "language": settings.text(&setting::LANGUAGE),
        "transcript": settings.get(&setting::TRANSCRIPT),
        "historyMonitorType": settings.choice(&setting::HISTORY_MONITOR_TYPE),
        "forceAcceptDataProcessingConsent": settings.get(&setting::FORCE_CONSENT),
        "showConnecting": false,
        "agentHiddenInfo": !settings.get(&setting::SHOW_AGENT_INFO),
        "clearLocalStorageWhenChatEnded": settings.get(&setting::CLEAR_STORAGE_AT_END),
        "limitTextLength": text_limit(settings),
        "hiddenSystemMessages": settings.list(&setting::WIDGET_HIDDEN_SYSTEM_MESSAGES),
        "hideWatermark": settings.get(&setting::HIDE_WATERMARK),
        "visitorsCanCloseChat": settings.get(&setting::VISITORS_MAY_CLOSE),
    })
}

/// `false` without a limit, otherwise the limit; 0 stands for the general one.
fn text_limit(settings: &Settings) -> Value {
    if !settings.get(&setting::LIMIT_MESSAGE_LENGTH) {
        return Value::Bool(false);
    }
    match settings.get(&setting::MESSAGE_CHARACTER_LIMIT) {
        0 => settings.get(&setting::MESSAGE_MAX_ALLOWED_SIZE).into(),
        limit => limit.into(),
    }
}

fn theme(settings: &Settings) -> Value {
    json!({
        "title": settings.text(&setting::TITLE),
        "color": settings.text(&setting::TITLE_COLOR),
        "offlineTitle": settings.text(&setting::OFFLINE_TITLE),
        "offlineColor": settings.text(&setting::OFFLINE_TITLE_COLOR),
        "position": settings.choice(&setting::WIDGET_POSITION),
        "background": settings.text(&setting::WIDGET_BACKGROUND),
        "hideExpandChat": settings.get(&setting::HIDE_EXPAND_CHAT),
        "actionLinks": {
            "jitsi": [{"icon": "icon-videocam", "i18nLabel": "Accept"}, {"icon": "icon-cancel", "i18nLabel": "Decline"}],
        },
    })
}

fn messages(settings: &Settings) -> Value {
    json!({
        "offlineMessage": settings.text(&setting::OFFLINE_MESSAGE),
        "offlineSuccessMessage": settings.text(&setting::OFFLINE_SUCCESS_MESSAGE),
        "offlineUnavailableMessage": settings.text(&setting::OFFLINE_FORM_UNAVAILABLE),
        "conversationFinishedMessage": settings.text(&setting::CONVERSATION_FINISHED_MESSAGE),
        "conversationFinishedText": settings.text(&setting::CONVERSATION_FINISHED_TEXT),
        "transcriptMessage": settings.text(&setting::TRANSCRIPT_MESSAGE),
        "registrationFormMessage": settings.text(&setting::REGISTRATION_MESSAGE),
        "dataProcessingConsentText": settings.text(&setting::CONSENT_TEXT),
    })
}
