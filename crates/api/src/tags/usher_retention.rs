//! Rules after how long visitors are erased who have not come back.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_services::documents::Date;
use usher_services::retention::{Retention, RetentionRule};
use utoipa::ToSchema;

use crate::access::{Delicate, ManageRetention};
use crate::answer::{Answer, Done, Succeeded, success};
use crate::error::Failed;
use crate::extract::{Caller, IdPath, Input, Path, Source, typed_body};
use crate::parse::schema::{Kind, Schema, optional, required, text};
use crate::{ApiError, Shared};

/// The most days that a rule may say: a thousand years.
const MOST_DAYS: i64 = 365_250;

/// A rule.
#[derive(Serialize, ToSchema)]
struct RuleDocument {
    #[serde(rename = "_id")]
    id: String,
    /// The department of the last chat; null for any and for none.
    #[serde(rename = "departmentId")]
    department_id: Option<String>,
    /// After how many days.
    days: i64,
    /// Whether it only counts.
    #[serde(rename = "dryRun")]
    is_dry_run: bool,
    #[serde(rename = "createdAt")]
    created_at: Date,
    /// When it was followed last.
    #[serde(rename = "followedAt")]
    followed_at: Option<Date>,
    /// How many visitors that concerned.
    #[serde(rename = "followedCount")]
    followed_count: Option<i64>,
}

impl From<RetentionRule> for RuleDocument {
    fn from(rule: RetentionRule) -> RuleDocument {
        let (followed_at, followed_count) = rule.followed.unzip();
        RuleDocument {
            id: rule.id,
            department_id: rule.department_id,
            days: rule.days,
            is_dry_run: rule.is_dry_run,
            created_at: Date(rule.created_at),
            followed_at: followed_at.map(Date),
            followed_count,
        }
    }
}

/// The rules.
#[derive(Serialize, ToSchema)]
pub struct RulesAnswer {
    rules: Vec<RuleDocument>,
}

/// All rules, the oldest first.
#[utoipa::path(get, path = "/api/v1/usher/retention", tag = "Usher Retention", responses(
    (status = 200, body = Succeeded<RulesAnswer>),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn list(State(api): State<Shared>, _caller: Caller<ManageRetention>) -> Answer {
    let rules = api.services.retention_rules().await?;
    success(RulesAnswer { rules: rules.into_iter().map(RuleDocument::from).collect() })
}

static RULE: Schema =
    Schema::closed(&[optional("departmentId", text(128)), required("days", Kind::Integer), optional("dryRun", Kind::Boolean)]);

/// What a rule says.
#[derive(Deserialize, ToSchema)]
pub struct RuleBody {
    /// The department of the last chat; any and none without it.
    #[serde(rename = "departmentId")]
    department_id: Option<String>,
    /// After how many days; at least one.
    days: i64,
    /// Whether it only counts. It does not unless this says so.
    #[serde(rename = "dryRun")]
    is_dry_run: Option<bool>,
}

impl Input for RuleBody {
    const SOURCE: Source = Source::Body;

    fn read(given: Value, _: &Path) -> Result<RuleBody, ApiError> {
        let body: RuleBody = typed_body(&RULE, given)?;
        if !(1..=MOST_DAYS).contains(&body.days) {
            return Err(ApiError::typed_body("must be >= 1 and <= 365250".to_owned()));
        }
        Ok(body)
    }
}

impl RuleBody {
    fn retention(&self) -> Retention {
        Retention { department_id: self.department_id.clone().filter(|id| !id.is_empty()), days: self.days }
    }
}

/// The rule that was made.
#[derive(Serialize, ToSchema)]
pub struct RuleAnswer {
    rule: RuleDocument,
}

/// Adds a rule: who has not chatted for so many days is erased, the next time that the rules are followed.
#[utoipa::path(post, path = "/api/v1/usher/retention", tag = "Usher Retention", request_body = RuleBody, responses(
    (status = 200, body = Succeeded<RuleAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn add(State(api): State<Shared>, caller: Caller<Delicate<ManageRetention>, RuleBody>) -> Answer {
    let body = caller.input;
    let rule = api.services.add_retention_rule(body.retention(), body.is_dry_run.unwrap_or(false)).await?;
    success(RuleAnswer { rule: rule.into() })
}

/// How many visitors a rule would concern.
#[derive(Serialize, ToSchema)]
pub struct PreviewAnswer {
    visitors: i64,
}

/// How many visitors such a rule would erase if it were followed now. Changes nothing.
#[utoipa::path(post, path = "/api/v1/usher/retention.preview", tag = "Usher Retention", request_body = RuleBody, responses(
    (status = 200, body = Succeeded<PreviewAnswer>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn preview(State(api): State<Shared>, caller: Caller<ManageRetention, RuleBody>) -> Answer {
    success(PreviewAnswer { visitors: api.services.count_by_retention(caller.input.retention()).await? })
}

/// Removes a rule. What it has erased stays erased.
#[utoipa::path(delete, path = "/api/v1/usher/retention/{id}", tag = "Usher Retention",
    params(("id" = String, Path, description = "The rule")), responses(
    (status = 200, body = Succeeded<Done>),
    (status = 400, body = Failed),
    (status = 401, body = Failed),
    (status = 403, body = Failed),
    (status = 404, body = Failed),
    (status = 429, body = Failed),
    (status = 503, body = Failed),
))]
pub async fn remove(State(api): State<Shared>, caller: Caller<Delicate<ManageRetention>, IdPath>) -> Answer {
    api.services.remove_retention_rule(caller.input.0).await?;
    success(Done {})
}
