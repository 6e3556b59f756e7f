//! Methods that lead to mails: messages left while nobody is there, and transcripts. Older clients call them.

use std::net::IpAddr;

use serde::Deserialize;
use usher_domain::mail::OfflineMessage;
use usher_domain::match_check::{MatchField, MatchKind, MatchPattern};
use usher_domain::permission::SEND_OMNICHANNEL_CHAT_TRANSCRIPT;

use super::{MethodError, Outcome, Parameters};
use crate::limits::Limit;
use crate::logins::Account;
use crate::transcripts::WantedTranscript;
use crate::{Error, Refusal, Services};

static OFFLINE_MESSAGE: MatchPattern = MatchPattern::closed(&[
    MatchField::required("name", MatchKind::Text(512)),
    MatchField::required("email", MatchKind::Text(320)),
    MatchField::required("message", MatchKind::Text(100_000)),
]);

#[derive(Deserialize)]
struct LeftMessage {
    name: String,
    email: String,
    message: String,
}

/// Tells whether the message was taken.
pub(super) async fn send_offline_message(services: &Services, parameters: Parameters, address: IpAddr) -> Outcome {
    let LeftMessage { name, email, message } = parameters.object(0, &OFFLINE_MESSAGE)?;
    services.count(Limit::OfflineMessages, &address.to_string())?;
    match services.leave_offline_message(OfflineMessage { name, email, message, host: None }, None).await {
        Ok(()) => Ok(Some(true.into())),
        Err(Error::Refused(Refusal::OfflineMessage)) => Ok(Some(false.into())),
        Err(other) => Err(other.into()),
    }
}

/// Sends a transcript at once.
pub(super) async fn send_transcript(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    // The token is looked at in its turn, whatever it is.
    let visitor = parameters.get(0).and_then(|token| token.as_str()).unwrap_or_default().to_owned();
    let (room_id, email) = (parameters.text(1)?, parameters.text(2)?);
    let subject = parameters.get(3).and_then(|subject| subject.as_str()).unwrap_or_default().to_owned();
    check(services, &account, "livechat:sendTranscript")?;
    services.count(Limit::TranscriptsPerUser, &account.user.id)?;
    services.send_transcript_for(&account.user, visitor, WantedTranscript { room_id, email, subject }).await?;
    Ok(Some(true.into()))
}

/// Notes that a transcript is to be sent when the chat is closed.
pub(super) async fn request_transcript(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let (room_id, email, subject) = (parameters.text(0)?, parameters.text(1)?, parameters.text(2)?);
    check(services, &account, "livechat:requestTranscript")?;
    services.request_transcript(&account.user, WantedTranscript { room_id, email, subject }).await?;
    Ok(Some(true.into()))
}

/// Forgets that one was to be sent.
pub(super) async fn discard_transcript(services: &Services, account: Account, parameters: Parameters) -> Outcome {
    let room_id = parameters.text(0)?;
    check(services, &account, "livechat:discardTranscript")?;
    services.discard_transcript(room_id).await?;
    Ok(Some(true.into()))
}

fn check(services: &Services, account: &Account, method: &'static str) -> Result<(), MethodError> {
    if services.permits(&account.user, SEND_OMNICHANNEL_CHAT_TRANSCRIPT) {
        Ok(())
    } else {
        Err(Refusal::MethodNotAllowed(method).into())
    }
}
