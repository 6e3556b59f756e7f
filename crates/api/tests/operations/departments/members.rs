//! What a department may consist of.

use serde_json::json;
use usher_testkit::engines::Engine;

use super::{DEPARTMENTS, at, create, members, put, schema, shown, with};
use crate::permissions::post;
use crate::support::{coded, made_id, plain, rows, usual};

/// What is answered to a refusal with a sentence.
fn refused(sentence: &str, code: &str) -> serde_json::Value {
    coded(&format!("{sentence} [{code}]"), code)
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_kept_as_they_are_sent() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let others = json!({
            "description": "They sell",
            "requestTagBeforeClosingChat": true,
            "chatClosingTags": ["sold", "lost"],
            "offlineMessageChannelName": "general",
            "departmentsAllowedToForward": ["a", "b"],
            "allowReceiveForwardOffline": false,
            "abandonedRoomsCloseCustomMessage": "Bye",
            "waitingQueueMessage": "Wait",
            "visitorInactivityTimeoutInSeconds": "300",
            "maxNumberSimultaneousChat": 5,
            "own": true,
            "Größe": "L",
        });
        let made = create(&app, &admin, &with(members("Sales"), &others)).await;
        made_id(&made["_id"]);
        assert_eq!(made, with(shown(&made["_id"], "Sales"), &others));
        // What is the server's own, and what is null, is not taken.
        let forged = json!({"_id": "x", "type": "u", "numAgents": 7, "archived": true, "parentId": "u", "ancestors": ["u"],
            "businessHourId": "b", "_updatedAt": "x", "description": null});
        let made = create(&app, &admin, &with(members("Help"), &forged)).await;
        assert_eq!(made, with(shown(&made["_id"], "Help"), &json!({})));
        // What has to be there becomes what it has to be.
        let loose = json!({"enabled": "true", "name": 7, "showOnRegistration": 1, "email": "x", "showOnOfflineForm": null});
        let made = create(&app, &admin, &loose).await;
        let strict = json!({"name": "7", "email": "x"});
        assert_eq!(made, with(shown(&made["_id"], "7"), &strict));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_not_made() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let sales = create(&app, &admin, &members("Sales")).await;
        let before = rows(&app).await;
        let body = |others: serde_json::Value| json!({"department": with(members("Other"), &others)});
        let missing = |name: &str| {
            let mut members = members("Other");
            members.as_object_mut().expect("they are an object").remove(name);
            json!({"department": members})
        };
        let mismatch = |told: &str| plain(&format!("Match error: {told}"));
        let one_of =
            |name: &str| mismatch(&format!("Failed Match.OneOf, Match.Maybe, or Match.Optional validation in field {name}"));
        let closing = refused(
            "At least one closing tag is required when the department requires tag(s) on closing conversations.",
            "error-validating-department-chat-closing-tags",
        );
        let no_fallback = refused("Fallback department not found", "error-fallback-department-not-found");
        for (body, answer) in [
            (json!({}), schema("must have required property 'department'")),
            (json!({"department": []}), schema("must be object")),
            (missing("name"), schema("must have required property 'name'")),
            (missing("email"), schema("must have required property 'email'")),
            (missing("enabled"), schema("must have required property 'enabled'")),
            (missing("showOnRegistration"), schema("must have required property 'showOnRegistration'")),
            (missing("showOnOfflineForm"), schema("must have required property 'showOnOfflineForm'")),
            (body(json!({"enabled": "yes"})), schema("must be boolean")),
            (body(json!({"name": {"$ne": 1}})), schema("must be string")),
            (json!({"department": members("Other"), "other": 1}), schema("must NOT have additional properties")),
            (json!({"department": members("Other"), "agents": {}}), schema("must be array")),
            (json!({"department": members("Other"), "agents": [{}]}), schema("must have required property 'agentId'")),
            (
                json!({"department": members("Other"), "agents": [{"agentId": "x", "name": "y"}]}),
                schema("must NOT have additional properties"),
            ),
            (json!({"department": members("Other"), "departmentUnit": {"x": 1}}), schema("must NOT have additional properties")),
            (body(json!({"description": 7})), mismatch("Expected string, got number in field description")),
            (body(json!({"chatClosingTags": "sold"})), mismatch("Expected array, got string in field chatClosingTags")),
            (body(json!({"chatClosingTags": [7]})), mismatch("Expected string, got number in field chatClosingTags[0]")),
            (body(json!({"departmentsAllowedToForward": 7})), one_of("departmentsAllowedToForward")),
            (body(json!({"departmentsAllowedToForward": ["a", 7]})), one_of("departmentsAllowedToForward")),
            (body(json!({"own": 0.5})), one_of("own")),
            (body(json!({"own": {}})), one_of("own")),
            (body(json!({"own": []})), one_of("own")),
            (body(json!({"own": "a\u{0}"})), one_of("own")),
            (body(json!({"requestTagBeforeClosingChat": true})), closing.clone()),
            (body(json!({"requestTagBeforeClosingChat": true, "chatClosingTags": []})), closing),
            (body(json!({"fallbackForwardDepartment": "unknown"})), no_fallback),
        ] {
            for path in [None, Some(at(&sales))] {
                let reply = match path {
                    None => post(&app, &admin, DEPARTMENTS, &body).await,
                    Some(path) => put(&app, &admin, &path, &body).await,
                };
                assert_eq!((reply.status.as_u16(), &reply.body), (400, &answer), "{body}");
            }
        }
        assert_eq!(rows(&app).await, before);
        let long = body(json!({"own": "x".repeat(9_000), "a": "x".repeat(9_000), "b": "ä".repeat(9_000), "c": "€".repeat(9_000),
            "d": "x".repeat(9_000)}));
        assert_eq!(post(&app, &admin, DEPARTMENTS, &long).await.body["errorType"], "error-action-not-allowed");
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_falls_back_to_another() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let (sales, help) = (create(&app, &admin, &members("Sales")).await, create(&app, &admin, &members("Help")).await);
        let falls_back_to =
            |id: &serde_json::Value| json!({"department": with(members("Sales"), &json!({"fallbackForwardDepartment": id}))});
        let changed = put(&app, &admin, &at(&sales), &falls_back_to(&help["_id"])).await.ok();
        assert_eq!(changed["department"], with(sales.clone(), &json!({"fallbackForwardDepartment": help["_id"]})));
        // It stays while nothing is said of it.
        let changed = put(&app, &admin, &at(&sales), &json!({"department": members("Sales")})).await.ok();
        assert_eq!(changed["department"]["fallbackForwardDepartment"], help["_id"]);
        let circle = refused(
            "Cannot save department. Circular reference between fallback department and department",
            "error-fallback-department-circular",
        );
        put(&app, &admin, &at(&sales), &falls_back_to(&sales["_id"])).await.is(400, &circle);
        // Longer circles are allowed.
        put(&app, &admin, &at(&help), &falls_back_to(&sales["_id"])).await.ok();
        let changed = put(&app, &admin, &at(&sales), &falls_back_to(&json!(""))).await.ok();
        assert_eq!(changed["department"], sales);
    }
}
