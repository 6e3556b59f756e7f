//! Agents as visitors see them: who serves a chat, and who would get the next one.

use serde_json::{Map, Value};
use usher_domain::settings::{self as setting, Settings};
use usher_domain::visitor::VisitorToken;
use usher_store::q;
use usher_store::q::users::User;

use crate::rooms::{department_for_everybody, find};
use crate::users::object;
use crate::{Error, Refusal, Services};

/// An agent as a visitor may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSeen {
    /// The record; `None` where visitors do not see who serves them.
    pub user: Option<User>,
    /// Whether its e-mail address is shown.
    pub shows_email: bool,
    /// The custom fields that are shown, if any can be.
    pub custom_fields: Option<Map<String, Value>>,
}

impl Services {
    /// The agent who serves a visitor's room.
    pub async fn agent_of_room(&self, token: VisitorToken, room_id: String) -> Result<AgentSeen, Error> {
        let agent = self
            .store
            .read(move |tx| {
                let visitor = q::visitors::by_token(tx, &token)?.ok_or(Refusal::InvalidToken)?;
                let room =
                    q::rooms::by_id(tx, &room_id)?.filter(|room| room.visitor_id == visitor.id).ok_or(Refusal::InvalidRoom)?;
                let served_by = room.served_by.ok_or(Refusal::InvalidAgent)?;
                q::users::by_id(tx, &served_by.agent.id)?.ok_or_else(|| Error::from(Refusal::InvalidAgent))
            })
            .await?;
        Ok(self.seen_by_visitors(agent))
    }

    /// Whether visitors see who serves them.
    pub fn shows_agents(&self) -> bool {
        self.platform().settings.get(&setting::SHOW_AGENT_INFO)
    }

    /// An agent as visitors may see it.
    pub fn seen_by_visitors(&self, agent: User) -> AgentSeen {
        let platform = self.platform();
        let settings = &platform.settings;
        if !settings.get(&setting::SHOW_AGENT_INFO) {
            return AgentSeen { user: None, shows_email: false, custom_fields: None };
        }
        let custom_fields = shown_fields(settings, &agent);
        AgentSeen { user: Some(agent), shows_email: settings.get(&setting::SHOW_AGENT_EMAIL), custom_fields }
    }

    /// The agent who gets the next chat, which counts as if it had got it; `None` for a visitor who has an open chat already.
    pub async fn next_agent(&self, token: Option<VisitorToken>, department_id: Option<String>) -> Result<Option<AgentSeen>, Error> {
        let (rules, now) = (self.rules(), self.now());
        let agent = self
            .store
            .write(move |tx| {
                let visitor = token.as_ref().map_or(Ok(None), |token| q::visitors::by_token(tx, token))?;
                if let Some(visitor) = visitor
                    && q::rooms::has_open(tx, &visitor.id)?
                {
                    return Ok(None);
                }
                let department = match &department_id {
                    Some(id) => Some(q::departments::by_id(tx, id)?.ok_or(Refusal::AgentNotFound)?),
                    None => department_for_everybody(tx, &rules)?,
                };
                let chosen = find(tx, &rules, department.as_ref(), None, now)?.agent.ok_or(Refusal::AgentNotFound)?;
                let agent = q::users::by_id(tx, &chosen.id)?.ok_or(Refusal::InvalidAgent)?;
                Ok::<_, Error>(Some(agent))
            })
            .await?;
        Ok(agent.map(|agent| self.seen_by_visitors(agent)))
    }
}

/// The custom fields of an agent that are declared as meant for others, if any field is declared at all.
fn shown_fields(settings: &Settings, agent: &User) -> Option<Map<String, Value>> {
    let declared: Map<String, Value> = serde_json::from_str(settings.text(&setting::CUSTOM_USER_FIELDS)).ok()?;
    let is_shown = |name: &String| declared.get(name).is_some_and(|field| field["sendToIntegrations"] == true);
    let fields: Map<String, Value> = object(&agent.custom_fields).into_iter().filter(|(name, _)| is_shown(name)).collect();
    Some(fields).filter(|fields| !fields.is_empty())
}
