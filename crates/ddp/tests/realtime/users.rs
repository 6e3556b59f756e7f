//! What is told of users and of what administrators decide.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use usher_domain::Stream;
use usher_domain::user::UserStatus;
use usher_domain::visitor::VisitorToken;
use usher_store::{StoreError, q};
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;
use usher_testkit::{RealtimeClient, TestApp};

use crate::support::{desk, employ, post, shown, take, usual, visitor, widget};

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
        desk.follow(Stream::NotifyLogged, json!(["roles-change", false])).await;
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
        let helper = told[0]["_id"].clone();
        assert_eq!(desk.told(Stream::NotifyLogged, "roles-change").await, json!([{"type": "changed", "_id": helper}]));
        let membership = json!({"roleId": helper, "username": "agent"});
        let u = json!({"_id": agent.user_id, "username": "agent", "name": "agent"});
        post(&app, &admin, "/api/v1/roles.addUserToRole", &membership).await;
        let told = desk.told(Stream::NotifyLogged, "roles-change").await;
        assert_eq!(told, json!([{"type": "added", "_id": helper, "u": u}]));
        let roles = json!({"userId": agent.user_id, "data": {"roles": ["user", "livechat-agent"]}});
        post(&app, &admin, "/api/v1/users.update", &roles).await;
        let told = desk.told(Stream::NotifyLogged, "roles-change").await;
        assert_eq!(told, json!([{"type": "removed", "_id": helper, "u": u}]), "the others stay");
        post(&app, &admin, "/api/v1/settings/UI_DisplayRoles", &json!({"value": false})).await;
        post(&app, &admin, "/api/v1/roles.addUserToRole", &membership).await;
        post(&app, &admin, "/api/v1/roles.removeUserFromRole", &membership).await;
        post(&app, &admin, "/api/v1/roles.delete", &json!({"roleId": helper})).await;
        assert_eq!(desk.told(Stream::Roles, "roles").await[0]["type"], "removed");
        assert_eq!(desk.told_by_now(&app, Stream::NotifyLogged, "roles-change").await, [Value::Null; 0], "roles are not shown");

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
        assert!(services.beat("dead").await.expect("it can be noted"), "it has begun");
        assert!(!services.beat("dead").await.expect("it can be noted"), "it is known");
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

/// How the chat of a visitor says that the visitor is there.
async fn status_of_visitor(app: &TestApp, admin: &Login, room: &str) -> Value {
    let info = app.call(Method::GET, &format!("/api/v1/rooms.info?roomId={room}")).as_user(admin).send().await.ok();
    info["room"]["v"]["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_a_process_that_died_have_a_minute_to_come_back() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let (admin, services) = (app.admin().await, &app.services);
        let room = visitor(&app, "mary").await;
        let mary = VisitorToken::new("mary").expect("it is a token");
        let note = async |process_id: &str, is_here: bool| {
            let noted = services.note_visitors(process_id, vec![(mary.clone(), is_here)]).await;
            noted.expect("it can be noted");
        };
        services.beat("dead").await.expect("it can be noted");
        note("dead", true).await;
        app.advance(Duration::from_secs(60));
        services.beat("alive").await.expect("it can be noted");
        assert_eq!(status_of_visitor(&app, &admin, &room).await, "online", "not yet");
        note("alive", true).await;
        app.advance(Duration::from_millis(1));
        services.beat("alive").await.expect("it can be noted");
        assert_eq!(status_of_visitor(&app, &admin, &room).await, "online", "who came back is there");
        app.advance(Duration::from_secs(61));
        services.beat("other").await.expect("it can be noted");
        assert_eq!(status_of_visitor(&app, &admin, &room).await, "offline");

        let status = json!({"token": "mary", "status": "online"});
        app.post("/api/v1/livechat/visitor.status", &status).await.ok();
        note("other", true).await;
        note("third", true).await;
        note("other", false).await;
        assert_eq!(status_of_visitor(&app, &admin, &room).await, "online", "there is another tab, at another process");
        note("third", false).await;
        assert_eq!(status_of_visitor(&app, &admin, &room).await, "offline");
        let unknown = VisitorToken::new("unknown").expect("it is a token");
        services.note_visitors("other", vec![(unknown, true)]).await.expect("nobody is no error");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_in_a_chat_belongs_to_the_process_of_its_connection() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let admin = app.admin().await;
        let room = visitor(&app, "mary").await;
        let mary = app.get("/api/v1/livechat/visitor/mary").await.ok()["visitor"]["_id"].as_str().unwrap_or_default().to_owned();
        let is_noted = async || {
            let id = mary.clone();
            let noted = app.services.store.read::<_, StoreError, _>(move |tx| q::presences::is_visitor_connected(tx, &id)).await;
            noted.expect("it can be read")
        };
        let mut page = RealtimeClient::connect(&app).await;
        page.call("livechat:setUpConnection", json!([{"token": "mary"}])).await;
        page.catch_up(&app).await;
        assert!(!is_noted().await, "who only looks at a page is not written down");
        page.follow(Stream::RoomMessages, json!([room, shown("mary")])).await;
        while !is_noted().await {
            page.catch_up(&app).await;
        }
        app.advance(Duration::from_secs(61));
        app.services.beat("other").await.expect("it can be noted");
        assert_eq!(status_of_visitor(&app, &admin, &room).await, "offline", "the process has been silent for too long");
        // It was not gone, and says so ten seconds later at most.
        while matches!(engine, Engine::Sqlite(_)) && !is_noted().await {
            page.catch_up(&app).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_hear_of_their_departments() {
    for engine in Engine::all() {
        let app = usual(&engine).await;
        let admin = app.admin().await;
        let agent = employ(&app, "agent").await;
        let event = format!("{}/departmentAgentData", agent.user_id);
        let mut desk = RealtimeClient::log_in(&app, &agent).await;
        desk.follow(Stream::NotifyUser, json!([event, false])).await;
        let place = json!({"agentId": agent.user_id});
        let department = json!({"enabled": true, "name": "Sales", "showOnRegistration": true, "showOnOfflineForm": true,
            "email": "sales@example.com"});
        let made = json!({"department": department, "agents": [place]});
        let id = post(&app, &admin, "/api/v1/livechat/department", &made).await["department"]["_id"].clone();
        let told = desk.told(Stream::NotifyUser, &event).await[0].clone();
        let seen = (&told["action"], &told["departmentId"], &told["agentId"], &told["departmentEnabled"]);
        assert_eq!(seen, (&json!("inserted"), &id, &json!(agent.user_id), &json!(true)), "{told}");
        let place_id = told["_id"].clone();

        let path = format!("/api/v1/livechat/department/{}", id.as_str().unwrap_or_default());
        let mut disabled = department.clone();
        disabled["enabled"] = false.into();
        let call = app.call(Method::PUT, &path).as_user(&admin).json(&json!({"department": disabled, "agents": []}));
        call.send().await.ok();
        let told = desk.told(Stream::NotifyUser, &event).await[0].clone();
        assert_eq!((&told["action"], &told["_id"], &told["departmentEnabled"]), (&json!("updated"), &place_id, &json!(false)));

        let agents = json!({"upsert": [{"agentId": agent.user_id, "username": "agent", "count": 0, "order": 3}], "remove": []});
        post(&app, &admin, &format!("{path}/agents"), &agents).await;
        let told = desk.told(Stream::NotifyUser, &event).await[0].clone();
        assert_eq!((&told["action"], &told["_id"], &told["order"]), (&json!("updated"), &place_id, &json!(3)));

        post(&app, &admin, "/api/v1/settings/Omnichannel_enable_department_removal", &json!({"value": true})).await;
        app.call(Method::DELETE, &path).as_user(&admin).send().await.ok();
        let told = desk.told(Stream::NotifyUser, &event).await[0].clone();
        let gone = json!({"action": "removed", "_id": place_id, "departmentId": id, "agentId": agent.user_id});
        assert_eq!(told, gone);
    }
}
