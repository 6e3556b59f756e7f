//! Methods about the queue. Older clients call them.

use serde::Deserialize;
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::permission::VIEW_L_ROOM;

use super::agents::check_permission;
use super::{Method, Outcome, Parameters};
use crate::Services;
use crate::documents::{Eyes, RoomDocument, extended};
use crate::logins::Account;
use crate::rooms::TakeOptions;

static OPTIONS: MatchPattern = MatchPattern::open(&[MatchField::optional("clientAction", MatchKind::Boolean)]);

/// How a chat is taken. Whatever else clients say of it changes nothing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    client_action: bool,
}

pub(super) async fn take(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_permission(services, &account, VIEW_L_ROOM, Method::TakeInquiry)?;
    let inquiry_id = parameters.text(0)?;
    let options: Options = if parameters.get(1).is_some() { parameters.object(1, &OPTIONS)? } else { Options::default() };
    let options = TakeOptions { user_id: None, client_action: options.client_action };
    let taken = services.take_inquiry(&account, inquiry_id, options).await?;
    Ok(Some(extended(&RoomDocument::new(&taken.room, taken.last_message.as_ref(), Eyes::Staff))))
}

pub(super) async fn return_to_queue(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    check_permission(services, &account, VIEW_L_ROOM, Method::ReturnAsInquiry)?;
    let (room_id, department_id) = (parameters.text(0)?, parameters.optional_text(1)?);
    let department_id = department_id.filter(|id| !id.is_empty());
    Ok(Some(services.return_to_queue(room_id, department_id).await?.into()))
}
