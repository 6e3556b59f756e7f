//! `POST livechat/room.saveInfo`: what is noted of a chat and its visitor.

use serde_json::{Value, json};
use usher_domain::custom_field::Scope;
use usher_services::Error;
use usher_store::q;
use usher_testkit::application::Login;
use usher_testkit::engines::Engine;

use super::stage::{ROOMS, Stage};
use crate::custom_fields::make;
use crate::permissions::{grant, not_logged_in, not_permitted};
use crate::requests::insert_field;
use crate::support::{coded, column, plain, rows};

const SAVE: &str = "/api/v1/livechat/room.saveInfo";

/// A chat that ana serves, with the ids of room and visitor.
async fn chat(stage: &Stage) -> (Login, String, String) {
    let ana = stage.agent("ana").await;
    let room = stage.room("token-1", "Mary", None).await;
    stage.serve(&room, "ana").await;
    let visitor = stage.stored(&room).await.visitor_id;
    (ana, room, visitor)
}

/// A body with these members besides the ids.
fn body(room: &str, visitor: &str, guest: Value, noted: Value) -> Value {
    let mut body = json!({"guestData": {"_id": visitor}, "roomData": {"_id": room}});
    for (part, members) in [("guestData", guest), ("roomData", noted)] {
        let members = members.as_object().expect("members are an object").clone();
        body[part].as_object_mut().expect("it is an object").extend(members);
    }
    body
}

async fn save(stage: &Stage, login: &Login, body: &Value) {
    stage.post(login, SAVE, body).await.is(200, &json!({"success": true}));
}

async fn shown(stage: &Stage) -> Value {
    stage.get(&stage.admin, ROOMS).await.ok()["rooms"][0].clone()
}

async fn visitor(stage: &Stage) -> Value {
    stage.app.get("/api/v1/livechat/visitor/token-1").await.ok()["visitor"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_and_tags_are_replaced() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room, guest) = chat(&stage).await;
        let before = stage.stored(&room).await;
        stage.seconds(1);
        let noted = json!({"topic": " Shoes ", "tags": ["b", "a", "b", "x\u{1e}y"], "priorityId": "", "slaId": null});
        save(&stage, &ana, &body(&room, &guest, json!({}), noted)).await;
        let now = shown(&stage).await;
        assert_eq!((&now["topic"], &now["tags"]), (&json!("Shoes"), &json!(["b", "a", "xy"])));
        assert_eq!((&now["fname"], &now["_updatedAt"]), (&json!("Mary"), &json!("2024-01-31T12:00:01.000Z")));
        assert_eq!((&now["lm"], now.get("livechatData")), (&json!("2024-01-31T12:00:00.000Z"), None));

        save(&stage, &ana, &body(&room, &guest, json!({}), json!({"tags": ["a"]}))).await;
        let now = shown(&stage).await;
        assert_eq!((&now["topic"], &now["tags"]), (&json!("Shoes"), &json!(["a"])), "what is left out stays, but for tags");
        save(&stage, &ana, &body(&room, &guest, json!({}), json!({"topic": " "}))).await;
        let now = shown(&stage).await;
        assert_eq!((now.get("topic"), now.get("tags")), (None, None));

        // Who follows the log hears of each of the three.
        let id = room.clone();
        let changes: Result<_, Error> =
            stage.app.services.store.read(move |tx| Ok(q::changes::since(tx, &id, before.seq, 10)?)).await;
        let kinds: Vec<&str> = changes.expect("changes can be read").iter().map(|change| change.kind.name()).collect();
        assert_eq!(kinds, ["room-changed"; 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_the_visitor_is_replaced() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room, guest) = chat(&stage).await;
        let before = visitor(&stage).await;
        assert_eq!((&before["name"], before.get("phone")), (&json!("Mary"), None));
        let known = json!({"name": " Mary Ö ", "email": " M@Example.COM ", "phone": " +1 555 "});
        save(&stage, &ana, &body(&room, &guest, known, json!({}))).await;
        let after = visitor(&stage).await;
        let emails = json!([{"address": "m@example.com"}]);
        assert_eq!((&after["name"], &after["visitorEmails"]), (&json!("Mary Ö"), &emails));
        assert_eq!(after["phone"], json!([{"phoneNumber": "+1 555"}]));
        assert_eq!(shown(&stage).await["fname"], "Mary", "the room keeps its name");
        assert_eq!(column(&stage.app, "SELECT search_key FROM visitors").await, ["mary ö guest-1"]);
        assert_eq!(column(&stage.app, "SELECT name_key FROM visitors").await, ["mary ö"]);

        for blank in [json!({}), json!({"name": "", "email": " ", "phone": null})] {
            save(&stage, &ana, &body(&room, &guest, blank, json!({}))).await;
            let kept = visitor(&stage).await;
            assert_eq!((&kept["name"], &kept["visitorEmails"]), (&json!("Mary Ö"), &emails));
            assert_eq!(kept["phone"], json!([{"phoneNumber": "+1 555"}]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_custom_fields_are_kept() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room, guest) = chat(&stage).await;
        insert_field(&stage.app, "plan", Scope::Room).await;
        make(&stage.app, &stage.admin, "size", json!({"scope": "visitor", "regexp": "[0-9]", "searchable": true})).await;
        make(&stage.app, &stage.admin, "number", json!({"scope": "room", "label": "Number", "regexp": "^[0-9]+$"})).await;
        let of_guest = json!({"livechatData": {"size": " size 42 ", "unknown": "x", "plan": "x"}});
        let of_room = json!({"livechatData": {"plan": "gold", "number": 7, "unknown": "x", "size": "x"}});
        save(&stage, &ana, &body(&room, &guest, of_guest, of_room)).await;
        assert_eq!(visitor(&stage).await["livechatData"], json!({"size": "size 42"}));
        assert_eq!(shown(&stage).await["livechatData"], json!({"plan": "gold", "number": "7"}));
        assert_eq!(column(&stage.app, "SELECT search_key FROM visitors").await, ["mary guest-1 size 42"]);

        // Nothing of what does not fit is kept, nor of what came with it.
        let before = rows(&stage.app).await;
        let (label, number) = ("The size", "Number");
        for (guest_data, room_data, label) in [
            (json!({"name": "Eve", "livechatData": {"size": "large"}}), json!({"topic": "x"}), label),
            (json!({"name": "Eve"}), json!({"topic": "x", "livechatData": {"plan": "x", "number": "a1"}}), number),
        ] {
            let body = body(&room, &guest, guest_data, room_data);
            stage.post(&ana, SAVE, &body).await.is(400, &plain(&format!("Invalid value for {label} field")));
        }
        assert_eq!(rows(&stage.app).await, before);

        let nothing = json!({"livechatData": {}});
        save(&stage, &ana, &body(&room, &guest, nothing.clone(), nothing)).await;
        assert_eq!(shown(&stage).await["livechatData"], json!({"plan": "gold", "number": "7"}), "what is left out stays");
        let blank = json!({"livechatData": {"size": " ", "plan": "", "number": null}});
        save(&stage, &ana, &body(&room, &guest, blank.clone(), blank)).await;
        assert_eq!((visitor(&stage).await.get("livechatData"), shown(&stage).await.get("livechatData")), (None, None));
        assert_eq!(column(&stage.app, "SELECT search_key FROM visitors").await, ["mary guest-1"]);

        // Without the permission they are left alone, and the rest is kept.
        grant(&stage.app, &stage.admin, "edit-livechat-room-customfields", &["admin"]).await;
        let values = json!({"livechatData": {"size": "large", "plan": "gold"}});
        let noted = json!({"topic": "kept", "livechatData": {"plan": "gold"}});
        save(&stage, &ana, &body(&room, &guest, values, noted)).await;
        assert_eq!((visitor(&stage).await.get("livechatData"), shown(&stage).await.get("livechatData")), (None, None));
        assert_eq!(shown(&stage).await["topic"], "kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_note_only_what_is_theirs() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room, guest) = chat(&stage).await;
        let ben = stage.agent("ben").await;
        let mary = stage.person("mary", &["user"]).await;
        let monitor = stage.person("monitor", &["livechat-monitor"]).await;
        let waiting = stage.room("token-2", "Bob", None).await;
        let bob = stage.stored(&waiting).await.visitor_id;
        let good = body(&room, &guest, json!({}), json!({"topic": "Shoes"}));
        let before = rows(&stage.app).await;
        stage.app.post(SAVE, &good).await.is(401, &not_logged_in());
        stage.post(&mary, SAVE, &good).await.is(403, &not_permitted());
        stage.post(&ben, SAVE, &good).await.is(403, &plain("unauthorized"));
        stage.post(&ana, SAVE, &body(&waiting, &bob, json!({}), json!({}))).await.is(403, &plain("unauthorized"));
        for (room, guest, error) in [
            ("nothing", guest.as_str(), "error-invalid-room"),
            // Whoever serves one visitor changes nothing of another.
            (room.as_str(), bob.as_str(), "error-invalid-visitor"),
            (&room, "nobody", "error-invalid-visitor"),
        ] {
            let body = body(room, guest, json!({"name": "Eve"}), json!({"topic": "x"}));
            stage.post(&ana, SAVE, &body).await.is(400, &plain(error));
        }
        for (member, value, error) in
            [("priorityId", "high", "error-invalid-priority"), ("slaId", "gold", "SLA not found with id: gold")]
        {
            let body = body(&room, &guest, json!({"name": "Eve"}), json!({"topic": "x", member: value}));
            stage.post(&ana, SAVE, &body).await.is(400, &plain(error));
        }
        assert_eq!(rows(&stage.app).await, before);
        save(&stage, &monitor, &good).await;
        stage.close(&room).await;
        save(&stage, &ana, &body(&room, &guest, json!({}), json!({"topic": "Boots"}))).await;
        assert_eq!(stage.stored(&room).await.topic.as_deref(), Some("Boots"), "also when it is closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_checked() {
    let legacy = |told: &str| coded(&format!("{told} [invalid-params]"), "invalid-params");
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room, guest) = chat(&stage).await;
        let before = rows(&stage.app).await;
        let long = "x".repeat(4_097);
        for (sent, told) in [
            (json!({}), "must have required property 'guestData'"),
            (json!({"guestData": {"_id": guest}}), "must have required property 'roomData'"),
            (json!({"guestData": "x", "roomData": {"_id": room}}), "must be object"),
            (json!({"guestData": {"_id": guest}, "roomData": []}), "must be object"),
            (json!({"guestData": {}, "roomData": {"_id": room}}), "must have required property '_id'"),
            (json!({"guestData": {"_id": guest}, "roomData": {}}), "must have required property '_id'"),
            (body(&room, &guest, json!({"token": "x"}), json!({})), "must NOT have additional properties"),
            (body(&room, &guest, json!({}), json!({"tags": "x"})), "must be array"),
            (body(&room, &guest, json!({}), json!({"tags": vec!["x"; 101]})), "must NOT have more than 100 items"),
            (body(&room, &guest, json!({}), json!({"topic": {}})), "must be string"),
            (body(&room, &guest, json!({}), json!({"livechatData": {"plan": ["x"]}})), "must be string"),
            (body(&room, &guest, json!({"livechatData": {"plan": {"$ne": 1}}}), json!({})), "must be string"),
            (body(&room, &guest, json!({"livechatData": {"plan": "a\u{0}"}}), json!({})), "must NOT contain the NUL character"),
            (body(&room, &guest, json!({}), json!({"livechatData": {"plan": long}})), "must NOT have more than 4096 characters"),
        ] {
            stage.post(&ana, SAVE, &sent).await.is(400, &legacy(told));
        }
        assert_eq!(rows(&stage.app).await, before);
    }
}

/// The values of a room go with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_what_was_noted() {
    for engine in Engine::all() {
        let stage = Stage::new(&engine).await;
        let (ana, room, guest) = chat(&stage).await;
        insert_field(&stage.app, "plan", Scope::Room).await;
        let noted = json!({"topic": "secret-topic", "tags": ["secret-tag"], "livechatData": {"plan": "secret-plan"}});
        save(&stage, &ana, &body(&room, &guest, json!({"phone": "secret-phone"}), noted)).await;
        stage.close(&room).await;
        assert!(format!("{:?}", rows(&stage.app).await).contains("secret-"));
        stage.app.delete("/api/v1/livechat/visitor/token-1").await.ok();
        let id = room.clone();
        let left: Result<_, Error> = stage.app.services.store.read(move |tx| Ok(q::rooms::by_id(tx, &id)?)).await;
        assert_eq!(left.expect("rooms can be read"), None);
    }
}
