//! Which part of a list is wanted: `count`, `offset`, `sort` and `fields`, as every list takes them.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use usher_domain::settings::{PAGE_DEFAULT_COUNT, PAGE_MAX_COUNT, PAGE_WITHOUT_LIMIT, Settings};
use usher_services::PageOf;
use utoipa::IntoParams;

use super::schema::{Field, Kind, optional, text};
use crate::ApiError;

/// The most characters of `sort`, `fields` and `query`.
const LIMIT: usize = 4_096;

/// The parameters of every list, for its schema.
pub static PARAMETERS: [Field; 5] = [
    optional("count", Kind::Integer),
    optional("offset", Kind::Integer),
    optional("sort", text(LIMIT)),
    optional("fields", text(LIMIT)),
    optional("query", text(LIMIT)),
];

/// These parameters, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `Paging` reads")]
pub struct Parameters {
    /// How many are wanted; 0 for all, where settings allow it.
    count: Option<i64>,
    /// How many are skipped.
    offset: Option<i64>,
    /// What to sort by: JSON such as `{"name": 1}`, or -1 for the reverse.
    sort: Option<String>,
    /// Which members are wanted: JSON such as `{"name": 1}`, or 0 for all others.
    fields: Option<String>,
    /// Taken so that older clients can send it; selects nothing.
    query: Option<String>,
}

/// These parameters as they were given. `query` selects nothing: it is taken so that older clients can send it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Paging {
    count: Option<i64>,
    offset: Option<i64>,
    sort: Option<String>,
    fields: Option<String>,
}

/// What they come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// How many are skipped.
    pub offset: i64,
    /// How many are given at most; `None` for all.
    pub count: Option<i64>,
    /// The names to sort by, each with whether it is from the end.
    pub sort: Vec<(String, bool)>,
    /// Which members are wanted.
    pub projection: Projection,
}

impl Paging {
    /// Applies the limits that settings put on lists.
    ///
    /// # Errors
    ///
    /// `sort` or `fields` cannot be read.
    pub fn page(&self, settings: &Settings) -> Result<Page, ApiError> {
        Ok(Page {
            offset: self.offset.unwrap_or_default().max(0),
            count: count(self.count, settings),
            sort: given(self.sort.as_deref()).map_or(Ok(Vec::new()), sort)?,
            projection: given(self.fields.as_deref()).map_or(Ok(Projection::default()), Projection::read)?,
        })
    }
}

impl Page {
    /// The part of a list that is sorted by one thing: the first of the wanted names that `known` knows, or what is `usual`. The flag of
    /// `usual` says whether that is from the end.
    pub fn in_order<Order>(&self, known: impl Fn(&str) -> Option<Order>, usual: (Order, bool)) -> PageOf<Order> {
        let first = self.sort.iter().find_map(|(name, descending)| Some((known(name)?, *descending)));
        let (order, descending) = first.unwrap_or(usual);
        PageOf { order, descending, offset: self.offset, count: self.count }
    }

    /// The documents of the page as they are answered, with those members that are wanted.
    ///
    /// # Errors
    ///
    /// A document is no JSON.
    pub fn show(&self, documents: impl Iterator<Item = impl Serialize>) -> Result<Vec<Value>, ApiError> {
        let shown = documents.map(|document| {
            let mut shown = serde_json::to_value(document).map_err(|_| ApiError::broken("a document of a list is no JSON"))?;
            self.projection.apply(&mut shown);
            Ok(shown)
        });
        shown.collect()
    }
}

/// Clients send the parameters of their forms, also those that nobody filled in.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn count(wanted: Option<i64>, settings: &Settings) -> Option<i64> {
    let positive = |number: i64, otherwise: i64| if number > 0 { number } else { otherwise };
    let most = positive(settings.get(&PAGE_MAX_COUNT), 100);
    let usual = positive(settings.get(&PAGE_DEFAULT_COUNT), 50);
    match wanted {
        Some(0) if settings.get(&PAGE_WITHOUT_LIMIT) => None,
        Some(wanted) if wanted > 0 => Some(wanted.min(most)),
        _ => Some(usual.min(most)),
    }
}

/// The members of an object in the order in which they were given: it matters to what is sorted by them.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The object that a parameter holds as JSON, if it holds one.
fn object(text: &str) -> Option<Vec<(String, Value)>> {
    serde_json::from_str::<Members>(text).ok().map(|members| members.0)
}

fn sort(text: &str) -> Result<Vec<(String, bool)>, ApiError> {
    let invalid = || {
        let told = format!("Invalid sort parameter provided: \"{text}\"");
        ApiError::coded("error-invalid-sort", Some(&told))
    };
    let direction = |value: &Value| match value.as_f64() {
        Some(1.0) => Ok(false),
        Some(-1.0) => Ok(true),
        _ => Err(invalid()),
    };
    let keys = object(text).ok_or_else(invalid)?;
    keys.into_iter().map(|(name, value)| Ok((name, direction(&value)?))).collect()
}

/// Which members of each item are wanted: some, or all but some. `_id` always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    only: Vec<String>,
    without: Vec<String>,
}

impl Projection {
    fn read(text: &str) -> Result<Projection, ApiError> {
        let invalid = || {
            let told = format!("Invalid fields parameter provided: \"{text}\"");
            ApiError::coded("error-invalid-fields", Some(&told))
        };
        let mut projection = Projection::default();
        for (name, value) in object(text).ok_or_else(invalid)? {
            match value.as_f64() {
                Some(1.0) => projection.only.push(name),
                Some(0.0) => projection.without.push(name),
                _ => return Err(invalid()),
            }
        }
        Ok(projection)
    }

    /// Takes what is not wanted out of an item.
    fn apply(&self, item: &mut Value) {
        if let Value::Object(members) = item {
            members.retain(|name, _| self.keeps(name));
        }
    }

    fn keeps(&self, name: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|known| known.split('.').next() == Some(name));
        name == "_id" || (self.only.is_empty() || named(&self.only)) && !self.without.iter().any(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(paging: Value, settings: Value) -> Result<Page, ApiError> {
        let paging: Paging = serde_json::from_value(paging).unwrap();
        let set = settings.as_object().unwrap().clone();
        paging.page(&Settings::with(set).unwrap())
    }

    #[test]
    fn counts_have_limits() {
        for (count, settings, expected) in [
            (json!({}), json!({}), Some(50)),
            (json!({"count": 7}), json!({}), Some(7)),
            (json!({"count": 101}), json!({}), Some(100)),
            (json!({"count": 0}), json!({}), None),
            (json!({"count": 0}), json!({"API_Allow_Infinite_Count": false}), Some(50)),
            (json!({"count": -1}), json!({}), Some(50)),
            (json!({}), json!({"API_Default_Count": 5}), Some(5)),
            (json!({}), json!({"API_Default_Count": 0}), Some(50)),
            (json!({"count": 500}), json!({"API_Upper_Count_Limit": 200}), Some(200)),
            (json!({"count": 500}), json!({"API_Upper_Count_Limit": -1}), Some(100)),
            (json!({}), json!({"API_Upper_Count_Limit": 20}), Some(20)),
        ] {
            assert_eq!(page(count.clone(), settings.clone()).unwrap().count, expected, "{count} {settings}");
        }
        assert_eq!(page(json!({"offset": -3}), json!({})).unwrap().offset, 0);
    }

    #[test]
    fn what_cannot_be_sorted_by_is_refused() {
        let sorted = page(json!({"sort": r#"{"ts": -1, "name": 1}"#}), json!({})).unwrap().sort;
        assert_eq!(sorted, [("ts".to_owned(), true), ("name".to_owned(), false)], "in the order given");
        assert_eq!(page(json!({"sort": "", "fields": ""}), json!({})).unwrap(), page(json!({}), json!({})).unwrap());
        for bad in ["name", "[]", r#"{"name": 2}"#, r#"{"name": "1"}"#, r#"{"name": true}"#] {
            assert!(page(json!({"sort": bad}), json!({})).is_err(), "{bad}");
        }
        for bad in ["x", r#"{"name": 2}"#] {
            assert!(page(json!({"fields": bad}), json!({})).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_name_that_is_known_is_sorted_by() {
        for (sort, expected) in
            [("", ("ts", true)), (r#"{"x": 1}"#, ("ts", true)), (r#"{"x": 1, "name": -1, "ts": 1}"#, ("name", true))]
        {
            let page = page(json!({"sort": sort, "offset": 3, "count": 7}), json!({})).unwrap();
            let known = |name: &str| ["ts", "name"].into_iter().find(|known| *known == name);
            let (order, descending) = expected;
            assert_eq!(page.in_order(known, ("ts", true)), PageOf { order, descending, offset: 3, count: Some(7) }, "{sort}");
        }
    }

    #[test]
    fn members_are_taken_out() {
        let projected = |fields: &str| {
            let page = page(json!({"fields": fields}), json!({})).unwrap();
            page.show([json!({"_id": 1, "name": 2, "emails": [3]})].iter()).unwrap().remove(0)
        };
        assert_eq!(projected("{}"), json!({"_id": 1, "name": 2, "emails": [3]}));
        assert_eq!(projected(r#"{"name": 1}"#), json!({"_id": 1, "name": 2}));
        assert_eq!(projected(r#"{"name": 0}"#), json!({"_id": 1, "emails": [3]}));
        assert_eq!(projected(r#"{"emails.address": 1}"#), json!({"_id": 1, "emails": [3]}));
    }
}
