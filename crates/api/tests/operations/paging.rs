//! Which part of a list is answered, and in which order: the parameters that every list takes, shown with the list of users.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::application::{Login, PASSWORD};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, post};
use crate::support::{coded, encoded, tamper};

const LIST: &str = "/api/v1/users.list";

/// Users as if they had been made by hand, called `many1001` to `many1110`.
const CROWD: &str = "WITH RECURSIVE numbers (number) AS (SELECT 1001 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1110)
    INSERT INTO users (id, username, username_key, name, name_key, password_hash, active, created_at, updated_at)
    SELECT 'crowd' || number, 'many' || number, 'many' || number, 'Many', 'many', '', TRUE, 1706702400000, 1706702400000
    FROM numbers";

/// How many users there are then: the administrator comes first in the order of the names, and the server's own user last.
const ALL: usize = 112;

/// Their names in that order.
fn everybody() -> Vec<String> {
    let crowd = (1_001..=1_110).map(|number| format!("many{number}"));
    [vec!["admin".to_owned()], crowd.collect(), vec!["rocket.cat".to_owned()]].concat()
}

/// An application with an administrator and a crowd.
async fn crowded(engine: &Engine) -> (TestApp, Login) {
    let app = Setup::default().start(engine).await;
    let admin = app.admin().await;
    tamper(&app, CROWD).await;
    (app, admin)
}

/// The list that a query gives, held against what it says of itself.
async fn list(app: &TestApp, login: &Login, query: &str) -> Value {
    let answer = get(app, login, &format!("{LIST}?{query}")).await.ok();
    let users = answer["users"].as_array().expect("it is a list");
    let said = json!({"users": users, "count": users.len(), "offset": answer["offset"], "total": answer["total"], "success": true});
    assert_eq!(answer, said, "{query}");
    answer
}

/// A member of every user of a list.
fn texts(list: &Value, member: &str) -> Vec<String> {
    let users = list["users"].as_array().expect("it is a list").iter();
    users.map(|user| user[member].as_str().expect("it is a text").to_owned()).collect()
}

/// The names that a query gives in the order in which it gives them.
async fn names(app: &TestApp, login: &Login, query: &str) -> Vec<String> {
    texts(&list(app, login, query).await, "username")
}

/// Changes a setting.
async fn set(app: &TestApp, login: &Login, id: &str, value: Value) {
    post(app, login, &format!("/api/v1/settings/{id}"), &json!({"value": value})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_its_limits() {
    for engine in Engine::all() {
        let (app, admin) = crowded(&engine).await;
        let everybody = everybody();
        assert_eq!(everybody.len(), ALL);
        for (query, offset, count) in [
            ("", 0, 50),
            ("count=7", 0, 7),
            ("count=100", 0, 100),
            ("count=101", 0, 100),
            ("count=9223372036854775807", 0, 100),
            ("count=0", 0, ALL),
            ("count=0&offset=100", 100, 12),
            ("count=-1", 0, 50),
            ("count=%2010%20", 0, 10),
            ("count=1e1", 0, 10),
            ("offset=3", 3, 50),
            ("offset=100&count=50", 100, 12),
            ("offset=111", 111, 1),
            ("offset=-5", 0, 50),
            ("query=%7B%22name%22%3A%22nobody%22%7D&other=1", 0, 50),
        ] {
            let page = list(&app, &admin, query).await;
            assert_eq!(texts(&page, "username"), everybody[offset..offset + count], "{query}");
            assert_eq!((&page["offset"], &page["total"]), (&json!(offset), &json!(ALL)), "{query}");
        }
        for beyond in [112, 5_000, i64::MAX] {
            let page = list(&app, &admin, &format!("offset={beyond}")).await;
            assert_eq!(page, json!({"users": [], "count": 0, "offset": beyond, "total": ALL, "success": true}));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_put_together_are_the_whole() {
    for engine in Engine::all() {
        let (app, admin) = crowded(&engine).await;
        // Nearly all have the same name and were made at the same moment.
        for sort in [r#"{"username": 1}"#, r#"{"name": 1}"#, r#"{"name": -1}"#, r#"{"createdAt": 1}"#, r#"{"createdAt": -1}"#] {
            let sort = encoded(sort);
            let whole = names(&app, &admin, &format!("count=0&sort={sort}")).await;
            let mut pages = Vec::new();
            for offset in (0..ALL).step_by(30) {
                pages.extend(names(&app, &admin, &format!("count=30&offset={offset}&sort={sort}")).await);
            }
            assert_eq!(pages, whole);
            pages.sort();
            assert_eq!(pages, everybody(), "everybody once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_number_is_refused() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for query in ["count=many", "count=1.5", "offset=first", "count[]=1", "offset[a]=1", "count=1&count=2", "count="] {
            get(&app, &admin, &format!("{LIST}?{query}")).await.is(400, &coded("must be integer", "error-invalid-params"));
        }
        for query in ["sort[]=%7B%7D", "fields[a]=1", "query[]=1"] {
            get(&app, &admin, &format!("{LIST}?{query}")).await.is(400, &coded("must be string", "error-invalid-params"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_how_long_pages_are() {
    const USUAL: &str = "API_Default_Count";
    const MOST: &str = "API_Upper_Count_Limit";
    const WHOLE: &str = "API_Allow_Infinite_Count";
    for engine in Engine::all() {
        let (app, admin) = crowded(&engine).await;
        let table = [
            (USUAL, json!(5), [5, 100, ALL]),
            (MOST, json!(20), [5, 20, ALL]),
            (USUAL, json!(50), [20, 20, ALL]),
            (WHOLE, json!(false), [20, 20, 20]),
            (USUAL, json!(7), [7, 20, 7]),
            (MOST, json!("110"), [7, 110, 7]),
            (MOST, json!(0), [7, 100, 7]),
            (MOST, json!(-1), [7, 100, 7]),
            (USUAL, json!(0), [50, 100, 50]),
            (USUAL, json!(-1), [50, 100, 50]),
            (USUAL, json!("none"), [50, 100, 50]),
            (WHOLE, json!("true"), [50, 100, ALL]),
        ];
        for (id, value, counts) in table {
            set(&app, &admin, id, value.clone()).await;
            for (query, count) in ["", "count=1000", "count=0"].into_iter().zip(counts) {
                assert_eq!(names(&app, &admin, query).await.len(), count, "{id} {value} {query}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_can_be_sorted_by_is_refused() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for text in [
            "username",
            "{",
            "[]",
            "null",
            "1",
            "\"username\"",
            r#"{"username": 2}"#,
            r#"{"username": 0}"#,
            r#"{"username": "1"}"#,
            r#"{"username": true}"#,
            r#"{"username": null}"#,
            r#"{"username": {"$gt": 1}}"#,
            r#"{"username": 1, "name": 5}"#,
            "{'username': 1}",
        ] {
            let told = format!("Invalid sort parameter provided: \"{text}\" [error-invalid-sort]");
            let answer = get(&app, &admin, &format!("{LIST}?sort={}", encoded(text))).await;
            answer.is(400, &coded(&told, "error-invalid-sort"));
        }
        for text in ["username", "{", "[]", "null", r#"{"username": 2}"#, r#"{"username": -1}"#, r#"{"username": "1"}"#] {
            let told = format!("Invalid fields parameter provided: \"{text}\" [error-invalid-fields]");
            let answer = get(&app, &admin, &format!("{LIST}?fields={}", encoded(text))).await;
            answer.is(400, &coded(&told, "error-invalid-fields"));
        }
        let long = coded("must NOT have more than 4096 characters", "error-invalid-params");
        for name in ["sort", "fields", "query"] {
            get(&app, &admin, &format!("{LIST}?{name}={}", "x".repeat(4_097))).await.is(400, &long);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_the_same_on_every_engine() {
    const PEOPLE: [(&str, &str); 10] = [
        ("Zed", "\u{1F600}"),
        ("adam", "\u{FF5E}"),
        ("a1", "emile"),
        ("a_b", "\u{c9}mile"),
        ("a.b", "Zoe"),
        ("a-b", "zoe"),
        ("B2", "\u{c4}rger"),
        ("9x", "9"),
        ("10x", "10"),
        ("_x", "_"),
    ];
    let by_username =
        ["10x", "9x", "_x", "a-b", "a.b", "a1", "a_b", "adam", "admin", "B2", "rocket.cat", "Zed"].map(str::to_owned).to_vec();
    let by_name =
        ["10x", "9x", "_x", "admin", "a1", "rocket.cat", "a.b", "a-b", "B2", "a_b", "adam", "Zed"].map(str::to_owned).to_vec();
    let mut by_age = vec!["admin".to_owned()];
    by_age.extend(PEOPLE.map(|(username, _)| username.to_owned()));
    let reversed = |names: &[String]| names.iter().rev().cloned().collect::<Vec<_>>();
    let orders = [
        ("{}", by_username.clone()),
        (r#"{"username": 1}"#, by_username.clone()),
        (r#"{"username": 1.0}"#, by_username.clone()),
        (r#"{"username": -1}"#, reversed(&by_username)),
        (r#"{"name": 1}"#, by_name.clone()),
        (r#"{"name": -1, "username": 1}"#, reversed(&by_name)),
        (r#"{"unknown": -1}"#, by_username.clone()),
        (r#"{"unknown": -1, "name": 1}"#, by_name),
        (r#"{"$where": 1, "username": -1}"#, reversed(&by_username)),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        for (number, (username, name)) in PEOPLE.into_iter().enumerate() {
            app.advance(Duration::from_secs(1));
            let body = json!({"username": username, "name": name, "email": format!("{number}@example.com"), "password": PASSWORD});
            post(&app, &admin, "/api/v1/users.create", &body).await.ok();
        }
        assert_eq!(names(&app, &admin, "").await, by_username);
        for (sort, expected) in &orders {
            assert_eq!(names(&app, &admin, &format!("sort={}", encoded(sort))).await, *expected, "{sort}");
        }
        // The server's own user and the administrator were made at the same moment.
        let people = |names: Vec<String>| names.into_iter().filter(|name| name != "rocket.cat").collect::<Vec<_>>();
        let oldest_first = names(&app, &admin, &format!("sort={}", encoded(r#"{"createdAt": 1}"#))).await;
        assert_eq!(people(oldest_first), by_age);
        let youngest_first = names(&app, &admin, &format!("sort={}", encoded(r#"{"createdAt": -1}"#))).await;
        assert_eq!(people(youngest_first), reversed(&by_age));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_ask_for_some_members() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let whole = list(&app, &admin, "count=1").await["users"][0].clone();
        assert_eq!(list(&app, &admin, "count=1&fields=%7B%7D").await["users"][0], whole);
        let only = |members: &[&str]| {
            let members = members.iter().map(|member| ((*member).to_owned(), whole[*member].clone()));
            Value::Object(members.collect())
        };
        let emails = json!([{"address": "Admin@example.com", "verified": true}]);
        assert_eq!(only(&["username", "emails"]), json!({"username": "admin", "emails": emails}));
        for (fields, expected) in [
            (r#"{"username": 1}"#, only(&["_id", "username"])),
            (r#"{"username": 1, "name": 1.0, "unknown": 1}"#, only(&["_id", "username", "name"])),
            (r#"{"_id": 1}"#, only(&["_id"])),
            (r#"{"emails.address": 1}"#, only(&["_id", "emails"])),
            (r#"{"unknown": 1}"#, only(&["_id"])),
            (r#"{"services": 1, "password_hash": 1}"#, only(&["_id"])),
        ] {
            let page = list(&app, &admin, &format!("count=1&fields={}", encoded(fields))).await;
            assert_eq!(page, json!({"users": [expected], "count": 1, "offset": 0, "total": 2, "success": true}), "{fields}");
        }
        let mut rest = whole.clone();
        for member in ["emails", "roles", "username"] {
            rest.as_object_mut().expect("a user is an object").remove(member).expect("the member is there without the query");
        }
        let fields = encoded(r#"{"emails": 0, "roles": 0, "username": 0, "unknown": 0}"#);
        assert_eq!(list(&app, &admin, &format!("count=1&fields={fields}")).await["users"], json!([rest]));
    }
}
