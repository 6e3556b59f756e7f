//! Receipts: what a server says, and signs, of an erasure. They name nobody.

use serde_json::{Map, Value, json};

use crate::time::iso;

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureState {
    /// It was asked for, and rows are still to go.
    Requested,
    /// The last row is gone.
    Erased,
    /// No file holds anything of it any more.
    Sealed,
}

impl ErasureState {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ErasureState::Requested => "requested",
            ErasureState::Erased => "erased",
            ErasureState::Sealed => "sealed",
        }
    }
}

/// Why staff may say that it erases somebody. Words of its own could name the person.
pub const REASONS: [&str; 6] =
    ["asked-for", "consent-withdrawn", "objection", "no-longer-needed", "processed-unlawfully", "legal-obligation"];

/// The reason of this name.
pub fn reason(name: &str) -> Option<&'static str> {
    REASONS.into_iter().find(|known| *known == name)
}

/// What an erasure could not reach, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotReached {
    /// Mails that were handed to a mail server before.
    MailSent,
    /// Space of rows that are gone, until PostgreSQL uses it again, with its write-ahead log and its replicas.
    DatabaseDeadSpace,
    /// Older versions of objects, where the bucket keeps them.
    BucketVersions,
    /// Copies that somebody made of the data.
    ExternalBackups,
}

impl NotReached {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            NotReached::MailSent => "mail-sent",
            NotReached::DatabaseDeadSpace => "postgresql-dead-space",
            NotReached::BucketVersions => "bucket-versions",
            NotReached::ExternalBackups => "external-backups",
        }
    }
}

/// What is said of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its id, which the server made.
    pub id: String,
    /// How far it is.
    pub state: ErasureState,
    /// The kind of caller who wished it: `visitor`, `staff` or `retention`.
    pub actor: String,
    /// Why, if staff said so: one of [`REASONS`].
    pub reason: Option<String>,
    /// When (milliseconds UTC).
    pub requested_at: i64,
    /// When the last row was gone.
    pub erased_at: Option<i64>,
    /// When no file held anything of it any more.
    pub sealed_at: Option<i64>,
    /// How many records of each class were erased, by the class's name.
    pub counts: Vec<(&'static str, i64)>,
    /// What was not reached, with how many there are of it where that is known.
    pub not_reached: Vec<(NotReached, Option<i64>)>,
}

impl Receipt {
    /// The receipt as a document: what is signed, and what is shown.
    pub fn document(&self) -> Value {
        let mut counts = Map::new();
        for (class, count) in &self.counts {
            counts.insert((*class).to_owned(), (*count).into());
        }
        let not_reached = self.not_reached.iter().map(|(what, count)| match count {
            Some(count) => json!({"what": what.name(), "count": count}),
            None => json!({"what": what.name()}),
        });
        json!({
            "_id": self.id,
            "state": self.state.name(),
            "actor": self.actor,
            "reason": self.reason,
            "requestedAt": iso(self.requested_at),
            "erasedAt": self.erased_at.map(iso),
            "sealedAt": self.sealed_at.map(iso),
            "erased": counts,
            "notReached": not_reached.collect::<Vec<Value>>(),
        })
    }
}

/// The bytes of a document that are signed: its members in the order of their names, without any space between them. Whoever reads the
/// document from a file gets the same ones, however the file is written.
pub fn signed_bytes(document: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(document, &mut bytes);
    bytes
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            bytes.push(b'{');
            for (number, name) in names.into_iter().enumerate() {
                if number > 0 {
                    bytes.push(b',');
                }
                bytes.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
                bytes.push(b':');
                write(&members[name], bytes);
            }
            bytes.push(b'}');
        }
        Value::Array(items) => {
            bytes.push(b'[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    bytes.push(b',');
                }
                write(item, bytes);
            }
            bytes.push(b']');
        }
        plain => bytes.extend_from_slice(plain.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_receipt_says_what_was_done_and_what_was_not() {
        let receipt = Receipt {
            id: "e1".to_owned(),
            state: ErasureState::Erased,
            actor: "visitor".to_owned(),
            reason: None,
            requested_at: 1_706_702_400_000,
            erased_at: Some(1_706_702_400_001),
            sealed_at: None,
            counts: vec![("visitors", 1), ("messages", 4)],
            not_reached: vec![(NotReached::MailSent, Some(2)), (NotReached::ExternalBackups, None)],
        };
        let text = concat!(
            r#"{"_id":"e1","actor":"visitor","erased":{"messages":4,"visitors":1},"erasedAt":"2024-01-31T12:00:00.001Z","#,
            r#""notReached":[{"count":2,"what":"mail-sent"},{"what":"external-backups"}],"reason":null,"#,
            r#""requestedAt":"2024-01-31T12:00:00.000Z","sealedAt":null,"state":"erased"}"#
        );
        assert_eq!(String::from_utf8(signed_bytes(&receipt.document())).as_deref(), Ok(text));
    }

    proptest! {
        #[test]
        fn what_is_signed_does_not_depend_on_how_it_is_written(pairs in prop::collection::vec(("[a-z\"\\\\é]{0,4}", any::<i64>()), 0..8)) {
            let members: Map<String, Value> = pairs.iter().map(|(name, value)| (name.clone(), json!([value, {"n": value}]))).collect();
            let document = Value::Object(members);
            let read: Value = serde_json::from_str(&serde_json::to_string_pretty(&document).unwrap()).unwrap();
            prop_assert_eq!(signed_bytes(&read), signed_bytes(&document));
            prop_assert_eq!(serde_json::from_slice::<Value>(&signed_bytes(&document)).unwrap(), document);
        }
    }
}
