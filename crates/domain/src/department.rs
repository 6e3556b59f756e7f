//! Departments and their agents.

use serde_json::{Map, Value};

/// The name of the member that says where chats may be forwarded to.
pub const FORWARD_TARGETS: &str = "departmentsAllowedToForward";

/// A department as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Department {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where messages go that visitors leave while nobody is there. Not checked to be an address.
    pub email: String,
    /// Whether it is in service.
    pub enabled: bool,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether visitors who register may choose it, and whether it may be chosen for them.
    pub show_on_registration: bool,
    /// Whether the form for offline messages offers it.
    pub show_on_offline_form: bool,
    /// Where chats go that nobody here can take.
    pub fallback_id: Option<String>,
    /// How many agents it has.
    pub agent_count: i64,
    /// All other members, as they were sent.
    pub members: Map<String, Value>,
    /// When it was made (milliseconds UTC).
    pub created_at: i64,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}

/// The place of an agent in a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentAgent {
    /// Its id.
    pub id: String,
    /// The department.
    pub department_id: String,
    /// The agent.
    pub agent_id: String,
    /// The agent's user name, as it is now.
    pub username: String,
    /// Whether the department is in service.
    pub department_enabled: bool,
    /// How many chats of the department were routed to the agent so far.
    pub count: i64,
    /// Who comes first among those with the same count.
    pub order: i64,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}

impl Department {
    /// The tags that every chat gets when it is closed.
    pub fn closing_tags(&self) -> Vec<String> {
        let tags = self.members.get("chatClosingTags").and_then(Value::as_array);
        tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Whether chats may be closed only with a tag.
    pub fn requires_closing_tag(&self) -> bool {
        self.members.get("requestTagBeforeClosingChat").and_then(Value::as_bool).unwrap_or(false)
    }

    /// How many chats an agent may have here at a time.
    pub fn chat_limit(&self) -> Option<i64> {
        limit(self.members.get("maxNumberSimultaneousChat"))
    }

    /// The departments that chats may be forwarded to from here; `None` for any. Older clients sent a text with commas.
    pub fn forward_targets(&self) -> Option<Vec<String>> {
        let targets: Vec<String> = match self.members.get(FORWARD_TARGETS)? {
            Value::Array(targets) => targets.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Value::String(targets) => targets.split(',').map(|target| target.trim().to_owned()).collect(),
            _ => return None,
        };
        let targets: Vec<String> = targets.into_iter().filter(|target| !target.is_empty()).collect();
        Some(targets).filter(|targets| !targets.is_empty())
    }

    /// After how many seconds without a word a visitor counts as gone.
    pub fn inactivity_seconds(&self) -> Option<i64> {
        limit(self.members.get("visitorInactivityTimeoutInSeconds"))
    }
}

/// A limit as clients write it: a number, or a text with a number in it. What is 0 or less, or no number, limits nothing.
pub fn limit(value: Option<&Value>) -> Option<i64> {
    let number = match value? {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn targets_of_forwarding_are_read_leniently() {
        for (value, expected) in [
            (json!(["a", "", "b", 1]), Some(vec!["a", "b"])),
            (json!("a, b"), Some(vec!["a", "b"])),
            (json!([]), None),
            (json!(""), None),
            (json!(null), None),
        ] {
            let mut department = Department {
                id: String::new(),
                name: String::new(),
                email: String::new(),
                enabled: true,
                archived: false,
                show_on_registration: false,
                show_on_offline_form: false,
                fallback_id: None,
                agent_count: 0,
                members: Map::new(),
                created_at: 0,
                updated_at: 0,
            };
            assert_eq!(department.forward_targets(), None, "without the member");
            department.members.insert(FORWARD_TARGETS.to_owned(), value.clone());
            let expected = expected.map(|targets| targets.into_iter().map(str::to_owned).collect());
            assert_eq!(department.forward_targets(), expected, "{value}");
        }
    }

    #[test]
    fn limits_are_read_leniently() {
        for (value, expected) in [
            (json!(5), Some(5)),
            (json!("5"), Some(5)),
            (json!(" 7 "), Some(7)),
            (json!(2.9), Some(2)),
            (json!(0), None),
            (json!(-1), None),
            (json!(""), None),
            (json!("many"), None),
            (json!(null), None),
            (json!(true), None),
        ] {
            assert_eq!(limit(Some(&value)), expected, "{value}");
        }
        assert_eq!(limit(None), None);
    }
}
