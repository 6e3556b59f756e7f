//! What the widget asks first: how it looks, what it offers, and what it already knows of its visitor.

use serde_json::{Value, json};
use usher_domain::department::Department;
use usher_domain::room::Room;
use usher_domain::routing::RoutingMethod;
use usher_domain::settings::{self as setting, Settings};
use usher_domain::visitor::{Visitor, VisitorToken};
use usher_store::q::departments::{Page, Wanted};
use usher_store::q::users::User;
use usher_store::{Tx, q};

use crate::documents::{AgentDocument, ServedByDocument, addresses};
use crate::rooms::{Rules, is_staffed, staffed_or_fallback};
use crate::{Error, Services};

/// Who asks for the widget's configuration, and for which part of the site.
#[derive(Debug, Clone, Default)]
pub struct ConfigRequest {
    /// The visitor's token.
    pub token: Option<VisitorToken>,
    /// A department.
    pub department_id: Option<String>,
}

/// What the store says of the site and of who asks.
struct Known {
    is_online: bool,
    departments: Vec<Department>,
    guest: Option<Visitor>,
    room: Option<Room>,
    agent: Option<User>,
}

impl Services {
    /// The widget's configuration, with the guest, its room and its agent if the token is known.
    pub async fn livechat_config(&self, request: ConfigRequest) -> Result<Value, Error> {
        let platform = self.platform();
        let settings = &platform.settings;
        if !settings.get(&setting::LIVECHAT_ENABLED) {
            return Ok(json!({"enabled": false}));
        }
        let rules = self.rules();
        let token = request.token.clone();
        let known = self.store.read(move |tx| known(tx, &rules, &request)).await?;
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
            "departments": known.departments.iter().map(department).collect::<Vec<_>>(),
            "customFields": self.widget_fields().await?,
            "resources": {"sound": format!("{}/sounds/chime.mp3", settings.text(&setting::SITE_URL).trim_end_matches('/')), "emojis": []},
            "online": known.is_online,
        });
        if let (Some(visitor), Some(token)) = (&known.guest, token) {
            config["guest"] = guest(visitor, token.as_str());
        }
        if let Some(room) = &known.room {
            config["room"] = shown_room(room);
        }
        if let Some(agent) = known.agent {
            config["agent"] = json!(AgentDocument::from(&self.seen_by_visitors(agent)));
        }
        Ok(config)
    }
}

fn known(tx: &mut Tx<'_>, rules: &Rules, request: &ConfigRequest) -> Result<Known, Error> {
    let guest = match &request.token {
        Some(token) => q::visitors::by_token(tx, token)?,
        None => None,
    };
    let room = match &guest {
        Some(visitor) => q::rooms::first_open(tx, &visitor.id)?,
        None => None,
    };
    let agent = match room.as_ref().and_then(|room| room.served_by.as_ref()) {
        Some(served) => q::users::by_id(tx, &served.agent.id)?,
        None => None,
    };
    let is_online = rules.accept_without_agents
        || match &request.department_id {
            Some(id) => staffed_or_fallback(tx, rules, id)?.is_some(),
            None => is_staffed(tx, rules, None)?,
        };
    let wanted = Wanted { enabled: Some(true), archived: Some(false), ..Wanted::default() };
    let mut departments = q::departments::list(tx, &wanted, &Page::whole())?;
    departments.retain(|department| department.agent_count > 0);
    Ok(Known { is_online, departments, guest, room, agent })
}

fn department(department: &Department) -> Value {
    let mut shown = json!({
        "_id": department.id,
        "name": department.name,
        "showOnRegistration": department.show_on_registration,
        "showOnOfflineForm": department.show_on_offline_form,
    });
    if let Some(targets) = department.members.get("departmentsAllowedToForward") {
        shown["departmentsAllowedToForward"] = targets.clone();
    }
    shown
}

fn shown_room(room: &Room) -> Value {
    let mut shown = json!({"_id": room.id, "open": true});
    if let Some(department) = &room.department_id {
        shown["departmentId"] = department.as_str().into();
    }
    if let Some(served) = &room.served_by {
        shown["servedBy"] = json!(ServedByDocument::from(served));
    }
    shown
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
        "showConnecting": shows_connecting(settings),
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

/// Whether widgets say that a chat is being connected.
fn shows_connecting(settings: &Settings) -> bool {
    RoutingMethod::from_name(settings.choice(&setting::ROUTING_METHOD)).config().show_connecting
}

impl Services {
    /// Whether widgets say that a chat is being connected while it waits for an agent.
    pub fn shows_connecting(&self) -> bool {
        shows_connecting(&self.platform().settings)
    }
}
