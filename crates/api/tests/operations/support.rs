//! What the tests of the operations share.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};
use usher_domain::visitor::{Visitor, VisitorToken};
use usher_services::Error;
use usher_store::registry::TABLES;
use usher_store::{StoreError, Tx, q, values};
use usher_testkit::{Setup, TestApp};

/// Registers a visitor (POST); with `/{token}` reads (GET) or erases (DELETE) one.
pub const VISITOR: &str = "/api/v1/livechat/visitor";

/// Gives or opens a visitor's room.
pub const ROOM: &str = "/api/v1/livechat/room";

/// Posts a visitor's message.
pub const MESSAGE: &str = "/api/v1/livechat/message";

/// Logs a user in.
pub const LOGIN: &str = "/api/v1/login";

/// The setting with which rooms open although there is no agent.
pub const WITHOUT_AGENTS: &str = "Livechat_accept_chats_with_no_agents";

/// The setting with which connection data is kept and visitors with open rooms may be erased.
pub const KEEP_CONNECTION: &str = "Livechat_Allow_collect_and_store_HTTP_header_informations";

/// An application in which rooms open although there is no agent.
pub fn usual() -> Setup {
    Setup::default().setting(WITHOUT_AGENTS, "true")
}

/// The same, and departments can be deleted.
pub fn with_removal() -> Setup {
    usual().setting("Omnichannel_enable_department_removal", "true")
}

/// Where a page of a room's history is read.
pub fn history(room: &str, query: &str) -> String {
    format!("/api/v1/livechat/messages.history/{room}?{query}")
}

/// The body of a bare failure.
pub fn plain(code: &str) -> Value {
    json!({"success": false, "error": code})
}

/// The body of a failure with a code of its own.
pub fn coded(error: &str, code: &str) -> Value {
    json!({"success": false, "error": error, "errorType": code})
}

/// An id that the server made.
#[track_caller]
pub fn made_id(value: &Value) -> &str {
    let id = value.as_str().unwrap_or_else(|| panic!("no id but {value}"));
    let is_made = id.len() == 17 && id.bytes().all(|byte| usher_domain::id::ALPHABET.contains(&byte));
    assert!(is_made, "not an id that the server makes: {id}");
    id
}

/// A text percent-encoded, every byte of it.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Every row of every table, as text.
pub type Rows = BTreeMap<String, Vec<String>>;

/// Reads every row of every table that the registry of personal data names.
pub async fn rows(app: &TestApp) -> Rows {
    let read = |tx: &mut Tx<'_>| tx.query(everything(), values![], |row| Ok((row.text(0)?, row.text(1)?)));
    let found: Vec<(String, String)> = app.services.store.read::<_, StoreError, _>(read).await.expect("every table can be read");
    let mut rows: Rows = TABLES.iter().map(|table| (table.name.to_owned(), Vec::new())).collect();
    for (table, row) in found {
        rows.entry(table).or_default().push(row);
    }
    rows.values_mut().for_each(|rows| rows.sort());
    rows
}

/// One statement that reads everything.
fn everything() -> &'static str {
    static SQL: OnceLock<String> = OnceLock::new();
    SQL.get_or_init(|| {
        let tables = TABLES.iter().map(|table| {
            let columns = table.columns.iter().map(|(column, _)| format!("COALESCE(CAST({column} AS TEXT), 'NULL')"));
            let columns = columns.collect::<Vec<_>>().join(" || ' | ' || ");
            format!("SELECT CAST('{name}' AS TEXT), {columns} FROM {name}", name = table.name)
        });
        tables.collect::<Vec<_>>().join(" UNION ALL ")
    })
}

/// The texts in the only column of an answer.
pub async fn column(app: &TestApp, sql: &'static str) -> Vec<String> {
    let read = move |tx: &mut Tx<'_>| tx.query(sql, values![], |row| row.text(0));
    app.services.store.read::<_, StoreError, _>(read).await.expect("a column of texts can be read")
}

/// Runs a statement as nobody in the application would.
pub async fn tamper(app: &TestApp, sql: &'static str) {
    let write = move |tx: &mut Tx<'_>| tx.execute(sql, values![]);
    app.services.store.write::<_, StoreError, _>(write).await.expect("the statement runs");
}

/// The stored visitor whose token this is.
pub async fn stored_visitor(app: &TestApp, token: &str) -> Visitor {
    let token = VisitorToken::new(token).expect("the token can be somebody's");
    let found: Option<Visitor> = app
        .services
        .store
        .read(move |tx| q::visitors::by_token(tx, &token).map_err(Error::from))
        .await
        .expect("visitors can be read");
    found.expect("there is such a visitor")
}

/// Fills the disk that the store believes to have: from now on it refuses to write.
pub async fn fill_disk(app: &TestApp) {
    let write = app.services.store.write::<_, StoreError, _>(|tx| {
        tx.query_one("PRAGMA max_page_count = 1", values![], |row| row.integer(0))?;
        tx.execute("INSERT INTO counters (name, value) VALUES (?1, 1)", values![&"x".repeat(1 << 20)])
    });
    assert_eq!(write.await, Err(StoreError::Full));
    assert!(!app.services.store.is_writing());
}
