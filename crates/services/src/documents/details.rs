//! Members that only some documents have, kept as a JSON object. Moments in it are `{"$date": milliseconds}`.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Date;

/// The members of a JSON object, without those that the document has otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Details<'a> {
    pub members: &'a Map<String, Value>,
    pub without: &'a [&'a str],
}

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.members.iter().filter(|(name, _)| !self.without.contains(&name.as_str())) {
            map.serialize_entry(name, &Detail(value))?;
        }
        map.end()
    }
}

/// A stored value as it is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detail<'a>(pub &'a Value);

impl Serialize for Detail<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => match moment(members) {
                Some(milliseconds) => Date(milliseconds).serialize(serializer),
                None => Details { members, without: &[] }.serialize(serializer),
            },
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Detail(item))?;
                }
                list.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

fn moment(members: &Map<String, Value>) -> Option<i64> {
    if members.len() == 1 { members.get("$date")?.as_i64() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::extended;
    use serde_json::json;

    #[test]
    fn moments_are_shown_as_everywhere() {
        let stored = json!({"at": {"$date": 1_706_702_400_000_i64}, "list": [{"$date": 0}, 1], "left": "out"});
        let details = Details { members: stored.as_object().expect("it is one"), without: &["left"] };
        let rest = serde_json::to_value(details).expect("it is JSON");
        assert_eq!(rest, json!({"at": "2024-01-31T12:00:00.000Z", "list": ["1970-01-01T00:00:00.000Z", 1]}));
        assert_eq!(extended(&details), json!({"at": {"$date": 1_706_702_400_000_i64}, "list": [{"$date": 0}, 1]}));
    }
}
