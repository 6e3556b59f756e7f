//! Deleting departments.

use serde_json::json;
use usher_testkit::engines::Engine;

use super::{DEPARTMENTS, at, create, members, put, with};
use crate::agents::put_into;
use crate::omnichannel_users::{delete, somebody};
use crate::permissions::{get, grant};
use crate::support::{column, plain, rows, tamper, usual, with_removal};

#[tokio::test(flavor = "multi_thread")]
async fn departments_are_not_deleted_unless_a_setting_says_so() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        let sales = create(&app, &admin, &members("Sales")).await;
        let before = rows(&app).await;
        let disabled = plain("error-department-removal-disabled");
        delete(&app, &admin, &at(&sales)).await.is(400, &disabled);
        delete(&app, &admin, &format!("{DEPARTMENTS}/unknown")).await.is(400, &disabled);
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_points_to_a_department_that_is_gone() {
    for engine in Engine::all() {
        let app = with_removal().start(&engine).await;
        let admin = app.admin().await;
        let agent = somebody(&app, "mary", &["livechat-agent"]).await;
        let (sales, help) = (create(&app, &admin, &members("Sales")).await, create(&app, &admin, &members("Help")).await);
        let (id, other) = (sales["_id"].as_str().expect("it is an id"), help["_id"].as_str().expect("it is an id"));
        put_into(&app, &admin, "mary", &[id, other]).await;
        for (name, targets) in [("List", json!([other, id])), ("Text", json!(format!("{id},{other}"))), ("None", json!([]))] {
            let others = json!({"fallbackForwardDepartment": id, "departmentsAllowedToForward": targets});
            create(&app, &admin, &with(members(name), &others)).await;
        }
        for token in ["token-1", "token-2"] {
            app.register(token, "Visitor").await;
            app.room(token).await;
        }
        tamper(&app, "UPDATE rooms SET department_id = (SELECT id FROM departments WHERE name = 'Sales')").await;
        tamper(
            &app,
            "UPDATE rooms SET department_id = (SELECT id FROM departments WHERE name = 'Help')
             WHERE id = (SELECT MAX(id) FROM rooms)",
        )
        .await;
        delete(&app, &agent, &at(&sales)).await.is(403, &crate::permissions::not_permitted());
        grant(&app, &admin, "remove-livechat-department", &["livechat-agent"]).await;
        delete(&app, &agent, &at(&sales)).await.is(200, &json!({"success": true}));

        get(&app, &agent, &at(&sales)).await.is(200, &json!({"department": null, "success": true}));
        let mut of_rooms = column(&app, "SELECT COALESCE(department_id, 'none') FROM rooms").await;
        of_rooms.sort_unstable();
        let mut expected = [other.to_owned(), "none".to_owned()];
        expected.sort_unstable();
        assert_eq!(of_rooms, expected, "other rooms stay where they are");
        let noted =
            "SELECT change.kind FROM rooms JOIN room_changes AS change ON change.room_id = rooms.id AND change.seq = rooms.seq
                     WHERE rooms.department_id IS NULL AND change.reference = rooms.id";
        assert_eq!(column(&app, noted).await, ["room-changed"], "whoever follows the room is told");
        let before = "SELECT CAST(COUNT(*) AS TEXT) FROM room_changes";
        let (seqs, changes) = ("SELECT CAST(SUM(seq) AS TEXT) FROM rooms", column(&app, before).await);
        assert_eq!(column(&app, seqs).await, changes, "and every change has an entry");
        assert_eq!(column(&app, "SELECT department_id FROM department_agents").await, [other]);
        let left = rows(&app).await;
        let named = left.values().flatten().filter(|row| row.contains(id)).collect::<Vec<_>>();
        assert_eq!(named, [""; 0]);
        let listed = get(&app, &admin, DEPARTMENTS).await.ok();
        for (place, (name, targets)) in
            [("Help", json!(null)), ("List", json!([other])), ("None", json!([])), ("Text", json!([other]))].into_iter().enumerate()
        {
            let department = &listed["departments"][place];
            assert_eq!((&department["name"], &department["departmentsAllowedToForward"]), (&json!(name), &targets));
            assert!(department.get("fallbackForwardDepartment").is_none(), "{department}");
        }
        delete(&app, &admin, &at(&sales)).await.is(400, &plain("error-department-not-found"));
        let again = put(&app, &admin, &at(&sales), &json!({"department": members("Sales")})).await;
        assert_eq!(again.status.as_u16(), 400);
    }
}
