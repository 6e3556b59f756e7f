//! Custom fields: what a site wants to know of its visitors and chats besides.

use regex::RegexBuilder;
use serde_json::{Map, Value, json};

/// The most bytes that a compiled pattern may need. One that needs more checks nothing.
const PATTERN_SIZE: usize = 1 << 20;

/// The most characters of an id.
pub const ID_LIMIT: usize = 128;

/// What a field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Visitors, and their contacts.
    Visitor,
    /// Rooms.
    Room,
}

impl Scope {
    /// The name on the wire and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Visitor => "visitor",
            Scope::Room => "room",
        }
    }

    /// The scope called `name`.
    pub fn from_name(name: &str) -> Option<Scope> {
        [Scope::Visitor, Scope::Room].into_iter().find(|scope| scope.name() == name)
    }
}

/// A field as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomField {
    /// Its id: the name under which values are stored.
    pub id: String,
    /// How people call it.
    pub label: String,
    /// What it belongs to.
    pub scope: Scope,
    /// `visible` or `hidden`; older data also have `public`.
    pub visibility: String,
    /// All other members, as they were sent.
    pub members: Map<String, Value>,
    /// When it last changed (milliseconds UTC).
    pub updated_at: i64,
}

impl CustomField {
    /// Whether agents do not see it.
    pub fn is_hidden(&self) -> bool {
        self.visibility == "hidden"
    }

    /// Whether a value has to be given.
    pub fn is_required(&self) -> bool {
        self.flag("required")
    }

    /// Whether visitors are found by its values.
    pub fn is_searchable(&self) -> bool {
        self.scope == Scope::Visitor && self.flag("searchable")
    }

    /// Whether the widget asks visitors for it.
    pub fn is_for_widget(&self) -> bool {
        self.scope == Scope::Visitor && self.visibility == "visible" && self.flag("public")
    }

    /// Whether contacts may have it: visitors' fields that agents see.
    pub fn is_of_contacts(&self) -> bool {
        self.scope == Scope::Visitor && !self.is_hidden()
    }

    /// How it is called where something is wrong with a value.
    pub fn called(&self) -> &str {
        if self.label.is_empty() { &self.id } else { &self.label }
    }

    /// Whether it takes this value: its pattern is found somewhere in it. A pattern that cannot be read checks nothing.
    pub fn accepts(&self, value: &str) -> bool {
        let pattern = self.text("regexp");
        let compiled = || RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build().ok();
        pattern.is_empty() || compiled().is_none_or(|compiled| compiled.is_match(value))
    }

    /// What the widget is told of it. Options are a list there.
    pub fn for_widget(&self) -> Value {
        let member = |name: &str| self.members.get(name).cloned().unwrap_or_default();
        let mut told = json!({
            "_id": self.id,
            "label": self.label,
            "regexp": self.text("regexp"),
            "required": self.is_required(),
            "type": member("type"),
            "defaultValue": member("defaultValue"),
        });
        let options = self.text("options");
        if !options.is_empty() {
            told["options"] = options.split(',').collect();
        }
        told
    }

    fn flag(&self, name: &str) -> bool {
        self.members.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Whether a field may have this id: letters, digits, `-` and `_`.
pub fn is_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= ID_LIMIT && text.bytes().all(is_part)
}

/// The ids of the visitors' fields that need a value and are not among `given`, in the order of `fields`.
pub fn missing(fields: &[CustomField], given: impl Fn(&str) -> bool) -> Vec<&str> {
    let needed = fields.iter().filter(|field| field.scope == Scope::Visitor && field.is_required());
    needed.map(|field| field.id.as_str()).filter(|id| !given(id)).collect()
}

/// Why values cannot be those of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// A required field has no value, or its pattern is not found in it. The field as people call it.
    Invalid(String),
    /// Contacts have no such field.
    NotAllowed(String),
}

/// The values that a contact gets who held `held` before, out of those given. Blank ones are dropped. A field that no longer exists, or
/// is hidden by now, keeps the value it had, whatever is given for it.
///
/// # Errors
///
/// The first value that cannot be, or else the first field that is none.
pub fn for_contact(
    given: &Map<String, Value>,
    fields: &[CustomField],
    held: &Map<String, Value>,
) -> Result<Map<String, Value>, Unfit> {
    let mut values = Map::new();
    for field in fields.iter().filter(|field| field.is_of_contacts()) {
        let unfit = || Unfit::Invalid(field.called().to_owned());
        let value = match given.get(&field.id) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text.trim(),
            Some(_) => return Err(unfit()),
        };
        match value {
            "" if field.is_required() => return Err(unfit()),
            "" => {}
            value if !field.accepts(value) => return Err(unfit()),
            value => drop(values.insert(field.id.clone(), value.into())),
        }
    }
    let is_known = |id: &str| fields.iter().any(|field| field.is_of_contacts() && field.id == id);
    let left: Vec<_> = held.iter().filter(|(id, _)| !is_known(id)).collect();
    if let Some(unknown) = given.keys().find(|id| !is_known(id) && !left.iter().any(|(left, _)| left == id)) {
        return Err(Unfit::NotAllowed(unknown.clone()));
    }
    values.extend(left.into_iter().map(|(id, value)| (id.clone(), value.clone())));
    Ok(values)
}

/// What a contact that comes into being takes over of a visitor's values: those of its fields that are not blank and that the
/// field takes.
pub fn taken_over(values: &[(String, String)], fields: &[CustomField]) -> Map<String, Value> {
    let fits = |(id, value): &&(String, String)| {
        let field = fields.iter().find(|field| field.id == *id);
        !value.trim().is_empty() && field.is_some_and(|field| field.is_of_contacts() && field.accepts(value.trim()))
    };
    values.iter().filter(fits).map(|(id, value)| (id.clone(), value.trim().into())).collect()
}

/// What a visitor is found by: name, user name and the values of searchable fields, in lower case.
pub fn search_key(name: Option<&str>, username: &str, values: &[(String, String)], fields: &[CustomField]) -> String {
    let is_searchable = |id: &str| fields.iter().any(|field| field.id == id && field.is_searchable());
    let searchable = values.iter().filter(|(id, _)| is_searchable(id)).map(|(_, value)| value.as_str());
    let parts: Vec<&str> = [name.unwrap_or_default(), username].into_iter().chain(searchable).collect();
    parts.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: &str, members: Value) -> CustomField {
        CustomField {
            id: id.to_owned(),
            label: format!("The {id}"),
            scope: Scope::Visitor,
            visibility: "visible".to_owned(),
            members: members.as_object().expect("members are an object").clone(),
            updated_at: 0,
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().expect("it is an object").clone()
    }

    fn pairs(values: &[(&str, &str)]) -> Vec<(String, String)> {
        values.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn scopes_have_names() {
        for scope in [Scope::Visitor, Scope::Room] {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert_eq!(Scope::from_name("Visitor"), None);
    }

    #[test]
    fn ids_are_letters_digits_hyphens_and_underscores() {
        let longest = "x".repeat(ID_LIMIT);
        for good in ["a", "Shoe-Size_2", "0", longest.as_str()] {
            assert!(is_id(good), "{good}");
        }
        let too_long = "x".repeat(ID_LIMIT + 1);
        for bad in ["", " ", "shoe size", "größe", "a.b", "a\n", too_long.as_str()] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }

    #[test]
    fn patterns_are_found_anywhere() {
        for (pattern, value, expected) in [
            (json!({}), "anything", true),
            (json!({"regexp": ""}), "", true),
            (json!({"regexp": null}), "x", true),
            (json!({"regexp": "[0-9]"}), "size 42", true),
            (json!({"regexp": "[0-9]"}), "none", false),
            (json!({"regexp": "[0-9]"}), "", false),
            (json!({"regexp": "^[0-9]+$"}), "size 42", false),
            (json!({"regexp": "^[0-9]+$"}), "42", true),
            (json!({"regexp": "^[0-9]+$"}), "42\n", false),
            (json!({"regexp": r"^\d{4}\/\d{2}$"}), "2024/01", true),
            (json!({"regexp": "ä"}), "Bär", true),
            (json!({"regexp": "("}), "checks nothing", true),
            (json!({"regexp": "(?=x)y"}), "checks nothing", true),
            (json!({"regexp": "((a{1000}){1000}){1000}"}), "checks nothing", true),
        ] {
            assert_eq!(field("size", pattern.clone()).accepts(value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn a_pattern_takes_no_longer_than_its_value() {
        let slow = field("slow", json!({"regexp": "^(a+)+$"}));
        assert!(!slow.accepts(&format!("{}!", "a".repeat(4_096))));
    }

    #[test]
    fn the_widget_sees_what_is_public() {
        let public = json!({"public": true});
        for (scope, visibility, members, expected) in [
            (Scope::Visitor, "visible", public.clone(), true),
            (Scope::Room, "visible", public.clone(), false),
            (Scope::Visitor, "hidden", public.clone(), false),
            (Scope::Visitor, "public", public, false),
            (Scope::Visitor, "visible", json!({"public": false}), false),
            (Scope::Visitor, "visible", json!({}), false),
        ] {
            let seen = CustomField { scope, visibility: visibility.to_owned(), ..field("size", members.clone()) };
            assert_eq!(seen.is_for_widget(), expected, "{scope:?} {visibility} {members}");
        }
        let full = json!({"type": "select", "regexp": "[0-9]", "required": true, "defaultValue": "42", "options": "41,42", "public": true});
        let told = json!({"_id": "size", "label": "The size", "regexp": "[0-9]", "required": true, "type": "select",
            "defaultValue": "42", "options": ["41", "42"]});
        assert_eq!(field("size", full).for_widget(), told);
        let bare = json!({"_id": "size", "label": "The size", "regexp": "", "required": false, "type": null, "defaultValue": null});
        assert_eq!(field("size", json!({"options": ""})).for_widget(), bare);
    }

    #[test]
    fn required_fields_are_missed() {
        let fields = [
            field("a", json!({"required": true})),
            field("b", json!({"required": false})),
            field("c", json!({"required": true})),
            CustomField { scope: Scope::Room, ..field("d", json!({"required": true})) },
        ];
        for (given, expected) in
            [(vec![], vec!["a", "c"]), (vec!["c"], vec!["a"]), (vec!["a", "c"], vec![]), (vec!["d"], vec!["a", "c"])]
        {
            assert_eq!(missing(&fields, |id| given.contains(&id)), expected, "{given:?}");
        }
    }

    #[test]
    fn contacts_have_fitting_values() {
        let fields = [
            field("size", json!({"required": true, "regexp": "^[0-9]+$"})),
            field("town", json!({})),
            CustomField { label: String::new(), ..field("plan", json!({"regexp": "gold"})) },
            CustomField { visibility: "hidden".to_owned(), ..field("secret", json!({"required": true})) },
            CustomField { scope: Scope::Room, ..field("topic", json!({})) },
        ];
        let invalid = |name: &str| Err(Unfit::Invalid(name.to_owned()));
        let not_allowed = |name: &str| Err(Unfit::NotAllowed(name.to_owned()));
        let held = object(json!({"size": "40", "old": "kept"}));
        for (given, expected) in [
            (json!({"size": " 42 ", "town": "  "}), Ok(json!({"size": "42", "old": "kept"}))),
            (
                json!({"size": "42", "town": "Ulm", "plan": "golden"}),
                Ok(json!({"size": "42", "town": "Ulm", "plan": "golden", "old": "kept"})),
            ),
            (json!({"size": "42", "old": "new"}), Ok(json!({"size": "42", "old": "kept"}))),
            (json!({"size": "42", "town": null}), Ok(json!({"size": "42", "old": "kept"}))),
            (json!({}), invalid("The size")),
            (json!({"size": "  "}), invalid("The size")),
            (json!({"size": "x"}), invalid("The size")),
            (json!({"size": 42}), invalid("The size")),
            (json!({"size": "42", "plan": "silver"}), invalid("plan")),
            (json!({"size": "42", "secret": "x"}), not_allowed("secret")),
            (json!({"size": "42", "topic": "x"}), not_allowed("topic")),
            (json!({"size": "42", "other": "x"}), not_allowed("other")),
            (json!({"other": "x"}), invalid("The size")),
        ] {
            assert_eq!(for_contact(&object(given.clone()), &fields, &held), expected.map(object), "{given}");
        }
        assert_eq!(
            for_contact(&object(json!({"size": "42", "old": "new"})), &fields, &Map::new()),
            Err(Unfit::NotAllowed("old".to_owned()))
        );
        let hidden = object(json!({"secret": "kept"}));
        let given = object(json!({"size": "42", "secret": "new"}));
        assert_eq!(for_contact(&given, &fields, &hidden), Ok(object(json!({"size": "42", "secret": "kept"}))));
    }

    #[test]
    fn a_new_contact_takes_over_what_fits() {
        let fields = [
            field("size", json!({"regexp": "^[0-9]+$"})),
            field("town", json!({})),
            CustomField { visibility: "hidden".to_owned(), ..field("secret", json!({})) },
        ];
        let values = pairs(&[("other", "x"), ("secret", "x"), ("size", "large"), ("town", " Ulm ")]);
        assert_eq!(taken_over(&values, &fields), object(json!({"town": "Ulm"})));
        assert_eq!(taken_over(&pairs(&[("size", "42"), ("town", " ")]), &fields), object(json!({"size": "42"})));
    }

    #[test]
    fn visitors_are_found_by_searchable_fields() {
        let searchable = json!({"searchable": true});
        let fields = [
            field("town", searchable.clone()),
            field("size", json!({"searchable": false})),
            CustomField { scope: Scope::Room, ..field("topic", searchable) },
        ];
        let values = pairs(&[("size", "42"), ("topic", "Shoes"), ("town", "ÜBERLINGEN"), ("unknown", "x")]);
        assert_eq!(search_key(Some("Mary Ö"), "Guest-1", &values, &fields), "mary ö guest-1 überlingen");
        assert_eq!(search_key(None, "guest-1", &[], &fields), " guest-1");
    }
}
