//! `POST users.setPreferences`, `GET users.getPreferences` and `users.getUsernameSuggestion`.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;

use super::*;
use crate::authentication::preferences;
use crate::support::{rows, usual};

const SET: &str = "/api/v1/users.setPreferences";
const GET: &str = "/api/v1/users.getPreferences";
const SUGGEST: &str = "/api/v1/users.getUsernameSuggestion";

/// The defaults with what was chosen over them.
fn chosen(others: Value) -> Value {
    let mut all = preferences();
    all.as_object_mut().expect("it is an object").extend(others.as_object().expect("choices are an object").clone());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_are_put_over_the_defaults() {
    let table = [
        (json!({}), json!({})),
        (json!({"omnichannelTranscriptEmail": true}), json!({"omnichannelTranscriptEmail": true})),
        (
            json!({"language": "fr", "idleTimeLimit": 60}),
            json!({"omnichannelTranscriptEmail": true, "language": "fr", "idleTimeLimit": 60}),
        ),
        (
            json!({"idleTimeLimit": null, "unknown": {"a": [1]}}),
            json!({"omnichannelTranscriptEmail": true, "language": "fr", "unknown": {"a": [1]}}),
        ),
        (json!({"language": null, "unknown": null, "omnichannelTranscriptEmail": null, "never": null}), json!({})),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        get(&app, &mary, GET).await.is(200, &json!({"preferences": preferences(), "success": true}));
        for (data, all) in &table {
            let all = chosen(all.clone());
            let expected = json!({"user": {"_id": mary.user_id, "settings": {"preferences": all}}, "success": true});
            post(&app, &mary, SET, &json!({"data": data})).await.is(200, &expected);
            get(&app, &mary, GET).await.is(200, &json!({"preferences": all, "success": true}));
            assert_eq!(get(&app, &mary, ME).await.ok()["settings"], json!({"profile": {}, "preferences": all}));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_defaults_are_settings() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, john) = (app.user("mary", &["user"]).await, app.user("john", &["user"]).await);
        post(&app, &mary, SET, &json!({"data": {"idleTimeLimit": 60}})).await.ok();
        set(&app, "Accounts_Default_User_Preferences_idleTimeLimit", json!(900)).await;
        for (login, expected) in [(&mary, 60), (&john, 900)] {
            assert_eq!(get(&app, login, GET).await.ok()["preferences"]["idleTimeLimit"], expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_choose_for_others() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (mary, john, admin) = (app.user("mary", &["user"]).await, app.user("john", &["user"]).await, app.admin().await);
        let before = rows(&app).await;
        let body = json!({"userId": mary.user_id, "data": {"language": "fr"}});
        post(&app, &john, SET, &body).await.is(400, &not_allowed("Editing user is not allowed"));
        let nobody = json!({"userId": "nonsense", "data": {}});
        post(&app, &john, SET, &nobody).await.is(400, &not_allowed("Editing user is not allowed"));
        post(&app, &admin, SET, &nobody).await.is(400, &nobody_found());
        for (body, message) in [
            (json!({}), "must have required property 'data'"),
            (json!({"data": "x"}), "must be object"),
            (json!({"data": []}), "must be object"),
            (json!({"data": {}, "userId": ["x"]}), "must be string"),
        ] {
            post(&app, &john, SET, &body).await.is(400, &invalid(message));
        }
        app.post(SET, &body).await.is(401, &not_logged_in());
        app.get(GET).await.is(401, &not_logged_in());
        assert_eq!(rows(&app).await, before);

        let answer = post(&app, &admin, SET, &body).await.ok();
        assert_eq!(answer["user"]["_id"], *mary.user_id);
        assert_eq!(get(&app, &mary, GET).await.ok()["preferences"]["language"], "fr");
        assert_eq!(get(&app, &admin, GET).await.ok()["preferences"]["language"], Value::Null);
        post(&app, &mary, SET, &json!({"userId": "", "data": {"language": "de"}})).await.ok();
        post(&app, &mary, SET, &json!({"userId": mary.user_id, "data": {"sendOnEnter": "desktop"}})).await.ok();
        assert_eq!(get(&app, &mary, GET).await.ok()["preferences"], chosen(json!({"language": "de", "sendOnEnter": "desktop"})));
        grant(&app, "edit-other-user-info", &["user"]).await;
        post(&app, &john, SET, &body).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_name_is_suggested() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        for (username, name, expected) in [
            ("mary", "Mary  Major", "mary.major"),
            ("mary.major", "Mary Major", "mary.major"),
            ("may", "Mary Major", "mary.major-2"),
            ("mary.major-2", "MARY MAJOR", "mary.major-2"),
            ("third", "Mary Major", "mary.major-3"),
            ("jurgen", "Jürgen O'Neill <b>", "jrgen.oneill.b"),
            ("nameless", "李", "user"),
            ("everybody", "All", "all-2"),
        ] {
            let body = new_user(username, json!({"name": name}));
            post(&app, &admin, CREATE, &body).await.ok();
            let login = app.log_in(username).await;
            get(&app, &login, SUGGEST).await.is(200, &json!({"result": expected, "success": true}));
        }
        app.get(SUGGEST).await.is(401, &not_logged_in());
    }
}
