//! What visitors are found by.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::{DELETE, SAVE, VALUE, data, make};
use crate::permissions::post;
use crate::support::{column, tamper, usual};

/// What all visitors are found by.
async fn search_keys(app: &TestApp) -> Vec<String> {
    column(app, "SELECT search_key FROM visitors ORDER BY created_at, id").await
}

async fn give(app: &TestApp, key: &str, value: &str) {
    app.post(VALUE, &json!({"token": "token-1", "key": key, "value": value, "overwrite": true})).await.ok();
}

async fn change(app: &TestApp, login: &Login, id: &str, members: Value) {
    post(app, login, SAVE, &json!({"customFieldId": id, "customFieldData": data(id, members)})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_are_found_by_searchable_values() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "town", json!({"searchable": true})).await;
        make(&app, &admin, "size", json!({"searchable": false})).await;
        make(&app, &admin, "topic", json!({"searchable": true, "scope": "room"})).await;
        app.register("token-1", "Mary").await;
        app.room("token-1").await;
        assert_eq!(search_keys(&app).await, ["mary guest-1"]);
        for (key, value, expected) in [
            ("size", "42", "mary guest-1"),
            ("topic", "Shoes", "mary guest-1"),
            ("town", "ÜBERLINGEN", "mary guest-1 überlingen"),
            ("town", "Ulm", "mary guest-1 ulm"),
        ] {
            give(&app, key, value).await;
            assert_eq!(search_keys(&app).await, [expected], "{key} {value}");
        }
        app.register("token-1", "May").await;
        assert_eq!(search_keys(&app).await, ["may guest-1 ulm"], "another name leaves the values alone");
    }
}

/// More visitors than are looked at in one transaction.
const CROWD: &str = "WITH RECURSIVE numbers (number) AS (SELECT 1001 UNION ALL SELECT number + 1 FROM numbers WHERE number < 2100)
    INSERT INTO visitors (id, internal_id, token, username, status, contact_id, created_at, updated_at)
    SELECT 'crowd' || number, 'internal' || number, 'crowd' || number, 'Many', 'online', 'contact' || number, 1706702400000, 1706702400000
    FROM numbers";

/// A value for each of them.
const VALUES: &str = "INSERT INTO visitor_fields (visitor_id, field, value) SELECT id, 'town', 'Ulm' FROM visitors";

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_changes_is_searched_or_not_at_once() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "town", json!({"searchable": false})).await;
        tamper(&app, CROWD).await;
        tamper(&app, VALUES).await;
        let moments = column(&app, "SELECT DISTINCT CAST(updated_at AS TEXT) FROM visitors").await;
        app.advance(std::time::Duration::from_secs(1));
        let all = |key: &str| vec![key.to_owned(); 1_100];

        change(&app, &admin, "town", json!({"searchable": true})).await;
        assert_eq!(search_keys(&app).await, all(" many ulm"));
        change(&app, &admin, "town", json!({"searchable": true, "scope": "room"})).await;
        assert_eq!(search_keys(&app).await, all(" many"), "what rooms have is nothing to find visitors by");
        change(&app, &admin, "town", json!({"scope": "visitor"})).await;
        assert_eq!(search_keys(&app).await, all(" many ulm"));
        change(&app, &admin, "town", json!({"searchable": false})).await;
        assert_eq!(search_keys(&app).await, all(" many"));
        change(&app, &admin, "town", json!({"searchable": true})).await;
        post(&app, &admin, DELETE, &json!({"customFieldId": "town"})).await.ok();
        assert_eq!(search_keys(&app).await, all(" many"), "nobody is found by a field that is gone");
        let after = column(&app, "SELECT DISTINCT CAST(updated_at AS TEXT) FROM visitors").await;
        assert_eq!(after, moments, "the visitors themselves did not change");
    }
}
