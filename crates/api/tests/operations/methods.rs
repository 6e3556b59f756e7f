//! `method.call` and `method.callAnon`: how a call looks, and what is answered to one that is none.

mod agents;
mod custom_fields;
mod departments;
mod limits;
mod livechat;
mod mails;
mod messages;
mod platform;
mod rooms;
mod session;
mod visitors;

use axum::http::Method as Verb;
use serde_json::{Value, json};
use usher_services::methods::Method;
use usher_testkit::TestApp;
use usher_testkit::application::{Call, Login, Reply};
use usher_testkit::engines::Engine;

use crate::support::{coded, plain, rows, usual};

/// The path of a call by a user. What it says of the method is for people to read.
const CALL: &str = "/api/v1/method.call/anything";

/// The path of a call by anybody.
const CALL_ANONYMOUSLY: &str = "/api/v1/method.callAnon/anything";

/// The body of a call.
fn body(name: &str, parameters: &Value) -> Value {
    json!({"message": json!({"msg": "method", "id": "101", "method": name, "params": parameters}).to_string()})
}

/// Prepares a call by a user.
pub fn prepare<'a>(app: &'a TestApp, login: &Login, name: &str, parameters: &Value) -> Call<'a> {
    app.call(Verb::POST, CALL).as_user(login).json(&body(name, parameters))
}

/// Calls a method as a user.
pub async fn call(app: &TestApp, login: &Login, name: &str, parameters: Value) -> Reply {
    prepare(app, login, name, &parameters).send().await
}

/// Calls a method as nobody in particular.
async fn call_anonymously(app: &TestApp, name: &str, parameters: Value) -> Reply {
    app.post(CALL_ANONYMOUSLY, &body(name, &parameters)).await
}

/// The text in an answer, read.
#[track_caller]
fn message(reply: &Reply) -> Value {
    let text = reply.body["message"].as_str().unwrap_or_else(|| panic!("no answer of a method: {}", reply.body));
    let message: Value = serde_json::from_str(text).expect("the text is JSON");
    assert_eq!((&message["msg"], &message["id"]), (&json!("result"), &json!("101")), "{message}");
    message
}

/// What a method gave to a call that must have gone well; null for nothing.
#[track_caller]
pub fn result(reply: Reply) -> Value {
    assert_eq!((reply.status.as_u16(), &reply.body["success"]), (200, &json!(true)), "{}", reply.body);
    let message = message(&reply);
    assert!(message.get("error").is_none(), "{message}");
    message["result"].clone()
}

/// The error that a method answered with this status.
#[track_caller]
pub fn failure(reply: Reply, status: u16) -> Value {
    assert_eq!((reply.status.as_u16(), &reply.body["success"]), (status, &json!(status == 200)), "{}", reply.body);
    let message = message(&reply);
    assert!(message.get("result").is_none(), "{message}");
    message["error"].clone()
}

/// An error with a sentence for people.
fn error(code: Value, reason: &str) -> Value {
    let shown = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
    let message = format!("{reason} [{shown}]");
    json!({"isClientSafe": true, "error": code, "reason": reason, "message": message, "errorType": "Meteor.Error"})
}

/// An error without one.
fn bare_error(code: &str) -> Value {
    json!({"isClientSafe": true, "error": code, "message": format!("[{code}]"), "errorType": "Meteor.Error"})
}

/// The error of a parameter, as REST tells it.
fn mismatch(told: &str) -> Value {
    let sanitised = error(json!(400), "Match failed");
    json!({"message": format!("Match error: {told}"), "path": "", "sanitizedError": sanitised, "errorType": "Match.Error"})
}

fn not_logged_in() -> Value {
    error(json!("error-invalid-user"), "Invalid user")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_a_text_in_an_object() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let frame = json!({"msg": "method", "id": "a \"b\"", "method": "2fa:checkCodesRemaining", "params": [], "randomSeed": "x"});
        let reply = app.call(Verb::POST, CALL).as_user(&mary).json(&json!({"message": frame.to_string()})).send().await;
        assert_eq!(reply.headers["content-type"], "application/json");
        let text = reply.body["message"].as_str().expect("an answer is a text").to_owned();
        reply.is(200, &json!({"message": text, "success": true}));
        let expected = json!({"msg": "result", "id": "a \"b\"", "result": {"remaining": 0}});
        assert_eq!(serde_json::from_str::<Value>(&text).expect("the text is JSON"), expected);

        // What gives nothing has no result.
        let nothing = call(&app, &mary, "setUserStatus", json!(["busy"])).await;
        assert_eq!(message(&nothing), json!({"msg": "result", "id": "101"}));

        let refused = call(&app, &mary, "setUserStatus", json!(["nonsense"])).await;
        assert_eq!(refused.status.as_u16(), 400);
        let members = refused.body.as_object().expect("it is an object").keys().collect::<Vec<_>>();
        assert_eq!(members, ["message", "success"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_method_in_the_message_is_the_one_that_runs() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let body = body("2fa:checkCodesRemaining", &json!([]));
        for path in ["setUserStatus", "livechat:registerGuest", "livechat%3AregisterGuest", "2fa%3AcheckCodesRemaining", "%00"] {
            let reply = app.call(Verb::POST, &format!("/api/v1/method.call/{path}")).as_user(&mary).json(&body).send().await;
            assert_eq!(result(reply), json!({"remaining": 0}), "{path}");
        }
        let nowhere = app.call(Verb::POST, "/api/v1/method.call/livechat/registerGuest").as_user(&mary).json(&body).send().await;
        assert_eq!(nowhere.status.as_u16(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_is_refused() {
    let frames = [
        "",
        "x",
        "null",
        "[]",
        "{}",
        r#""text""#,
        r#"{"msg":"method","method":"login","params":[]}"#,
        r#"{"msg":"method","id":1,"method":"login","params":[]}"#,
        r#"{"msg":"method","id":"1","params":[]}"#,
        r#"{"msg":"method","id":"1","method":7,"params":[]}"#,
        r#"{"msg":"method","id":"1","method":"login"}"#,
        r#"{"msg":"method","id":"1","method":"login","params":{}}"#,
        r#"{"msg":"method","id":"1","method":"login","params":null}"#,
        r#"{"msg":"sub","id":"1","method":"login","params":[]}"#,
        r#"{"msg":null,"id":"1","method":"login","params":[]}"#,
        r#"{"msg":"method","id":"1","method":"login","params":[]"#,
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let before = rows(&app).await;
        for path in [CALL, CALL_ANONYMOUSLY] {
            let send = async |body: &Value| app.call(Verb::POST, path).as_user(&mary).json(body).send().await;
            for frame in frames {
                let reply = send(&json!({"message": frame})).await;
                assert_eq!((reply.status.as_u16(), reply.body), (400, plain("Invalid method call")), "{frame}");
            }
            send(&json!({"message": 12})).await.is(400, &plain("Invalid method call"));
            send(&json!({})).await.is(400, &coded("must have required property 'message'", "invalid-params"));
            send(&json!({"message": {"msg": "method"}})).await.is(400, &coded("must be string", "invalid-params"));
            send(&json!({"message": ["x"]})).await.is(400, &coded("must be string", "invalid-params"));
            send(&json!([])).await.is(400, &coded("must be object", "invalid-params"));
            // Whoever leaves out what kind of message it is means a call.
            let frame = r#"{"id":"101","method":"public-settings/get","params":[]}"#;
            send(&json!({"message": frame, "other": 1})).await.ok();
        }
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_not_found() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        for name in ["x", "", "Login", "livechat/changeLivechatStatus", "__proto__", "2fa:enable ", "' OR 1=1 --", "<b>\u{0}"] {
            let expected = error(json!(404), &format!("Method '{name}' not found"));
            assert_eq!(failure(call(&app, &mary, name, json!([])).await, 400), expected);
            assert_eq!(failure(call_anonymously(&app, name, json!([])).await, 400), expected);
        }
    }
}

/// Every method, and whether it is for users only.
fn every_method() -> Vec<(Method, bool)> {
    let is_for_users = |method: Method| match method {
        Method::LogIn
        | Method::LogOut
        | Method::LogOutCleanUp
        | Method::BeOnline
        | Method::BeAway
        | Method::SetUpConnection
        | Method::NextAgent
        | Method::PublicSettings
        | Method::RegisterGuest
        | Method::LoginByToken
        | Method::PageVisited
        | Method::SendVisitorMessage
        | Method::LoadVisitorHistory
        | Method::SetCustomField
        | Method::CustomFields
        | Method::CloseByVisitor
        | Method::AgentOfRoom
        | Method::SaveSurvey
        | Method::SendOfflineMessage => false,
        Method::SetUserStatus
        | Method::SetDefaultStatus
        | Method::EnrolTotp
        | Method::EnableTotp
        | Method::DisableTotp
        | Method::RenewBackupCodes
        | Method::CountBackupCodes
        | Method::Permissions
        | Method::PrivateSettings
        | Method::SaveSettings
        | Method::SaveCustomField
        | Method::RemoveCustomField
        | Method::RoutingConfig
        | Method::AddAgent
        | Method::RemoveAgent
        | Method::AddManager
        | Method::RemoveManager
        | Method::SaveAgentInfo
        | Method::SearchAgent
        | Method::ChangeAgentStatus
        | Method::SaveDepartment
        | Method::RemoveDepartment
        | Method::SaveDepartmentAgents
        | Method::ForwardRestrictions
        | Method::TakeInquiry
        | Method::ReturnAsInquiry
        | Method::CloseRoom
        | Method::SaveRoomInfo
        | Method::FirstRoomMessage
        | Method::SendMessage
        | Method::UpdateMessage
        | Method::DeleteMessage
        | Method::SetReaction
        | Method::StarMessage
        | Method::PinMessage
        | Method::UnpinMessage
        | Method::LoadHistory
        | Method::LoadMissedMessages
        | Method::LoadNextMessages
        | Method::LoadSurroundingMessages
        | Method::LeaveRoom
        | Method::UsersOfRoom
        | Method::Messages
        | Method::GetMessages
        | Method::GetSingleMessage
        | Method::ReadMessages
        | Method::RoomByTypeAndName
        | Method::RoomById
        | Method::RoomIdByNameOrId
        | Method::RoomNameById
        | Method::JoinRoom
        | Method::OpenRoom
        | Method::HideRoom
        | Method::Rooms
        | Method::Subscriptions
        | Method::SaveIntegration
        | Method::SendTranscript
        | Method::RequestTranscript
        | Method::DiscardTranscript => true,
    };
    Method::ALL.iter().map(|method| (*method, is_for_users(*method))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_users_call_what_is_for_users() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let stranger = Login { token: "wrong".to_owned(), ..mary.clone() };
        let before = rows(&app).await;
        for (method, is_for_users) in every_method() {
            let name = method.name();
            let told = "You must be logged in to do this.";
            let refused = json!({"success": false, "status": "error", "error": told, "message": told});
            app.post(CALL, &body(name, &json!([]))).await.is(401, &refused);
            call(&app, &stranger, name, json!([])).await.is(401, &refused);
            let anonymous = call_anonymously(&app, name, json!([])).await;
            let answered = message(&anonymous);
            assert_eq!(answered["error"] == not_logged_in(), is_for_users, "{name}: {answered}");
            if is_for_users {
                let status = if method.is_old() { 200 } else { 400 };
                assert_eq!(anonymous.status.as_u16(), status, "{name}");
                let call = app.call(Verb::POST, CALL_ANONYMOUSLY).as_user(&stranger).json(&body(name, &json!([])));
                assert_eq!(failure(call.send().await, status), not_logged_in(), "{name}");
                let wrong = json!([12]);
                let known = app.call(Verb::POST, CALL_ANONYMOUSLY).as_user(&mary).json(&body(name, &wrong)).send().await;
                assert_ne!(message(&known)["error"], not_logged_in(), "{name}: a login counts here as well");
            }
        }
        let mut after = rows(&app).await;
        // Setting a second factor up takes no parameters, so it has begun.
        assert_eq!(after.insert("second_factors".to_owned(), Vec::new()).map(|rows| rows.len()), Some(1));
        assert_eq!(after, before);
    }
}

/// Methods that newer servers do without answer an error inside of a success, because only older clients call them.
#[tokio::test(flavor = "multi_thread")]
async fn errors_come_in_two_forms() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        let old = [
            "livechat:setUpConnection",
            "livechat:getNextAgent",
            "livechat:registerGuest",
            "livechat:loginByToken",
            "sendMessageLivechat",
            "livechat:loadHistory",
            "livechat:setCustomField",
            "livechat:getCustomFields",
            "livechat:saveCustomField",
            "livechat:removeCustomField",
            "livechat:getRoutingConfig",
            "livechat:closeRoom",
            "livechat:closeByVisitor",
            "livechat:getAgentData",
            "livechat:saveInfo",
            "livechat:saveSurveyFeedback",
            "livechat:getFirstRoomMessage",
            "livechat:saveIntegration",
            "livechat:addAgent",
            "livechat:removeAgent",
            "livechat:addManager",
            "livechat:removeManager",
            "livechat:saveAgentInfo",
            "livechat:searchAgent",
            "livechat:changeLivechatStatus",
            "livechat:saveDepartment",
            "livechat:removeDepartment",
            "livechat:saveDepartmentAgents",
            "livechat:getDepartmentForwardRestrictions",
            "livechat:pageVisited",
            "livechat:sendOfflineMessage",
            "livechat:sendTranscript",
            "livechat:requestTranscript",
            "livechat:discardTranscript",
            "livechat:takeInquiry",
            "livechat:returnAsInquiry",
        ];
        for (method, _) in every_method() {
            assert_eq!(method.is_old(), old.contains(&method.name()), "{}", method.name());
        }
        for (name, parameters) in [
            ("login", json!([{"resume": "x"}])),
            ("setUserStatus", json!(["nonsense"])),
            ("UserPresence:setDefaultStatus", json!([])),
            ("2fa:validateTempToken", json!([])),
            ("2fa:disable", json!([])),
            ("2fa:regenerateCodes", json!([])),
            ("permissions/get", json!(["x"])),
            ("public-settings/get", json!(["x"])),
            ("private-settings/get", json!(["x"])),
            ("saveSettings", json!([])),
            ("livechat:registerGuest", json!([])),
            ("livechat:loginByToken", json!([])),
            ("sendMessageLivechat", json!([])),
            ("livechat:loadHistory", json!([])),
            ("livechat:setCustomField", json!([])),
            ("livechat:saveCustomField", json!([])),
            ("livechat:removeCustomField", json!([])),
            ("livechat:saveIntegration", json!([])),
            ("livechat:addAgent", json!([])),
            ("livechat:removeManager", json!([])),
            ("livechat:saveAgentInfo", json!([])),
            ("livechat:searchAgent", json!([])),
            ("livechat:changeLivechatStatus", json!([])),
            ("livechat:saveDepartment", json!([])),
            ("livechat:removeDepartment", json!([])),
            ("livechat:saveDepartmentAgents", json!([])),
        ] {
            let status = if old.contains(&name) { 200 } else { 400 };
            let refused = failure(call(&app, &mary, name, parameters).await, status);
            assert!(refused["errorType"].is_string(), "{name}: {refused}");
        }
    }
}

/// The parameter that is wrong is told by REST, in full.
#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked() {
    let table = [
        ("setUserStatus", json!([12]), "Expected string, got number"),
        ("setUserStatus", json!(["busy", {}]), "Expected string, got object"),
        ("setUserStatus", json!(["x".repeat(10_001)]), "Failed Match.Where validation"),
        ("setUserStatus", json!(["busy", "a\u{0}"]), "Failed Match.Where validation"),
        ("UserPresence:setDefaultStatus", json!([]), "Expected string, got undefined"),
        ("UserPresence:setDefaultStatus", json!([null]), "Expected string, got undefined"),
        ("2fa:validateTempToken", json!([]), "Expected string, got undefined"),
        ("2fa:validateTempToken", json!([123_456]), "Expected string, got number"),
        ("2fa:disable", json!([[]]), "Expected string, got object"),
        ("2fa:regenerateCodes", json!([true]), "Expected string, got boolean"),
        ("permissions/get", json!(["2024-01-31T12:00:00.000Z"]), "Expected Date"),
        ("permissions/get", json!([{"$date": "x"}]), "Expected Date"),
        ("permissions/get", json!([{"$date": 1e300}]), "Expected Date"),
        ("public-settings/get", json!([12]), "Expected Date"),
        ("saveSettings", json!([]), "Expected array, got undefined"),
        ("saveSettings", json!([{}]), "Expected array, got object"),
        ("saveSettings", json!([["x"]]), "Expected object, got string in field [0]"),
        ("saveSettings", json!([[{"value": 1}]]), "Missing key '_id' in field [0]"),
        ("saveSettings", json!([[{"_id": "Site_Name", "value": "x"}, {"_id": "Site_Name"}]]), "Missing key 'value' in field [1]"),
        ("saveSettings", json!([[{"_id": {"$ne": 1}, "value": 1}]]), "Expected string, got object in field [0]._id"),
        ("saveSettings", json!([[{"_id": "Nonsense", "value": 1}]]), "Unknown setting"),
        (
            "saveSettings",
            json!([[{"_id": "Site_Name", "value": "x".repeat(65_535)}]]),
            "Failed Match.Where validation in field [0].value",
        ),
    ];
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let before = rows(&app).await;
        for (name, parameters, told) in &table {
            let refused = failure(call(&app, &admin, name, parameters.clone()).await, 400);
            assert_eq!(refused, mismatch(told), "{name} {told}");
        }
        assert_eq!(rows(&app).await, before);
    }
}
