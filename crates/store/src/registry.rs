//! The registry of personal data: every place that can hold data of or about a visitor, with what erasing does there.
//!
//! It is written by hand on purpose. A test reads the real schema and fails on any column that is not named here, so nobody adds a
//! place for personal data without saying how it is erased.

use crate::tx::Backend;
use crate::{StoreError, Tx, Value, dialect, values};

/// What erasing a visitor does to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The row goes.
    DeleteRow,
    /// The value is cleared, the row stays.
    Scrub,
    /// It never holds anything of or about a visitor.
    HoldsNone,
}

/// By what the rows of a table belong to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// To nobody who is a visitor.
    ToNobody,
    /// This column holds the id of a visitor.
    ToVisitor(&'static str),
    /// This column holds the id of a contact.
    ToContact(&'static str),
    /// This column holds the id of a visitor's room.
    ToRoom(&'static str),
    /// This column holds a visitor's token.
    ToToken(&'static str),
}

/// A table, the rule of its rows, and its columns. Every column of a table has the rule of the table unless listed with another.
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// By what its rows belong to a person.
    pub belongs: Belongs,
    /// Its columns, each with its rule.
    pub columns: &'static [(&'static str, Rule)],
}

/// Declares a table whose columns share one rule, with exceptions after `except`.
///
/// Rows that are deleted say by which column they belong to whom.
macro_rules! table {
    ($name:literal, $belongs:ident($owner:literal): $($column:literal)*) => {
        Table { name: $name, belongs: Belongs::$belongs($owner), columns: &[$(($column, Rule::DeleteRow),)*] }
    };
    ($name:literal, $rule:ident: $($column:literal)* $(; $other:ident: $($different:literal)*)?) => {
        Table {
            name: $name,
            belongs: Belongs::ToNobody,
            columns: &[$(($column, Rule::$rule),)* $($(($different, Rule::$other),)*)?],
        }
    };
}

/// Every table of the database.
pub const TABLES: &[Table] = &[
    table!("schema_migrations", HoldsNone: "version" "checksum" "applied_at"),
    table!("counters", HoldsNone: "name" "value"),
    table!("visitors", ToVisitor("id"): "id" "internal_id" "token" "username" "name" "email" "phone" "department_id" "status"
        "contact_id" "last_chat_room_id"
        "last_chat_at" "user_agent" "ip" "host" "created_at" "updated_at" "search_key" "name_key" "last_agent_id"
        "last_agent_username" "last_agent_at"),
    table!("contacts", ToContact("id"): "id" "name" "unknown" "last_chat_room_id" "last_chat_at" "created_at" "updated_at" "manager_id"
        "custom_fields"
        "conflicts" "activity" "pre_registered" "possible_duplicate"),
    table!("contact_addresses", ToContact("contact_id"): "contact_id" "kind" "value"),
    table!("contact_channels", ToContact("contact_id"): "visitor_id" "source_type" "contact_id" "name" "verified" "blocked" "last_chat_room_id"
        "last_chat_at"),
    table!("rooms", ToVisitor("visitor_id"): "id" "visitor_id" "visitor_username" "visitor_status" "contact_id" "name" "department_id"
        "source_type"
        "source_destination" "is_open" "erasing" "waiting_response" "message_count" "users_count" "seq" "last_message_id"
        "opened_at" "last_message_at" "queued_at" "visitor_last_message_at" "visitor_waiting_since" "closed_at" "updated_at"
        "last_ts" "name_key" "agent_id" "agent_username" "agent_since" "on_hold" "responder_id" "responder_username" "responded_first_at"
        "responded_last_at" "visitor_activity" "topic" "survey" "closer" "closed_by_id" "closed_by_username" "abandonment_at"
        "transcript_request" "inquiry_id" "inquiry_status" "inquiry_message" "inquiry_queued_at" "inquiry_taken_at"
        "inquiry_updated_at" "default_agent_id" "default_agent_username" "agent_answered_at" "response_count" "response_sum"
        "first_response" "reaction_sum" "first_reaction" "first_response_at" "chat_duration" "service_duration"
        "visitor_inactivity" "pdf_requested_at" "pdf_file_id"),
    table!("messages", ToRoom("room_id"): "id" "room_id" "ts" "kind" "text" "author_id" "author_username" "author_name" "by_visitor"
        "updated_at" "edited_at"
        "edited_by_id" "edited_by_username" "deleted_at" "changed_at" "hidden" "details"),
    table!("room_changes", ToRoom("room_id"): "room_id" "seq" "kind" "reference"),
    // Staff, not visitors: these rows go when the user is deleted.
    table!("users", HoldsNone: "id" "username" "username_key" "email_key" "email" "name" "password_hash" "active" "created_at"
        "updated_at" "kind"
        "name_key" "email_verified" "nickname" "bio" "status" "status_default" "status_text" "preferences" "custom_fields"
        "password_change_required" "password_change_reason" "registration_reason" "last_login_at" "status_updated_at"
        "availability" "unavailable_by_system" "agent_data" "routed_count" "last_routed_at"),
    table!("processes", HoldsNone: "id" "beat_at"),
    table!("presences", HoldsNone: "process_id" "user_id" "status"),
    table!("visitor_presences", ToVisitor("visitor_id"): "process_id" "visitor_id"),
    table!("user_roles", HoldsNone: "user_id" "role"),
    table!("login_tokens", HoldsNone: "token_hash" "user_id" "created_at" "name" "last_part" "bypasses_second_factor"
        "confirmed_at"),
    table!("second_factors", HoldsNone: "user_id" "secret" "is_enabled"),
    table!("backup_codes", HoldsNone: "user_id" "code_hash"),
    table!("settings", HoldsNone: "id" "value" "editor" "updated_at"),
    table!("permissions", HoldsNone: "id" "updated_at"),
    table!("permission_roles", HoldsNone: "permission_id" "role_id"),
    table!("roles", HoldsNone: "id" "name" "description" "scope" "is_protected" "needs_second_factor" "updated_at"),
    table!("removed_roles", HoldsNone: "id" "removed_at"),
    table!("agent_sessions", HoldsNone: "agent_id" "started_at" "stopped_at"),
    table!("departments", HoldsNone: "id" "name" "name_key" "email" "enabled" "archived" "show_on_registration"
        "show_on_offline_form" "fallback_id"
        "agent_count" "members" "created_at" "updated_at"),
    table!("department_agents", HoldsNone: "id" "department_id" "agent_id" "enabled" "routed_count" "position" "updated_at"),
    table!("custom_fields", HoldsNone: "id" "label" "label_key" "scope" "visibility" "members" "updated_at"),
    table!("visitor_fields", ToVisitor("visitor_id"): "visitor_id" "field" "value"),
    table!("room_fields", ToRoom("room_id"): "room_id" "field" "value"),
    table!("room_tags", ToRoom("room_id"): "room_id" "tag" "position"),
    table!("subscriptions", ToRoom("room_id"): "id" "room_id" "user_id" "unread" "mentions" "alert" "is_shown" "is_favorite" "last_seen_at"
        "created_at" "updated_at"),
    // Ids that the server made, and times; gone after 30 days.
    table!("removed_subscriptions", HoldsNone: "id" "user_id" "room_id" "removed_at"),
    table!("page_visits", ToToken("token"): "id" "token" "title" "href" "change" "visited_at"),
    table!("routing_decisions", ToRoom("room_id"): "id" "room_id" "decided_at" "cause" "method" "department_id" "agent_id" "reason"
        "considered"),
    table!("mails", ToVisitor("visitor_id"): "id" "kind" "visitor_id" "room_id" "about" "content" "state" "attempts" "next_attempt_at" "failure"
        "created_at"
        "updated_at"),
    table!("files", ToVisitor("visitor_id"): "id" "room_id" "visitor_id" "sender_id" "name" "media_type" "size" "width" "height" "state" "message_id"
        "original_id" "needs_preview" "created_at"),
    // Ids that the server made, until the bytes are unlinked.
    table!("removed_files", HoldsNone: "id" "was_arriving" "removed_at"),
    table!("retention_rules", HoldsNone: "id" "department_id" "days" "is_dry_run" "created_at" "followed_at" "followed_count"),
    table!("holds", ToContact("contact_id"): "contact_id" "reason" "ends_at" "placed_by" "placed_at"),
    table!("receipt_keys", HoldsNone: "id" "public_key" "since"),
    table!("erasures", HoldsNone: "id" "subject" "actor" "requested_at" "erased_at" "seal_pass" "sealed_at" "visitors" "contacts"
        "rooms" "messages"
        "changes" "others" "files" "mails_sent" "reason"; Scrub: "visitor_id"),
];

/// Every other place: files, queues, caches, and what erasing does there.
pub const PLACES: &[(&str, &str)] = &[
    ("usher.db", "page scrub: the unused parts of every page are zeroed"),
    ("usher.db-wal", "moved into usher.db and cut to nothing when sealing"),
    ("usher.db-shm", "holds page numbers only"),
    ("files", "the bytes of files, by ids that the server made: unlinked before an erasure counts as sealed"),
    ("receipt-key", "the secret half of the key that receipts are signed with"),
    ("lock", "holds the number of the process"),
    ("ballast", "holds zeros"),
    ("standard output and error", "carry ids the server made, route templates and counts; never a token, a client's id or a text"),
    ("queue of the writer", "in memory; a job in it runs or fails within seconds and then is gone"),
    ("hub", "in memory; changes carry ids only and leave with their subscriber"),
    ("visitors who are connected", "in memory; leave with their last connection"),
    ("rate limits", "in memory; keyed by a keyed hash, forgotten within minutes"),
    ("failed logins", "in memory; keyed by a keyed hash, forgotten within minutes"),
    ("PostgreSQL's files", "dead rows stay until the database cleans up; `usher purge --rewrite` makes it do so at once"),
];

/// The tables and columns that the database really has.
pub fn actual_columns(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let sql = match tx.backend() {
        Backend::Sqlite(_) => dialect::SQLITE_COLUMNS,
        Backend::Postgres(_) => dialect::POSTGRES_COLUMNS,
    };
    tx.query(sql, values![], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// How the engine would run a statement, a line for each step.
pub fn plan(tx: &mut Tx<'_>, sql: &str) -> Result<Vec<String>, StoreError> {
    let places = (1..=32).rev().find(|place| sql.contains(&format!("?{place}"))).unwrap_or(0);
    if let Backend::Postgres(connection) = tx.backend() {
        connection.batch(dialect::POSTGRES_AVOID_SCANS)?;
        connection.batch(&format!("{}{}", dialect::POSTGRES_PREPARE, sql.replace('?', "$")))?;
        let nulls = vec!["NULL"; places].join(", ");
        let list = if places == 0 { String::new() } else { format!("({nulls})") };
        let lines = tx.query(&format!("{}{list}", dialect::POSTGRES_EXPLAIN), values![], |row| row.text(0))?;
        tx.execute(dialect::POSTGRES_FORGET, values![])?;
        return Ok(lines);
    }
    tx.query(&format!("{}{sql}", dialect::SQLITE_EXPLAIN), &vec![Value::Null; places], |row| row.text(3))
}
