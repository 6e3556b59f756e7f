//! Making, changing and deleting custom fields.

use std::time::Duration;

use serde_json::{Value, json};
use usher_testkit::Setup;
use usher_testkit::engines::Engine;

use super::{DELETE, SAVE, START, VALUE, data, ids, make, visitor_values};
use crate::permissions::post;
use crate::support::{coded, plain, rows, usual};

/// A body with a field as it is answered.
fn answer(field: &Value) -> Value {
    json!({"customField": field, "success": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_can_be_made() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        let bare = json!({"customFieldId": null, "customFieldData": data("size", json!({}))});
        let field = json!({"_id": "size", "label": "The size", "scope": "visitor", "visibility": "visible", "_updatedAt": START});
        post(&app, &admin, SAVE, &bare).await.is(200, &answer(&field));

        let members = json!({"type": "select", "regexp": "[0-9]", "required": true, "defaultValue": "42", "options": "41,42",
            "public": true, "searchable": false, "scope": "room", "visibility": "hidden", "label": "",
            "own": {"kept": ["as", 1, null]}, "id": "x", "_id": "y", "_updatedAt": "z"});
        let body = json!({"customFieldId": "", "customFieldData": data("Shoe-Size_2", members)});
        let field = json!({"_id": "Shoe-Size_2", "label": "", "scope": "room", "visibility": "hidden", "type": "select",
            "regexp": "[0-9]", "required": true, "defaultValue": "42", "options": "41,42", "public": true, "searchable": false,
            "own": {"kept": ["as", 1, null]}, "id": "x", "_updatedAt": START});
        post(&app, &admin, SAVE, &body).await.is(200, &answer(&field));

        // What becomes what it has to be does.
        let members = json!({"label": 7, "visibility": true, "required": "true", "public": 1, "searchable": null, "options": null});
        let field = json!({"_id": "0", "label": "7", "scope": "visitor", "visibility": "true", "required": true, "public": true,
            "searchable": false, "options": "", "_updatedAt": START});
        assert_eq!(make(&app, &admin, "0", members).await, field);
        assert_eq!(ids(&app, &admin, "").await, ["Shoe-Size_2", "0", "size"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_cannot_be_are_not_made() {
    let schema = |error: &str| coded(error, "invalid-params");
    let of_data = |members: Value| json!({"customFieldData": data("size", members)});
    let pattern = schema("must match pattern \"^[0-9a-zA-Z_-]+$\"");
    let without = |name: &str| {
        let mut body = of_data(json!({}));
        body["customFieldData"].as_object_mut().expect("it is an object").remove(name);
        body
    };
    let table = [
        (json!({}), schema("must have required property 'customFieldData'")),
        (json!({"customFieldData": "x"}), schema("must be object")),
        (json!({"customFieldData": data("size", json!({})), "other": 1}), schema("must NOT have additional properties")),
        (json!({"customFieldId": [], "customFieldData": data("size", json!({}))}), schema("must be string")),
        (without("field"), schema("must have required property 'field'")),
        (without("label"), schema("must have required property 'label'")),
        (without("scope"), schema("must have required property 'scope'")),
        (without("visibility"), schema("must have required property 'visibility'")),
        (of_data(json!({"field": ""})), pattern.clone()),
        (of_data(json!({"field": "shoe size"})), pattern.clone()),
        (of_data(json!({"field": "größe"})), pattern),
        (of_data(json!({"field": ["size"]})), schema("must be string")),
        (of_data(json!({"field": "x".repeat(129)})), schema("must NOT have more than 128 characters")),
        (of_data(json!({"scope": "contact"})), schema("must be equal to one of the allowed values")),
        (of_data(json!({"required": "yes"})), schema("must be boolean")),
        (of_data(json!({"regexp": {}})), schema("must be string")),
        (of_data(json!({"other": "x".repeat(70_000)})), plain("The custom field is too long")),
        (of_data(json!({"field": "taken"})), plain("Custom Field already exists")),
    ];
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "taken", json!({})).await;
        let before = rows(&app).await;
        for (body, expected) in &table {
            let reply = post(&app, &admin, SAVE, body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, expected), "{body}");
        }
        assert_eq!(rows(&app).await, before, "nothing is written");
        make(&app, &admin, "size", json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_can_be_changed() {
    for engine in Engine::all() {
        let app = Setup::default().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "size", json!({"regexp": "[0-9]", "required": true, "own": 1})).await;
        app.advance(Duration::from_secs(1));
        let members = json!({"label": "Shoe size", "visibility": "hidden", "required": false});
        let body = json!({"customFieldId": "size", "customFieldData": data("another-id", members)});
        let field = json!({"_id": "size", "label": "Shoe size", "scope": "visitor", "visibility": "hidden", "regexp": "[0-9]",
            "required": false, "own": 1, "_updatedAt": "2024-01-31T12:00:01.000Z"});
        post(&app, &admin, SAVE, &body).await.is(200, &answer(&field));
        assert_eq!(ids(&app, &admin, "").await, ["size"], "an id cannot be changed");
        let before = rows(&app).await;
        for unknown in ["another-id", "Size", " "] {
            let body = json!({"customFieldId": unknown, "customFieldData": data("size", json!({}))});
            post(&app, &admin, SAVE, &body).await.is(400, &plain("Custom Field Not found"));
        }
        let long = json!({"customFieldId": "size", "customFieldData": data("size", json!({"more": "x".repeat(65_536)}))});
        post(&app, &admin, SAVE, &long).await.is(400, &plain("The custom field is too long"));
        assert_eq!(rows(&app).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_can_be_deleted() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let admin = app.admin().await;
        make(&app, &admin, "size", json!({})).await;
        make(&app, &admin, "town", json!({})).await;
        app.register("token-1", "Mary").await;
        let value = json!({"token": "token-1", "key": "size", "value": "42", "overwrite": true});
        app.post(VALUE, &value).await.ok();
        post(&app, &admin, DELETE, &json!({"customFieldId": "size"})).await.is(200, &json!({"success": true}));
        assert_eq!(ids(&app, &admin, "").await, ["town"]);
        assert_eq!(visitor_values(&app).await, ["size=42"], "what was said stays");
        app.post(VALUE, &value).await.is(400, &plain("invalid-custom-field"));
        for (body, expected) in [
            (json!({"customFieldId": "size"}), plain("Custom field not found")),
            (json!({"customFieldId": ""}), plain("Custom field not found")),
            (json!({}), coded("must have required property 'customFieldId'", "invalid-params")),
            (json!({"customFieldId": "town", "other": 1}), coded("must NOT have additional properties", "invalid-params")),
            (json!({"customFieldId": ["town"]}), coded("must be string", "invalid-params")),
        ] {
            let reply = post(&app, &admin, DELETE, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &expected), "{body}");
        }
        assert_eq!(ids(&app, &admin, "").await, ["town"]);
    }
}
