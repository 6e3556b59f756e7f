//! Methods called by REST: the same that the realtime connection offers.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use usher_services::logins::{Account, Shown};
use usher_services::methods::{Method, MethodCall, MethodError};
use utoipa::ToSchema;

use crate::access::LoggedIn;
use crate::answer::{Answer, json as answer};
use crate::error::{Cause, Failed};
use crate::extract::body::LIMIT;
use crate::extract::{Anyone, Caller, Input, Path, Source, shown, typed_body};
use crate::parse::schema::{Schema, required, text};
use crate::{ApiError, Shared};

static CALL: Schema = Schema::open(&[required("message", text(LIMIT))]);

/// A call. The method that runs is the one named in `message`; the one in the path is there for people to read.
#[derive(Deserialize, ToSchema)]
pub struct CallBody {
    /// JSON: `{"msg": "method", "id", "method", "params": []}`.
    message: String,
}

impl Input for CallBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<CallBody, ApiError> {
        typed_body(&CALL, given)
    }

    fn is_unlimited(&self) -> bool {
        // Methods have limits of their own.
        true
    }
}

/// The call in a message.
struct Frame {
    id: String,
    method: String,
    parameters: Vec<Value>,
}

impl CallBody {
    fn frame(&self) -> Result<Frame, ApiError> {
        let invalid = || ApiError::text("Invalid method call");
        let mut frame: Map<String, Value> = serde_json::from_str(&self.message).map_err(|_| invalid())?;
        if frame.get("msg").is_some_and(|kind| kind != "method") {
            return Err(invalid());
        }
        match (frame.remove("id"), frame.remove("method"), frame.remove("params")) {
            (Some(Value::String(id)), Some(Value::String(method)), Some(Value::Array(parameters))) => {
                Ok(Frame { id, method, parameters })
            }
            _ => Err(invalid()),
        }
    }
}

/// What a method gave.
#[derive(Serialize, ToSchema)]
pub struct CallAnswer {
    /// JSON: `{"msg": "result", "id", "result"}` or `{"msg": "result", "id", "error"}`.
    message: String,
    success: bool,
}

async fn call_method(api: &Shared, body: &CallBody, account: Option<Account>, shown: Shown, address: IpAddr) -> Answer {
    let Frame { id, method, parameters } = body.frame()?;
    let is_old = Method::from_name(&method).is_some_and(Method::is_old);
    let outcome =
        api.services.call_method(MethodCall { account, address, shown, name: method, parameters, connection: None }).await;
    let mut message = json!({"msg": "result", "id": id});
    match &outcome {
        Ok(Some(result)) => message["result"] = result.clone(),
        Ok(None) => {}
        Err(error) => message["error"] = error.telling_document(),
    }
    // Methods that newer servers do without are called by older clients, and those are told of an error inside of a success.
    let success = outcome.is_ok() || is_old;
    let status = if success { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = answer(status, &CallAnswer { message: message.to_string(), success })?;
    if let Some(cause) = outcome.as_ref().err().and_then(MethodError::cause) {
        response.extensions_mut().insert(Cause(cause));
    }
    Ok(response)
}

/// Calls a method as the user who is logged in.
#[utoipa::path(post, path = "/api/v1/method.call/{method}", tag = "Methods", request_body = CallBody,
    params(("method" = String, Path, description = "For people to read")), responses(
    (status = 200, body = CallAnswer),
    (status = 400, body = Failed, description = "A failure, or in `message` a method's error in the same form as its result"),
    (status = 401, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn call(State(api): State<Shared>, caller: Caller<LoggedIn, CallBody>) -> Answer {
    call_method(&api, &caller.input, Some(caller.account), caller.shown, caller.address).await
}

/// Calls a method as nobody in particular.
#[utoipa::path(post, path = "/api/v1/method.callAnon/{method}", tag = "Methods", request_body = CallBody,
    params(("method" = String, Path, description = "For people to read")), responses(
    (status = 200, body = CallAnswer),
    (status = 400, body = Failed, description = "A failure, or in `message` a method's error in the same form as its result"),
    (status = 503, body = Failed),
))]
pub async fn call_anonymously(State(api): State<Shared>, anyone: Anyone<CallBody>) -> Answer {
    let shown = shown(&anyone.call.head.headers);
    call_method(&api, &anyone.call.input, anyone.account, shown, anyone.call.address).await
}
