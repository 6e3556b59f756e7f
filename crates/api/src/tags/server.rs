//! The server itself: what it is and what it offers.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use usher_domain::permission::{GET_SERVER_INFO, VIEW_PRIVILEGED_SETTING};
use utoipa::{IntoParams, ToSchema};

use crate::access::LoggedIn;
use crate::answer::{Answer, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Anyone, Caller, Input, Path, Public, Source, typed_query};
use crate::parse::schema::{Kind, Schema, optional, text};
use crate::{ApiError, Shared};

/// The version whose interface this is: clients choose by it what they use.
const VERSION: &str = "8.8.0";

/// The same, as everybody may know it.
const SHORT_VERSION: &str = "8.8";

/// The parts that other servers ask a price for.
const MODULES: [&str; 12] = [
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
];

#[derive(Serialize, ToSchema)]
pub struct ServerInfoAnswer {
    version: &'static str,
    /// Only for those who may know more.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Value>,
}

fn info_answer(api: &Shared, anyone: Anyone<()>) -> Answer {
    let may_know = anyone.account.is_some_and(|account| api.services.permits(&account.user, GET_SERVER_INFO));
    if !may_know {
        return success(ServerInfoAnswer { version: SHORT_VERSION, info: None });
    }
    let info = json!({
        "version": VERSION,
        "build": {"platform": std::env::consts::OS, "arch": std::env::consts::ARCH, "usherVersion": env!("CARGO_PKG_VERSION")},
        "commit": {},
        "marketplaceApiVersion": "1.0.0",
    });
    success(ServerInfoAnswer { version: VERSION, info: Some(info) })
}

/// Which interface this is.
#[utoipa::path(get, path = "/api/info", tag = "Server", responses(
    (status = 200, body = Succeeded<ServerInfoAnswer>),
    (status = 503, body = Failed),
))]
pub async fn info(State(api): State<Shared>, anyone: Anyone<()>) -> Answer {
    info_answer(&api, anyone)
}

/// The same, where some clients look for it.
#[utoipa::path(get, path = "/api/v1/info", tag = "Server", responses(
    (status = 200, body = Succeeded<ServerInfoAnswer>),
    (status = 503, body = Failed),
))]
pub async fn info_of_version(State(api): State<Shared>, anyone: Anyone<()>) -> Answer {
    info_answer(&api, anyone)
}

static LICENSES: Schema = Schema::open(&[optional("loadValues", Kind::Boolean)]);

/// Whether numbers are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LicensesQuery {
    /// Taken so that clients can send it: what has no limit is not counted for it.
    #[serde(default, rename = "loadValues")]
    #[param(required = false)]
    #[expect(dead_code, reason = "nothing has a limit, so there are no numbers to load")]
    with_values: bool,
}

impl Input for LicensesQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<LicensesQuery, ApiError> {
        typed_query(&LICENSES, given)
    }
}

#[derive(Serialize, ToSchema)]
pub struct LicensesAnswer {
    license: License,
}

#[derive(Serialize, ToSchema)]
struct License {
    /// Every part works.
    #[serde(rename = "activeModules")]
    modules: Vec<&'static str>,
    #[schema(value_type = Object)]
    #[serde(rename = "preventedActions")]
    prevented: Map<String, Value>,
    /// Nothing is limited.
    #[schema(value_type = Object)]
    limits: Value,
    #[schema(value_type = Vec<Object>)]
    tags: Vec<Value>,
    trial: bool,
}

/// What other servers ask a price for: all of it works, without a limit.
#[utoipa::path(get, path = "/api/v1/licenses.info", tag = "Server", params(LicensesQuery), responses(
    (status = 200, body = Succeeded<LicensesAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn licenses(State(api): State<Shared>, caller: Caller<LoggedIn, LicensesQuery>) -> Answer {
    const KINDS: [&str; 6] =
        ["activeUsers", "guestUsers", "roomsPerGuest", "privateApps", "marketplaceApps", "monthlyActiveContacts"];
    let may_know = api.services.permits(&caller.account.user, VIEW_PRIVILEGED_SETTING);
    let unlimited: Map<String, Value> = KINDS.iter().map(|kind| ((*kind).to_owned(), json!({"max": -1}))).collect();
    let limits = if may_know { Value::Object(unlimited) } else { json!({}) };
    let license = License { modules: MODULES.to_vec(), prevented: Map::new(), limits, tags: Vec::new(), trial: false };
    success(LicensesAnswer { license })
}

#[derive(Serialize, ToSchema)]
pub struct PolicyAnswer {
    enabled: bool,
    #[schema(value_type = Vec<Object>)]
    policy: Vec<Value>,
}

/// What passwords have to be: anything.
#[utoipa::path(get, path = "/api/v1/pw.getPolicy", tag = "Server", responses(
    (status = 200, body = Succeeded<PolicyAnswer>),
))]
pub async fn password_policy(_: Public<()>) -> Answer {
    success(PolicyAnswer { enabled: false, policy: Vec::new() })
}

#[derive(Serialize, ToSchema)]
pub struct CommandsAnswer {
    #[schema(value_type = Vec<Object>)]
    commands: Vec<Value>,
    count: usize,
    offset: i64,
    total: usize,
}

/// The commands that can be typed with a slash in front: there are none.
#[utoipa::path(get, path = "/api/v1/commands.list", tag = "Server", responses(
    (status = 200, body = Succeeded<CommandsAnswer>),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn commands(_: Caller) -> Answer {
    success(CommandsAnswer { commands: Vec::new(), count: 0, offset: 0, total: 0 })
}

static COMMAND: Schema = Schema::open(&[optional("command", text(1_024))]);

/// Which command.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommandQuery {
    /// Its name.
    command: Option<String>,
}

impl Input for CommandQuery {
    const SOURCE: Source = Source::Query;

    fn read(given: Value, _: &Path) -> Result<CommandQuery, ApiError> {
        typed_query(&COMMAND, given)
    }
}

/// One command: there is none.
#[utoipa::path(get, path = "/api/v1/commands.get", tag = "Server", params(CommandQuery), responses(
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn command(caller: Caller<LoggedIn, CommandQuery>) -> Answer {
    let named = caller.input.command.filter(|command| !command.is_empty());
    Err(match named {
        Some(command) => ApiError::text(format!("There is no command in the system by the name of: {command}")),
        None => ApiError::text("The query param \"command\" must be provided."),
    })
}

/// What is to be run.
pub struct RunBody(Value);

impl Input for RunBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RunBody, ApiError> {
        Ok(RunBody(given))
    }
}

/// Runs a command: there is none to run.
#[utoipa::path(post, path = "/api/v1/commands.run", tag = "Server",
    request_body(content = Object, description = "`{command, params?, roomId}`"), responses(
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn run_command(caller: Caller<LoggedIn, RunBody>) -> Answer {
    let given = caller.input.0;
    let is_text = |name: &str| given.get(name).is_some_and(Value::is_string);
    let told = if !is_text("command") {
        "You must provide a command to run."
    } else if given.get("params").is_some_and(|params| !params.is_string()) {
        "The parameters for the command must be a single string."
    } else if !is_text("roomId") {
        "The room's id where to execute this command must be provided and be a string."
    } else {
        "The command provided does not exist (or is disabled)."
    };
    Err(ApiError::text(told))
}
