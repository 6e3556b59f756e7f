//! The operations on custom fields.

mod registration;
mod saving;
mod search;
mod values;

use serde_json::{Value, json};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, not_logged_in, not_permitted, post};
use crate::support::{coded, column, encoded};

const LIST: &str = "/api/v1/livechat/custom-fields";
const SAVE: &str = "/api/v1/livechat/custom-fields.save";
const DELETE: &str = "/api/v1/livechat/custom-fields.delete";
const VALUE: &str = "/api/v1/livechat/custom.field";
const VALUES: &str = "/api/v1/livechat/custom.fields";

/// When every test begins.
const START: &str = "2024-01-31T12:00:00.000Z";

/// A field of visitors with `members` besides what it has to have.
fn data(id: &str, members: Value) -> Value {
    let mut data = json!({"field": id, "label": format!("The {id}"), "scope": "visitor", "visibility": "visible"});
    for (name, value) in members.as_object().expect("members are an object") {
        data[name] = value.clone();
    }
    data
}

/// Makes a field of visitors with `members` besides what it has to have; gives it as it was answered.
pub async fn make(app: &TestApp, login: &Login, id: &str, members: Value) -> Value {
    post(app, login, SAVE, &json!({"customFieldData": data(id, members)})).await.ok()["customField"].clone()
}

/// The list that a query gives, held against what it says of itself.
async fn list(app: &TestApp, login: &Login, query: &str) -> Value {
    let answer = get(app, login, &format!("{LIST}?{query}")).await.ok();
    let fields = answer["customFields"].as_array().expect("it is a list");
    let said = json!({"customFields": fields, "count": fields.len(), "offset": answer["offset"], "total": answer["total"], "success": true});
    assert_eq!(answer, said, "{query}");
    answer
}

/// The ids that a query lists, in its order.
async fn ids(app: &TestApp, login: &Login, query: &str) -> Vec<String> {
    let answer = list(app, login, query).await;
    let fields = answer["customFields"].as_array().expect("it is a list").iter();
    fields.map(|field| field["_id"].as_str().expect("it has an id").to_owned()).collect()
}

/// The values of all visitors.
async fn visitor_values(app: &TestApp) -> Vec<String> {
    column(app, "SELECT field || '=' || value FROM visitor_fields ORDER BY field, value").await
}

/// What all contacts have of custom fields: values and conflicts.
async fn contacts(app: &TestApp) -> Vec<(Value, Value)> {
    let read = |text: &String| serde_json::from_str(text).expect("it is JSON");
    let values = column(app, "SELECT custom_fields FROM contacts ORDER BY created_at, id").await;
    let conflicts = column(app, "SELECT conflicts FROM contacts ORDER BY created_at, id").await;
    values.iter().map(read).zip(conflicts.iter().map(read)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_listed_by_label() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, agent) = (app.admin().await, app.user("agent", &["livechat-agent"]).await);
        let nothing = json!({"customFields": [], "count": 0, "offset": 0, "total": 0, "success": true});
        get(&app, &agent, LIST).await.is(200, &nothing);
        for (id, label, scope, visibility) in [
            ("c", "apple", "room", "visible"),
            ("B", "Über", "visitor", "hidden"),
            ("a", "Apple", "visitor", "visible"),
            ("d", "apple", "visitor", "public"),
        ] {
            make(&app, &admin, id, json!({"label": label, "scope": scope, "visibility": visibility})).await;
        }
        let field = |id: &str, label: &str, scope: &str, visibility: &str| json!({"_id": id, "label": label, "scope": scope, "visibility": visibility, "_updatedAt": START});
        let all = json!({
            "customFields": [
                field("a", "Apple", "visitor", "visible"),
                field("c", "apple", "room", "visible"),
                field("d", "apple", "visitor", "public"),
                field("B", "Über", "visitor", "hidden"),
            ],
            "count": 4,
            "offset": 0,
            "total": 4,
            "success": true,
        });
        get(&app, &agent, LIST).await.is(200, &all);
        for (sort, expected) in [
            (r#"{"label":1}"#, ["a", "c", "d", "B"]),
            (r#"{"label":-1}"#, ["B", "d", "c", "a"]),
            (r#"{"_id":1}"#, ["B", "a", "c", "d"]),
            (r#"{"_id":-1}"#, ["d", "c", "a", "B"]),
            (r#"{"scope":1}"#, ["c", "a", "d", "B"]),
            (r#"{"scope":-1}"#, ["B", "d", "a", "c"]),
            (r#"{"visibility":1}"#, ["B", "d", "a", "c"]),
            (r#"{"visibility":-1}"#, ["c", "a", "d", "B"]),
            (r#"{"other":1}"#, ["a", "c", "d", "B"]),
        ] {
            assert_eq!(ids(&app, &agent, &format!("sort={}", encoded(sort))).await, expected, "{sort}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_found_by_part_of_label_or_id() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for (id, label) in [("shoe_size", "Größe"), ("Town", "Where"), ("plan", "50% off")] {
            make(&app, &admin, id, json!({"label": label})).await;
        }
        for (text, expected) in [
            ("", vec!["plan", "shoe_size", "Town"]),
            ("SHOE", vec!["shoe_size"]),
            ("GRÖSSE", vec![]),
            ("GRÖ", vec!["shoe_size"]),
            ("town", vec!["Town"]),
            ("wHeRe", vec!["Town"]),
            ("%", vec!["plan"]),
            ("_", vec!["shoe_size"]),
            ("e t", vec![]),
            ("' OR 1=1 --", vec![]),
        ] {
            let query = format!("text={}&sort={}", encoded(text), encoded(r#"{"label":1}"#));
            let mut found = ids(&app, &admin, &query).await;
            found.sort_by_key(|id| id.to_lowercase());
            assert_eq!(found, expected, "{text}");
        }
        let page = list(&app, &admin, "count=1&offset=1").await;
        assert_eq!((&page["count"], &page["offset"], &page["total"]), (&json!(1), &json!(1), &json!(3)));
        let page = list(&app, &admin, "text=e&count=1").await;
        assert_eq!((&page["count"], &page["total"]), (&json!(1), &json!(2)), "what is not found is not counted");
        let named = list(&app, &admin, &format!("text=plan&fields={}", encoded(r#"{"label":1}"#))).await;
        assert_eq!(named["customFields"], json!([{"_id": "plan", "label": "50% off"}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_field_is_read() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, agent) = (app.admin().await, app.user("agent", &["livechat-agent"]).await);
        let made = make(&app, &admin, "size", json!({"regexp": "[0-9]"})).await;
        get(&app, &agent, &format!("{LIST}/size")).await.is(200, &json!({"customField": made, "success": true}));
        for unknown in ["Size", "other", &encoded("The size"), &encoded("{\"$ne\":null}")] {
            get(&app, &agent, &format!("{LIST}/{unknown}")).await.is(200, &json!({"customField": null, "success": true}));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_staff_reads_fields_and_only_managers_change_them() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let (admin, user) = (app.admin().await, app.user("user", &["user"]).await);
        let (agent, manager) = (app.user("agent", &["livechat-agent"]).await, app.user("manager", &["livechat-manager"]).await);
        let monitor = app.user("monitor", &["livechat-monitor"]).await;
        make(&app, &admin, "size", json!({})).await;
        for path in [LIST.to_owned(), format!("{LIST}/size")] {
            app.get(&path).await.is(401, &not_logged_in());
            get(&app, &user, &path).await.is(403, &not_permitted());
            for login in [&agent, &monitor, &manager, &admin] {
                get(&app, login, &path).await.ok();
            }
        }
        for (path, body) in
            [(SAVE, json!({"customFieldData": data("town", json!({}))})), (DELETE, json!({"customFieldId": "town"}))]
        {
            app.post(path, &body).await.is(401, &not_logged_in());
            for login in [&user, &agent] {
                post(&app, login, path, &body).await.is(403, &not_permitted());
                post(&app, login, path, &json!({})).await.is(403, &not_permitted());
            }
            post(&app, &manager, path, &body).await.ok();
        }
        let body = json!({"customFieldData": data("town", json!({}))});
        post(&app, &monitor, SAVE, &body).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_is_asked_for_is_checked() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let legacy = |error: &str| coded(&format!("{error} [invalid-params]"), "invalid-params");
        for (query, answer) in [
            ("text[]=x", legacy("must be string")),
            ("other=x", legacy("must NOT have additional properties")),
            ("count=x", legacy("must be integer")),
            ("sort=x", coded("Invalid sort parameter provided: \"x\" [error-invalid-sort]", "error-invalid-sort")),
        ] {
            get(&app, &admin, &format!("{LIST}?{query}")).await.is(400, &answer);
        }
    }
}
