//! What is told of users and of what administrators decide.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use usher_domain::Stream;
use usher_domain::user::UserStatus;
use usher_testkit::RealtimeClient;
use usher_testkit::engines::Engine;

use crate::support::{desk, employ, post, take, usual, visitor, widget};

#[tokio::test(flavor = "multi_thread")]
async fn others_hear_whether_somebody_is_there() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = employ(&app, "agent").await;
        let other = employ(&app, "other").await;
        let room = visitor(&app, "mary").await;
        take(&app, &agent, &room).await;
        let mut mary = widget(&app, "mary", &room).await;
        let mut desk = desk(&app, &agent).await;
        let mut colleague = RealtimeClient::log_in(&app, &other).await;
        colleague.follow(Stream::NotifyLogged, json!(["user-status", false])).await;
        let added = json!({"added": [agent.user_id, "nobody"], "removed": []});
        let ready = colleague.subscribe_as("presence", "stream-user-presence", json!(["", added])).await;
        assert_eq!(ready, json!({"msg": "ready", "subs": ["presence"]}));
        post(&app, &agent, "/api/v1/users.setStatus", &json!({"status": "busy", "message": "lunch"})).await;
        let told = colleague.told(Stream::NotifyLogged, "user-status").await;
        assert_eq!(told, json!([[agent.user_id, "agent", 3, "lunch", "agent", ["livechat-agent", "user"]]]));
        let presence = colleague.told(Stream::UserPresence, &agent.user_id).await;
        assert_eq!(presence, json!([["agent", 3, "lunch"]]));
        assert_eq!(mary.told(Stream::LivechatRoom, &room).await, json!([{"type": "agentStatus", "status": "busy"}]));
        let told = desk.told(Stream::NotifyUser, &format!("{}/userData", agent.user_id)).await;
        assert_eq!((&told[0]["type"], &told[0]["diff"]["status"]), (&json!("updated"), &json!("busy")));

        let again = colleague.subscribe_as("later", "stream-user-presence", json!(["", {"removed": [agent.user_id]}])).await;
        assert_eq!(again, json!({"msg": "nosub", "id": "later"}), "the first one stays");
        post(&app, &agent, "/api/v1/users.setStatus", &json!({"status": "online", "message": ""})).await;
        colleague.told(Stream::NotifyLogged, "user-status").await;
        assert!(colleague.told_by_now(&app, Stream::UserPresence, &agent.user_id).await.is_empty());
        post(&app, &agent, "/api/v1/livechat/agent.status", &json!({"status": "not-available"})).await;
        desk.wait_for(|frame| frame["fields"]["args"][0]["diff"] == json!({"statusLivechat": "not-available"})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_hear_what_administrators_decide() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let admin = app.admin().await;
        let agent = employ(&app, "agent").await;
        let mut anonymous = RealtimeClient::connect(&app).await;
        for event in ["public-settings-changed", "public-info"] {
            anonymous.follow(Stream::NotifyAll, json!([event, false])).await;
        }
        let mut desk = RealtimeClient::log_in(&app, &agent).await;
        desk.follow(Stream::NotifyLogged, json!(["permissions-changed", false])).await;
        desk.follow(Stream::NotifyLogged, json!(["Users:NameChanged", false])).await;
        desk.follow(Stream::NotifyLogged, json!(["Users:Deleted", false])).await;
        desk.follow(Stream::Roles, json!(["roles", false])).await;
        post(&app, &admin, "/api/v1/settings/Livechat_title", &json!({"value": "Talk to us"})).await;
        let told = anonymous.told(Stream::NotifyAll, "public-settings-changed").await;
        assert_eq!(
            (&told[0], &told[1]["_id"], &told[1]["value"]),
            (&json!("updated"), &json!("Livechat_title"), &json!("Talk to us"))
        );
        assert_eq!(anonymous.told(Stream::NotifyAll, "public-info").await, json!([["public-settings-changed", told]]));

        let change = json!({"permissions": [{"_id": "view-l-room", "roles": ["admin"]}]});
        post(&app, &admin, "/api/v1/permissions.update", &change).await;
        let told = desk.told(Stream::NotifyLogged, "permissions-changed").await;
        assert_eq!(told, json!(["updated", {"_id": "view-l-room", "roles": ["admin"]}]));
        post(&app, &admin, "/api/v1/roles.create", &json!({"name": "helper"})).await;
        let told = desk.told(Stream::Roles, "roles").await;
        assert_eq!((&told[0]["type"], &told[0]["name"]), (&json!("added"), &json!("helper")), "{told}");

        let gone = app.user("gone", &["user"]).await;
        post(&app, &admin, "/api/v1/users.update", &json!({"userId": gone.user_id, "data": {"name": "Other"}})).await;
        let named = json!([{"_id": gone.user_id, "name": "Other", "username": "gone"}]);
        desk.wait_for(|frame| frame["fields"]["args"] == named).await;
        post(&app, &admin, "/api/v1/users.delete", &json!({"userId": gone.user_id})).await;
        assert_eq!(desk.told(Stream::NotifyLogged, "Users:Deleted").await, json!([{"userId": gone.user_id}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_there_as_the_best_connection_says() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = app.user("agent", &["user", "livechat-agent"]).await;
        let admin = app.admin().await;
        let mut observer = RealtimeClient::log_in(&app, &admin).await;
        observer.follow(Stream::NotifyLogged, json!(["user-status", false])).await;
        let becomes = async |observer: &mut RealtimeClient, code: i64| {
            let is_it = |frame: &serde_json::Value| frame["fields"]["args"][0][0] == agent.user_id.as_str();
            let told = observer.wait_for(is_it).await;
            assert_eq!(told["fields"]["args"][0][2], code, "{told}");
        };
        let mut first = RealtimeClient::log_in(&app, &agent).await;
        becomes(&mut observer, 1).await;
        let mut second = RealtimeClient::log_in(&app, &agent).await;
        assert_eq!(first.call("UserPresence:away", json!([])).await.get("error"), None);
        second.call("UserPresence:away", json!([])).await;
        becomes(&mut observer, 2).await;
        first.call("UserPresence:online", json!([])).await;
        becomes(&mut observer, 1).await;
        drop(first);
        becomes(&mut observer, 2).await;
        second.call("setUserStatus", json!(["busy", ""])).await;
        becomes(&mut observer, 3).await;
        second.call("UserPresence:online", json!([])).await;
        drop(second);
        becomes(&mut observer, 0).await;

        let mut anonymous = RealtimeClient::connect(&app).await;
        assert_eq!(anonymous.call("UserPresence:away", json!([])).await.get("error"), None, "nothing happens");
        post(&app, &agent, "/api/v1/users.setStatus", &json!({"status": "away", "message": ""})).await;
        becomes(&mut observer, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_connected_to_a_process_that_died_has_a_minute_to_come_back() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let agent = app.user("agent", &["user", "livechat-agent"]).await;
        let (services, online) = (&app.services, Some(UserStatus::Online));
        services.beat("dead").await.expect("it can be noted");
        services.note_presences("dead", vec![(agent.user_id.clone(), online)]).await.expect("it can be noted");
        let status = async || app.call(Method::GET, "/api/v1/me").as_user(&agent).send().await.ok()["status"].clone();
        assert_eq!(status().await, "online");
        app.advance(Duration::from_secs(60));
        services.beat("alive").await.expect("it can be noted");
        assert_eq!(status().await, "online", "not yet");
        services.note_presences("alive", vec![(agent.user_id.clone(), Some(UserStatus::Away))]).await.expect("it can be noted");
        assert_eq!(status().await, "online", "the best connection counts");
        app.advance(Duration::from_millis(1));
        services.beat("alive").await.expect("it can be noted");
        assert_eq!(status().await, "away", "who came back is there");
        app.advance(Duration::from_secs(61));
        services.beat("other").await.expect("it can be noted");
        assert_eq!(status().await, "offline");
    }
}
