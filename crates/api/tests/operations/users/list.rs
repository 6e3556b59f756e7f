//! `GET users.list`, `users.listByStatus`, `users.autocomplete` and `spotlight`.

use serde_json::{Value, json};
use usher_testkit::TestApp;
use usher_testkit::application::PASSWORD;
use usher_testkit::engines::Engine;

use super::*;
use crate::support::{encoded, plain, usual};

const LIST: &str = "/api/v1/users.list";
const LIST_BY_STATUS: &str = "/api/v1/users.listByStatus";
const AUTOCOMPLETE: &str = "/api/v1/users.autocomplete";
const SPOTLIGHT: &str = "/api/v1/spotlight";

/// Who is in the lists.
struct People {
    admin: Login,
    anna: Login,
    agent: Login,
}

/// Makes an administrator, the users anna and Bert (who never logged in and is off), the bot carl and an agent who may see nobody.
async fn people(app: &TestApp) -> People {
    let admin = app.admin().await;
    app.advance(std::time::Duration::from_secs(1));
    let carl = json!({"name": "Zoe", "roles": ["bot"], "email": "robot@example.org"});
    post(app, &admin, CREATE, &new_user("carl", carl)).await.ok();
    app.advance(std::time::Duration::from_secs(1));
    let bert = json!({"name": "Agnes", "active": false, "roles": ["user", "guest"]});
    post(app, &admin, CREATE, &new_user("Bert", bert)).await.ok();
    app.advance(std::time::Duration::from_secs(1));
    let anna = app.user("anna", &["user"]).await;
    app.advance(std::time::Duration::from_secs(1));
    People { admin, anna, agent: app.user("x_agent", &["livechat-agent"]).await }
}

/// The user names of a list.
fn names(answer: &Value) -> Vec<&str> {
    let users = answer["users"].as_array().expect("there is a list").iter();
    users.map(|user| user["username"].as_str().expect("users have names")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_pages_and_an_order() {
    let all = ["admin", "anna", "Bert", "carl", "rocket.cat", "x_agent"];
    let reversed = ["x_agent", "rocket.cat", "carl", "Bert", "anna", "admin"];
    let table: [(&str, &[&str], i64); 14] = [
        ("", &all, 0),
        ("?", &all, 0),
        ("count=2", &all[..2], 0),
        ("count=2&offset=4", &all[4..], 4),
        ("offset=5", &all[5..], 5),
        ("offset=6", &[], 6),
        ("offset=-2&count=-1", &all, 0),
        ("count=0", &all, 0),
        (r#"sort={"username":-1}"#, &reversed, 0),
        (r#"sort={"name":1}"#, &["admin", "Bert", "anna", "rocket.cat", "x_agent", "carl"], 0),
        (r#"sort={"createdAt":-1}&count=4"#, &["x_agent", "anna", "Bert", "carl"], 0),
        (r#"sort={"emails":1}"#, &all, 0),
        (r#"sort={"active":-1,"username":-1}"#, &reversed, 0),
        (r#"query={"username":"anna"}"#, &all, 0),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        for (query, expected, offset) in &table {
            let query = query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
            let answer = get(&app, &people.admin, &format!("{LIST}?{query}")).await.ok();
            let found = (names(&answer), answer["count"].as_i64(), answer["offset"].as_i64(), answer["total"].as_i64());
            assert_eq!(found, (expected.to_vec(), Some(expected.len() as i64), Some(*offset), Some(6)), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_a_page_is_has_limits() {
    for (settings, query, expected) in [
        (&[("API_Default_Count", "2")] as &[_], "", 2),
        (&[("API_Default_Count", "2"), ("API_Allow_Infinite_Count", "false")], "count=0", 2),
        (&[("API_Upper_Count_Limit", "3")], "count=5", 3),
        (&[("API_Upper_Count_Limit", "3")], "count=0", 6),
    ] {
        for engine in Engine::all() {
            let setup = settings.iter().fold(usual(), |setup, (id, value)| setup.setting(id, value));
            let app = setup.start(&engine).await;
            let people = people(&app).await;
            let answer = get(&app, &people.admin, &format!("{LIST}?{query}")).await.ok();
            assert_eq!((names(&answer).len(), &answer["total"]), (expected, &json!(6)), "{settings:?} {query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_as_much_as_its_reader_may_see() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        let (created, seen) = ("2024-01-31T12:00:03.000Z", format!("{LIST}?count=1&offset=1"));
        let moments = json!({"createdAt": created, "_updatedAt": created, "lastLogin": created});
        let all = whole(&people.anna.user_id, "anna", moments);
        let page = |user: &Value| json!({"users": [user], "count": 1, "offset": 1, "total": 6, "success": true});
        get(&app, &people.admin, &seen).await.is(200, &page(&all));
        get(&app, &people.anna, &seen).await.is(200, &page(&all));
        let john = app.user("zed", &["user"]).await;
        let mut others = page(&seen_by_others(&people.anna.user_id, "anna"));
        others["total"] = json!(7);
        get(&app, &john, &seen).await.is(200, &others);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_can_be_left_out() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        let id = &people.anna.user_id;
        for (fields, expected) in [
            (r#"{"username":1}"#, json!({"_id": id, "username": "anna"})),
            (r#"{"_id":1}"#, json!({"_id": id})),
            (
                r#"{"username":1,"emails.address":1,"services":1,"password":1}"#,
                json!({"_id": id, "username": "anna", "emails": [{"address": "anna@example.com", "verified": true}]}),
            ),
        ] {
            let answer = get(&app, &people.admin, &format!("{LIST}?offset=1&count=1&fields={}", encoded(fields))).await.ok();
            assert_eq!(answer["users"], json!([expected]), "{fields}");
        }
        let without = encoded(r#"{"emails":0,"roles":0,"settings":0}"#);
        let answer = get(&app, &people.admin, &format!("{LIST}?offset=1&count=1&fields={without}")).await.ok();
        let user = &answer["users"][0];
        assert!(user["emails"].is_null() && user["roles"].is_null() && user["settings"].is_null() && user["name"] == "anna");
        // Nobody sees more than it may by naming it.
        let named = format!("{LIST}?offset=2&count=1&fields={}", encoded(r#"{"emails":1}"#));
        let answer = get(&app, &people.anna, &named).await.ok();
        assert_eq!(answer["users"].as_array().expect("there is a list")[0].as_object().map(serde_json::Map::len), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_for_those_who_see_users() {
    let bad_sort = |text: &str| {
        let told = format!("Invalid sort parameter provided: \"{text}\" [error-invalid-sort]");
        coded(&told, "error-invalid-sort")
    };
    let bad_fields = |text: &str| {
        let told = format!("Invalid fields parameter provided: \"{text}\" [error-invalid-fields]");
        coded(&told, "error-invalid-fields")
    };
    let table = [
        ("count=x".to_owned(), invalid_query("must be integer")),
        ("offset[]=1".to_owned(), invalid_query("must be integer")),
        ("sort[a]=1".to_owned(), invalid_query("must be string")),
        ("sort=name".to_owned(), bad_sort("name")),
        (format!("sort={}", encoded(r#"{"name":2}"#)), bad_sort(r#"{"name":2}"#)),
        (format!("fields={}", encoded("[1]")), bad_fields("[1]")),
        (format!("fields={}", encoded(r#"{"name":"x"}"#)), bad_fields(r#"{"name":"x"}"#)),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        for path in [LIST, LIST_BY_STATUS] {
            for (query, expected) in &table {
                let reply = get(&app, &people.anna, &format!("{path}?{query}")).await;
                assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{query}");
            }
            get(&app, &people.agent, path).await.is(403, &not_permitted());
            app.get(path).await.is(401, &not_logged_in());
        }
        for role in ["bot", "app", "guest"] {
            let login = app.user(&format!("{role}.1"), &[role]).await;
            get(&app, &login, LIST).await.ok();
        }
        grant(&app, "view-d-room", &["livechat-agent", "admin"]).await;
        get(&app, &people.agent, LIST).await.ok();
        get(&app, &people.anna, LIST).await.is(403, &not_permitted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_chosen_by_what_they_are() {
    let table: [(&str, &[&str]); 17] = [
        ("", &["admin", "anna", "Bert", "carl", "rocket.cat", "x_agent"]),
        ("status=active", &["admin", "anna", "carl", "rocket.cat", "x_agent"]),
        ("status=deactivated", &["Bert"]),
        ("hasLoggedIn=true", &["admin", "anna", "x_agent"]),
        ("hasLoggedIn=false", &["Bert", "carl", "rocket.cat"]),
        ("type=bot", &["carl", "rocket.cat"]),
        ("type=user&hasLoggedIn=false", &["Bert"]),
        ("type=nonsense", &[]),
        ("roles[]=guest", &["Bert"]),
        ("roles[]=guest&roles[]=bot", &["Bert", "carl", "rocket.cat"]),
        ("roles[]=nonsense", &[]),
        ("searchTerm=AN", &["anna"]),
        ("searchTerm=zoe", &["carl"]),
        ("searchTerm=example.ORG", &["carl"]),
        ("searchTerm=_", &["x_agent"]),
        ("searchTerm=%25", &[]),
        ("searchTerm=&type=&status=active&roles[]=admin", &["admin"]),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        for (query, expected) in &table {
            let answer = get(&app, &people.admin, &format!("{LIST_BY_STATUS}?{query}")).await.ok();
            assert_eq!((names(&answer), answer["total"].as_u64()), (expected.to_vec(), Some(expected.len() as u64)), "{query}");
        }
        let paged = get(&app, &people.admin, &format!("{LIST_BY_STATUS}?status=active&count=1&offset=1")).await.ok();
        assert_eq!(
            (names(&paged), &paged["count"], &paged["offset"], &paged["total"]),
            (vec!["anna"], &json!(1), &json!(1), &json!(5))
        );
        for (query, message) in [
            ("status=nonsense", "must be equal to one of the allowed values"),
            ("status=", "must be equal to one of the allowed values"),
            ("hasLoggedIn=perhaps", "must be boolean"),
            ("roles=admin", "must be array"),
            ("roles[0][$ne]=admin", "must be string"),
            ("searchTerm[]=x", "must be string"),
            ("type[]=x", "must be string"),
        ] {
            let reply = get(&app, &people.admin, &format!("{LIST_BY_STATUS}?{query}")).await;
            assert_eq!((reply.status.as_u16(), reply.body), (400, invalid_query(message)), "{query}");
        }
    }
}

/// The user names of those who were offered.
fn offered<'a>(answer: &'a Value, list: &str) -> Vec<&'a str> {
    let items = answer[list].as_array().expect("there is a list").iter();
    items.map(|item| item["username"].as_str().expect("users have names")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_offered_to_choose_from() {
    let table: [(Value, &[&str]); 9] = [
        (json!({}), &["admin", "anna", "carl", "rocket.cat", "x_agent"]),
        (json!({"term": ""}), &["admin", "anna", "carl", "rocket.cat", "x_agent"]),
        (json!({"term": "ann", "conditions": {"active": false}}), &["anna"]),
        (json!({"term": "AGN"}), &[]),
        (json!({"term": "ZOE"}), &["carl"]),
        (json!({"term": "a", "exceptions": ["anna", "carl", 7, null]}), &["admin", "rocket.cat", "x_agent"]),
        (json!({"term": "%"}), &[]),
        (json!({"term": "x_a"}), &["x_agent"]),
        (json!({"term": {"$ne": ""}, "exceptions": "anna"}), &["admin", "anna", "carl", "rocket.cat", "x_agent"]),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        for (selector, expected) in &table {
            let path = format!("{AUTOCOMPLETE}?selector={}", encoded(&selector.to_string()));
            let answer = get(&app, &people.agent, &path).await.ok();
            assert_eq!(offered(&answer, "items"), *expected, "{selector}");
        }
        let path = format!("{AUTOCOMPLETE}?selector={}", encoded(r#"{"term":"anna"}"#));
        let expected = json!({"items": [listed(&people.anna.user_id, "anna", "offline")], "success": true});
        get(&app, &people.agent, &path).await.is(200, &expected);
        for (query, expected) in [
            (String::new(), invalid_query("must have required property 'selector'")),
            ("selector[]=x".to_owned(), invalid_query("must be string")),
            ("selector=anna".to_owned(), plain("Invalid selector")),
            ("selector=[]".to_owned(), plain("Invalid selector")),
            (format!("selector={}", encoded(r#"{"term":"a\u0000"}"#)), plain("Invalid selector")),
            (format!("selector={}", encoded(r#"{"exceptions":["a\u0000"]}"#)), plain("Invalid selector")),
        ] {
            let reply = get(&app, &people.agent, &format!("{AUTOCOMPLETE}?{query}")).await;
            assert_eq!((reply.status.as_u16(), reply.body), (400, expected), "{query}");
        }
        app.get(&path).await.is(401, &not_logged_in());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_ten_names_are_offered() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for number in 10..22 {
            let body = new_user(&format!("user-{number}"), json!({"password": PASSWORD}));
            post(&app, &admin, CREATE, &body).await.ok();
        }
        let expected: Vec<String> = (10..20).map(|number| format!("user-{number}")).collect();
        let path = format!("{AUTOCOMPLETE}?selector={}", encoded(r#"{"term":"USER-"}"#));
        assert_eq!(offered(&get(&app, &admin, &path).await.ok(), "items"), expected);
        assert_eq!(offered(&get(&app, &admin, &format!("{SPOTLIGHT}?query=user-")).await.ok(), "users"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_part_of_a_name() {
    let table: [(&str, &[&str]); 7] = [
        ("ann", &["anna"]),
        ("%40ann", &["anna"]),
        ("%23ann", &[]),
        ("Bert", &[]),
        ("zoe", &["carl"]),
        ("%25", &[]),
        ("", &["admin", "anna", "carl", "rocket.cat", "x_agent"]),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let people = people(&app).await;
        for (query, expected) in &table {
            let answer = get(&app, &people.agent, &format!("{SPOTLIGHT}?query={query}")).await.ok();
            assert_eq!((offered(&answer, "users"), &answer["rooms"]), (expected.to_vec(), &json!([])), "{query}");
        }
        let expected = json!({"users": [listed(&people.anna.user_id, "anna", "offline")], "rooms": [], "success": true});
        get(&app, &people.agent, &format!("{SPOTLIGHT}?query=anna")).await.is(200, &expected);
        let missing = invalid_query("must have required property 'query'");
        get(&app, &people.agent, SPOTLIGHT).await.is(400, &missing);
        get(&app, &people.agent, &format!("{SPOTLIGHT}?query[]=x")).await.is(400, &invalid_query("must be string"));
        app.get(&format!("{SPOTLIGHT}?query=anna")).await.is(401, &not_logged_in());
    }
}
