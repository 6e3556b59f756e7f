//! The server itself: its version, what it offers, and what it does not.

use serde_json::{Value, json};
use usher_testkit::engines::Engine;
use usher_testkit::{Setup, TestApp};

use crate::permissions::{get, grant, not_logged_in, post};
use crate::support::{coded, plain};

const LICENSES: &str = "/api/v1/licenses.info";

/// What everybody may know.
fn short() -> Value {
    json!({"version": "8.8", "success": true})
}

/// What those may know who may know more.
fn long() -> Value {
    json!({
        "version": "8.8.0",
        "info": {
            "version": "8.8.0",
            "build": {"platform": std::env::consts::OS, "arch": std::env::consts::ARCH, "usherVersion": env!("CARGO_PKG_VERSION")},
            "commit": {},
            "marketplaceApiVersion": "1.0.0",
        },
        "success": true,
    })
}

/// What is licensed: everything, with these limits.
fn license(limits: &Value) -> Value {
    json!({
        "license": {
            "activeModules": [
                "auditing",
                "canned-responses",
                "livechat-enterprise",
                "omnichannel-mobile-enterprise",
                "engagement-dashboard",
                "scalability",
                "custom-roles",
                "contact-id-verification",
                "outbound-messaging",
                "hide-watermark",
                "accessibility-certification",
                "unlimited-presence",
            ],
            "preventedActions": {},
            "limits": limits,
            "tags": [],
            "trial": false,
        },
        "success": true,
    })
}

/// An application in which nobody but users are.
async fn app(engine: &Engine) -> TestApp {
    Setup::default().start(engine).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_learns_the_version_and_an_administrator_more() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        for path in ["/api/info", "/api/info?", "/api/info?x=1", "/api/v1/info", "/api/v1/info?"] {
            app.get(path).await.is(200, &short());
            get(&app, &mary, path).await.is(200, &short());
            get(&app, &admin, path).await.is(200, &long());
            let mut stale = admin.clone();
            stale.token = mary.token.clone();
            get(&app, &stale, path).await.is(200, &short());
        }
        grant(&app, &admin, "get-server-info", &["livechat-manager"]).await;
        get(&app, &admin, "/api/info").await.is(200, &short());
        get(&app, &mary, "/api/info").await.is(200, &long());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_module_works_and_nothing_is_limited() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        let (admin, mary) = (app.admin().await, app.user("mary", &["user", "livechat-manager"]).await);
        let unlimited = json!({
            "activeUsers": {"max": -1},
            "guestUsers": {"max": -1},
            "roomsPerGuest": {"max": -1},
            "privateApps": {"max": -1},
            "marketplaceApps": {"max": -1},
            "monthlyActiveContacts": {"max": -1},
        });
        app.get(LICENSES).await.is(401, &not_logged_in());
        for query in ["", "?", "?loadValues=false"] {
            get(&app, &admin, &format!("{LICENSES}{query}")).await.is(200, &license(&unlimited));
            get(&app, &mary, &format!("{LICENSES}{query}")).await.is(200, &license(&json!({})));
        }
        get(&app, &mary, &format!("{LICENSES}?loadValues=true")).await.is(200, &license(&json!({})));
        let limits = get(&app, &admin, &format!("{LICENSES}?loadValues=true")).await.ok()["license"]["limits"].clone();
        for kind in ["activeUsers", "guestUsers", "roomsPerGuest", "privateApps", "marketplaceApps", "monthlyActiveContacts"] {
            assert_eq!(limits[kind]["max"], -1, "{kind}");
        }
        let wrong = coded("must be boolean", "error-invalid-params");
        get(&app, &admin, &format!("{LICENSES}?loadValues=all")).await.is(400, &wrong);

        grant(&app, &admin, "view-privileged-setting", &["livechat-manager"]).await;
        get(&app, &mary, LICENSES).await.is(200, &license(&unlimited));
        get(&app, &admin, LICENSES).await.is(200, &license(&json!({})));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_have_no_policy() {
    for engine in Engine::all() {
        let app = app(&engine).await;
        for path in ["/api/v1/pw.getPolicy", "/api/v1/pw.getPolicy?"] {
            app.get(path).await.is(200, &json!({"enabled": false, "policy": [], "success": true}));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_commands() {
    const LIST: &str = "/api/v1/commands.list";
    const GET: &str = "/api/v1/commands.get";
    const RUN: &str = "/api/v1/commands.run";
    for engine in Engine::all() {
        let app = app(&engine).await;
        let mary = app.user("mary", &["user"]).await;
        app.get(LIST).await.is(401, &not_logged_in());
        app.get(&format!("{GET}?command=help")).await.is(401, &not_logged_in());
        app.post(RUN, &json!({"command": "help", "roomId": "GENERAL"})).await.is(401, &not_logged_in());

        let none = json!({"commands": [], "count": 0, "offset": 0, "total": 0, "success": true});
        get(&app, &mary, LIST).await.is(200, &none);
        get(&app, &mary, &format!("{LIST}?count=5")).await.is(200, &none);

        let unnamed = plain("The query param \"command\" must be provided.");
        for query in ["", "?", "?command="] {
            get(&app, &mary, &format!("{GET}{query}")).await.is(400, &unnamed);
        }
        let unknown = plain("There is no command in the system by the name of: help");
        get(&app, &mary, &format!("{GET}?command=help")).await.is(400, &unknown);
        get(&app, &mary, &format!("{GET}?command[]=help")).await.is(400, &coded("must be string", "error-invalid-params"));

        let nothing_to_run = "You must provide a command to run.";
        let no_text = "The parameters for the command must be a single string.";
        let no_room = "The room's id where to execute this command must be provided and be a string.";
        let no_command = "The command provided does not exist (or is disabled).";
        for (body, text) in [
            (json!({}), nothing_to_run),
            (json!([]), nothing_to_run),
            (json!({"command": 5, "params": 5}), nothing_to_run),
            (json!({"command": null, "roomId": "GENERAL"}), nothing_to_run),
            (json!({"command": "help", "params": ["x"]}), no_text),
            (json!({"command": "help", "params": 5, "roomId": 5}), no_text),
            (json!({"command": "help"}), no_room),
            (json!({"command": "help", "params": "x", "roomId": ["GENERAL"]}), no_room),
            (json!({"command": "help", "roomId": "GENERAL"}), no_command),
            (json!({"command": "help", "params": "", "roomId": "GENERAL", "tmid": "x", "triggerId": "x"}), no_command),
        ] {
            let reply = post(&app, &mary, RUN, &body).await;
            assert_eq!((reply.status.as_u16(), &reply.body), (400, &plain(text)), "{body}");
        }
    }
}
