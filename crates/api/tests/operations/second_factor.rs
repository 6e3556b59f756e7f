//! The second factor: setting it up and taking it away, logging in with it, and showing it for delicate operations.

mod delicate;
mod exemptions;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use usher_domain::Clock;
use usher_testkit::TestApp;
use usher_testkit::application::{Call, Login, PASSWORD, Reply};
use usher_testkit::engines::Engine;

use crate::methods::{call, failure, result};
use crate::support::{LOGIN, rows, usual};

/// How long what was shown is remembered, and how long a new user is not asked.
const REMEMBERED: Duration = Duration::from_mins(30);

/// How long a code is valid.
const STEP: Duration = Duration::from_secs(30);

/// A user with a second factor.
pub struct Enrolled {
    /// The login with which it was set up.
    login: Login,
    /// The secret in Base32.
    secret: String,
    /// The backup codes.
    backup_codes: Vec<String>,
}

impl Enrolled {
    /// The code of this moment.
    pub fn code(&self, app: &TestApp) -> String {
        code(&self.secret, app.clock.now())
    }

    /// A code of no moment that is near.
    pub fn wrong_code(&self, app: &TestApp) -> String {
        code(&self.secret, app.clock.now() + 1_000 * 30_000)
    }
}

/// The code that an authenticator program shows at a moment (milliseconds UTC).
fn code(secret: &str, moment: i64) -> String {
    let secret = Secret::try_from_base32(secret).expect("the server gives secrets in Base32");
    let totp = Builder::new().with_secret(secret).with_digits(6).with_step_duration(30).build().expect("the numbers are usual");
    totp.generate(u64::try_from(moment / 1_000).expect("tests are after 1970")).to_string()
}

/// Makes a second factor count for whoever is logged in.
pub async fn enrol(app: &TestApp, login: Login) -> Enrolled {
    let secret = result(call(app, &login, "2fa:enable", json!([])).await)["secret"].as_str().expect("it is a text").to_owned();
    let shown = json!([code(&secret, app.clock.now())]);
    let answer = result(call(app, &login, "2fa:validateTempToken", shown).await);
    let codes = answer["codes"].as_array().expect("there are backup codes").iter();
    let backup_codes = codes.map(|code| code.as_str().expect("it is a text").to_owned()).collect();
    Enrolled { login, secret, backup_codes }
}

/// An administrator called mary who has a second factor.
async fn mary(app: &TestApp) -> Enrolled {
    let login = app.user("mary", &["admin", "user"]).await;
    enrol(app, login).await
}

/// What programs are told besides.
fn details(method: &str) -> Value {
    json!({"method": method, "codeGenerated": false, "availableMethods": [method]})
}

/// What a login is answered that shows no code.
fn login_needs_code() -> Value {
    json!({"success": false, "status": "error", "error": "totp-required", "message": "TOTP Required", "details": details("totp")})
}

/// What a login is answered that shows a wrong one.
fn login_has_wrong_code() -> Value {
    json!({"success": false, "status": "error", "error": "totp-invalid", "message": "TOTP Invalid", "details": details("totp")})
}

/// What an operation is answered that needs a proof.
fn needs(method: &str) -> Value {
    json!({"success": false, "error": "TOTP Required [totp-required]", "errorType": "totp-required", "details": details(method)})
}

/// What an operation is answered that gets a wrong one.
fn has_wrong(method: &str) -> Value {
    json!({"success": false, "error": "TOTP Invalid [totp-invalid]", "errorType": "totp-invalid", "details": details(method)})
}

/// What is answered after ten wrong codes.
fn blocked() -> Value {
    let code = "error-login-blocked-for-user";
    json!({"success": false, "error": format!("Login has been temporarily blocked For User [{code}]"), "errorType": code})
}

/// The error of a method.
fn method_error(code: &str, reason: &str) -> Value {
    let message = format!("{reason} [{code}]");
    json!({"isClientSafe": true, "error": code, "reason": reason, "message": message, "errorType": "Meteor.Error"})
}

/// The same, with what programs are told besides.
fn method_has_wrong_code() -> Value {
    let mut error = method_error("totp-invalid", "TOTP Invalid");
    error["details"] = details("totp");
    error
}

/// The login of mary by name and password.
fn by_password() -> Value {
    json!({"user": "mary", "password": PASSWORD})
}

/// The same with a code.
fn with_code(code: &str) -> Value {
    json!({"user": "mary", "password": PASSWORD, "code": code})
}

/// Sends a call with a code in the header for it.
async fn show(call: Call<'_>, code: &str) -> Reply {
    call.header("x-2fa-code", code).header("x-2fa-method", "totp").send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_counts_once_a_code_was_shown() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let (login, other) = (app.user("mary", &["user"]).await, app.log_in("mary").await);
        let first = result(call(&app, &login, "2fa:enable", json!([])).await);
        let enrolment = result(call(&app, &login, "2fa:enable", json!([])).await);
        let secret = enrolment["secret"].as_str().expect("it is a text");
        assert_eq!(enrolment, json!({"secret": secret, "url": format!("otpauth://totp/Usher:mary?secret={secret}&issuer=Usher")}));
        assert_ne!(first["secret"], enrolment["secret"], "asking again begins anew");
        assert_eq!(secret.len(), 32, "160 bits");

        app.post(LOGIN, &by_password()).await.ok();
        assert_eq!(result(call(&app, &login, "2fa:checkCodesRemaining", json!([])).await), json!({"remaining": 0}));
        let stale = code(first["secret"].as_str().expect("it is a text"), app.clock.now());
        for wrong in [stale.as_str(), "", "12345", "abcdef"] {
            let refused = failure(call(&app, &login, "2fa:validateTempToken", json!([wrong])).await, 400);
            assert_eq!(refused, method_has_wrong_code(), "{wrong}");
        }
        app.post(LOGIN, &by_password()).await.ok();

        let answer = result(call(&app, &login, "2fa:validateTempToken", json!([code(secret, app.clock.now())])).await);
        let codes: Vec<&str> = answer["codes"].as_array().expect("there are codes").iter().filter_map(Value::as_str).collect();
        assert_eq!(answer, json!({"codes": codes}));
        assert_eq!(codes.len(), 12);
        assert!(codes.iter().all(|code| code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())), "{codes:?}");
        assert_eq!(result(call(&app, &login, "2fa:checkCodesRemaining", json!([])).await), json!({"remaining": 12}));
        let stored = format!("{:?}", rows(&app).await);
        assert!(codes.iter().all(|code| !stored.contains(code)), "only hashes of backup codes are stored");
        assert_eq!(call(&app, &other, "2fa:checkCodesRemaining", json!([])).await.status.as_u16(), 401, "every other login ended");
        app.post(LOGIN, &by_password()).await.is(401, &login_needs_code());

        let refused = failure(call(&app, &login, "2fa:enable", json!([])).await, 400);
        assert_eq!(refused, method_error("error-two-factor", "The second factor is on already"));
        let refused = failure(call(&app, &login, "2fa:validateTempToken", json!([code(secret, app.clock.now())])).await, 400);
        assert_eq!(refused, method_error("error-two-factor", "No second factor is being set up"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_shows_a_code_of_what_was_never_begun() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let login = app.user("mary", &["user"]).await;
        let refused = failure(call(&app, &login, "2fa:validateTempToken", json!(["123456"])).await, 400);
        assert_eq!(refused, method_error("error-two-factor", "No second factor is being set up"));
        for method in ["2fa:disable", "2fa:regenerateCodes"] {
            let refused = failure(call(&app, &login, method, json!(["123456"])).await, 400);
            assert_eq!(refused, method_error("error-two-factor", "The second factor is off"), "{method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_needs_a_code() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        let wrong = mary.wrong_code(&app);
        app.post(LOGIN, &by_password()).await.is(401, &login_needs_code());
        app.post(LOGIN, &with_code("")).await.is(401, &login_needs_code());
        for wrong in [wrong.as_str(), "12345", "1234567", "abcdefgh", "' OR 1=1 --"] {
            app.post(LOGIN, &with_code(wrong)).await.is(401, &login_has_wrong_code());
        }
        let mut guessed = with_code(&mary.code(&app));
        guessed["password"] = json!("wrong");
        let unauthorized = json!({"success": false, "status": "error", "error": "Unauthorized", "message": "Unauthorized"});
        app.post(LOGIN, &guessed).await.is(401, &unauthorized);

        let right = mary.code(&app);
        let forms = [
            with_code(&right),
            json!({"user": {"username": "mary"}, "password": PASSWORD, "code": right}),
            json!({"email": "mary@example.com", "password": PASSWORD, "code": right}),
            json!({"totp": {"code": right, "login": {"user": {"username": "mary"}, "password": PASSWORD}}}),
        ];
        for form in &forms {
            let answer = app.post(LOGIN, form).await.ok();
            assert_eq!(answer["data"]["userId"], *mary.login.user_id, "{form}");
        }
        show(app.call(Method::POST, LOGIN).json(&by_password()), &right).await.ok();
        show(app.call(Method::POST, LOGIN).json(&by_password()), &wrong).await.is(401, &login_has_wrong_code());
        show(app.call(Method::POST, LOGIN).json(&with_code(&right)), &wrong).await.ok();
        app.post(LOGIN, &json!({"resume": mary.login.token})).await.ok();
        app.post(LOGIN, &json!({"user": "admin", "password": PASSWORD})).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_may_be_off_by_a_little() {
    for (tolerance, accepted) in [("0", 0), ("1", 1), ("2", 2)] {
        for engine in Engine::all() {
            let app = usual().setting("Accounts_TwoFactorAuthentication_MaxDelta", tolerance).start(&engine).await;
            let mary = mary(&app).await;
            app.advance(10 * STEP);
            for steps in -3_i64..=3 {
                let code = code(&mary.secret, app.clock.now() + steps * 30_000);
                let status = app.post(LOGIN, &with_code(&code)).await.status.as_u16();
                assert_eq!(
                    status,
                    if steps.abs() <= accepted { 200 } else { 401 },
                    "{steps} steps with a tolerance of {tolerance}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_code_works_once() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        let [first, second, ..] = mary.backup_codes.as_slice() else { panic!("there are few backup codes") };
        app.post(LOGIN, &with_code(first)).await.ok();
        app.post(LOGIN, &with_code(first)).await.is(401, &login_has_wrong_code());
        let remaining = call(&app, &mary.login, "2fa:checkCodesRemaining", json!([])).await;
        assert_eq!(result(remaining), json!({"remaining": 11}));
        let mut stranger = with_code(second);
        stranger["password"] = json!("wrong");
        assert_eq!(app.post(LOGIN, &stranger).await.status.as_u16(), 401);
        app.post(LOGIN, &with_code(second)).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_block_a_login_like_wrong_passwords() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        for _ in 0..10 {
            app.post(LOGIN, &with_code(&mary.wrong_code(&app))).await.is(401, &login_has_wrong_code());
        }
        let right = with_code(&mary.code(&app));
        let refused = app.post(LOGIN, &right).await;
        assert_eq!((refused.status.as_u16(), &refused.body["error"]), (401, &json!("error-login-blocked-for-user")));
        app.call(Method::POST, LOGIN).from_address("198.51.100.1").json(&right).send().await.ok();
        app.advance(Duration::from_mins(5));
        app.post(LOGIN, &with_code(&mary.code(&app))).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_backup_codes_replace_the_old_ones() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        let refused = failure(call(&app, &mary.login, "2fa:regenerateCodes", json!([mary.wrong_code(&app)])).await, 400);
        assert_eq!(refused, method_has_wrong_code());
        let answer = result(call(&app, &mary.login, "2fa:regenerateCodes", json!([mary.code(&app)])).await);
        let codes = answer["codes"].as_array().expect("there are codes").clone();
        assert_eq!((codes.len(), &answer), (12, &json!({"codes": codes})));
        for old in &mary.backup_codes {
            assert!(!codes.contains(&json!(old)), "{old} is one of the new codes");
        }
        app.post(LOGIN, &with_code(&mary.backup_codes[0])).await.is(401, &login_has_wrong_code());
        app.post(LOGIN, &with_code(codes[0].as_str().expect("it is a text"))).await.ok();
        let remaining = call(&app, &mary.login, "2fa:checkCodesRemaining", json!([])).await;
        assert_eq!(result(remaining), json!({"remaining": 11}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_taken_away_by_a_code() {
    for with_backup_code in [false, true] {
        for engine in Engine::all() {
            let app = usual().start(&engine).await;
            let mary = mary(&app).await;
            assert_eq!(result(call(&app, &mary.login, "2fa:disable", json!([mary.wrong_code(&app)])).await), json!(false));
            app.post(LOGIN, &by_password()).await.is(401, &login_needs_code());
            let shown = if with_backup_code { mary.backup_codes[3].clone() } else { mary.code(&app) };
            assert_eq!(result(call(&app, &mary.login, "2fa:disable", json!([shown])).await), json!(true));
            app.post(LOGIN, &by_password()).await.ok();
            let remaining = call(&app, &mary.login, "2fa:checkCodesRemaining", json!([])).await;
            assert_eq!(result(remaining), json!({"remaining": 0}));
            let refused = failure(call(&app, &mary.login, "2fa:disable", json!([shown])).await, 400);
            assert_eq!(refused, method_error("error-two-factor", "The second factor is off"));

            let again = enrol(&app, mary.login.clone()).await;
            assert_ne!(again.secret, mary.secret);
            app.post(LOGIN, &with_code(&mary.code(&app))).await.is(401, &login_has_wrong_code());
            app.post(LOGIN, &with_code(&again.code(&app))).await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_codes_of_a_method_is_blocked() {
    for method in ["2fa:disable", "2fa:regenerateCodes"] {
        for engine in Engine::all() {
            let app = usual().start(&engine).await;
            let mary = mary(&app).await;
            for _ in 0..10 {
                call(&app, &mary.login, method, json!([mary.wrong_code(&app)])).await;
            }
            let refused = failure(call(&app, &mary.login, method, json!([mary.code(&app)])).await, 400);
            assert_eq!(refused, method_error("error-login-blocked-for-user", "Login has been temporarily blocked For User"));
            app.advance(Duration::from_mins(5));
            result(call(&app, &mary.login, method, json!([mary.code(&app)])).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_goes_with_its_user() {
    for engine in Engine::all() {
        let app = usual().start(&engine).await;
        let mary = mary(&app).await;
        let before = rows(&app).await;
        assert_eq!((before["second_factors"].len(), before["backup_codes"].len()), (1, 12));
        let admin = app.admin().await;
        let delete = app.call(Method::POST, "/api/v1/users.delete").as_user(&admin).json(&json!({"userId": mary.login.user_id}));
        delete.send().await.ok();
        let after = rows(&app).await;
        assert_eq!((after["second_factors"].len(), after["backup_codes"].len()), (0, 0));
    }
}
