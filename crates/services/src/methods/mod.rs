//! Methods: what clients call by name, over the realtime connection or by REST. One dispatcher serves both, over the same use cases
//! as all of REST.
//!
//! A method takes a list of parameters and gives a value or nothing. Moments are `{"$date": milliseconds}` in both directions.

mod agents;
mod custom_fields;
mod departments;
mod error;
mod inquiries;
mod livechat;
mod mails;
mod marks;
mod messages;
mod parameters;
mod platform;
mod rooms;
mod rooms_platform;
mod session;
mod visitor;

use std::net::IpAddr;

use serde_json::Value;
use usher_domain::Stream;

use crate::Services;
use crate::limits::Limit;
use crate::logins::{Account, Shown};

pub use error::MethodError;
use parameters::Parameters;

/// What a method gives: a value, or nothing.
pub type Outcome = Result<Option<Value>, MethodError>;

/// A call.
#[derive(Debug, Clone)]
pub struct MethodCall {
    /// Who calls, if somebody is logged in.
    pub account: Option<Account>,
    /// From where.
    pub address: IpAddr,
    /// What was shown beside the login.
    pub shown: Shown,
    /// The name of the method.
    pub name: String,
    /// The parameters.
    pub parameters: Vec<Value>,
    /// The number of the realtime connection that it came by, if it did.
    pub connection: Option<u64>,
}

/// Declares the methods: a variant each, its name on the wire, and whether newer servers do without it.
macro_rules! methods {
    ($($(#[$attribute:meta])* $variant:ident = $name:literal $($old:ident)?;)*) => {
        /// The methods there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Method {
            $($(#[$attribute])* $variant,)*
        }

        impl Method {
            /// Every method.
            pub const ALL: &[Method] = &[$(Method::$variant),*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Method::$variant => $name,)*
                }
            }

            /// Whether newer servers do without it, so that only older clients call it.
            pub fn is_old(self) -> bool {
                match self {
                    $(Method::$variant => false $(|| is_old(stringify!($old)))?,)*
                }
            }
        }
    };
}

fn is_old(word: &str) -> bool {
    word == "old"
}

methods! {
    /// Logs in.
    LogIn = "login";
    /// Ends the login.
    LogOut = "logout";
    /// Says that a login was ended, after it was.
    LogOutCleanUp = "logoutCleanUp";
    /// Says whether the caller is there.
    SetUserStatus = "setUserStatus";
    /// The same, until said otherwise.
    SetDefaultStatus = "UserPresence:setDefaultStatus";
    /// Says that the caller is at the desk, as far as one connection can tell.
    BeOnline = "UserPresence:online";
    /// Says that the caller is not.
    BeAway = "UserPresence:away";
    /// Begins to set a second factor up.
    EnrolTotp = "2fa:enable";
    /// Makes it count.
    EnableTotp = "2fa:validateTempToken";
    /// Takes it away.
    DisableTotp = "2fa:disable";
    /// Gives new backup codes.
    RenewBackupCodes = "2fa:regenerateCodes";
    /// Tells how many are left.
    CountBackupCodes = "2fa:checkCodesRemaining";
    /// The permissions.
    Permissions = "permissions/get";
    /// The settings that everybody may see.
    PublicSettings = "public-settings/get";
    /// The settings.
    PrivateSettings = "private-settings/get";
    /// Changes settings.
    SaveSettings = "saveSettings";
    /// Posts a user's message.
    SendMessage = "sendMessage";
    /// Gives a message another text.
    UpdateMessage = "updateMessage";
    /// Deletes one.
    DeleteMessage = "deleteMessage";
    /// Adds a reaction to a message or takes it away.
    SetReaction = "setReaction";
    /// Marks a message for the caller alone, or takes the mark away.
    StarMessage = "starMessage";
    /// Pins a message.
    PinMessage = "pinMessage";
    /// Takes the pin away.
    UnpinMessage = "unpinMessage";
    /// Reads a page of a room's history.
    LoadHistory = "loadHistory";
    /// The messages of a room after a moment.
    LoadMissedMessages = "loadMissedMessages";
    /// The first messages of a room after a moment.
    LoadNextMessages = "loadNextMessages";
    /// A message with what stands before and after it.
    LoadSurroundingMessages = "loadSurroundingMessages";
    /// What happened to the messages of a room since a moment, or a part of its history.
    Messages = "messages/get";
    /// Several messages.
    GetMessages = "getMessages";
    /// One message.
    GetSingleMessage = "getSingleMessage";
    /// Notes that the caller has read a room.
    ReadMessages = "readMessages";
    /// A room as everybody in it may know it.
    RoomByTypeAndName = "getRoomByTypeAndName";
    /// A room.
    RoomById = "getRoomById";
    /// The id of a room, by its name or its id.
    RoomIdByNameOrId = "getRoomIdByNameOrId";
    /// The name of a room.
    RoomNameById = "getRoomNameById";
    /// Puts a room into the caller's list.
    JoinRoom = "joinRoom";
    /// Takes a room out of the caller's list, which chats with visitors do not allow.
    LeaveRoom = "leaveRoom";
    /// The users who have a room in their list.
    UsersOfRoom = "getUsersOfRoom";
    /// Shows a room of the caller's list again.
    OpenRoom = "openRoom";
    /// Shows it no more until something new comes.
    HideRoom = "hideRoom";
    /// The rooms in the caller's list.
    Rooms = "rooms/get";
    /// The caller's subscriptions.
    Subscriptions = "subscriptions/get";
    /// Says which visitor a realtime connection belongs to.
    SetUpConnection = "livechat:setUpConnection" old;
    /// Registers a visitor.
    RegisterGuest = "livechat:registerGuest" old;
    /// Tells whether a visitor is known.
    LoginByToken = "livechat:loginByToken" old;
    /// Notes that a visitor sees a page.
    PageVisited = "livechat:pageVisited" old;
    /// Posts a visitor's message.
    SendVisitorMessage = "sendMessageLivechat" old;
    /// Reads a visitor's history.
    LoadVisitorHistory = "livechat:loadHistory" old;
    /// Leaves a message while nobody is there.
    SendOfflineMessage = "livechat:sendOfflineMessage" old;
    /// Sends a transcript.
    SendTranscript = "livechat:sendTranscript" old;
    /// Notes that one is to be sent when the chat is closed.
    RequestTranscript = "livechat:requestTranscript" old;
    /// Forgets that.
    DiscardTranscript = "livechat:discardTranscript" old;
    /// Gives a visitor or its rooms a value of a custom field.
    SetCustomField = "livechat:setCustomField" old;
    /// The custom fields.
    CustomFields = "livechat:getCustomFields" old;
    /// Makes or changes a custom field.
    SaveCustomField = "livechat:saveCustomField" old;
    /// Deletes one.
    RemoveCustomField = "livechat:removeCustomField" old;
    /// Closes a chat in a user's name.
    CloseRoom = "livechat:closeRoom" old;
    /// Closes a visitor's own chat.
    CloseByVisitor = "livechat:closeByVisitor" old;
    /// The agent who would get a visitor's next chat.
    NextAgent = "livechat:getNextAgent" old;
    /// The agent who serves a visitor's chat.
    AgentOfRoom = "livechat:getAgentData" old;
    /// Keeps what is noted of a chat.
    SaveRoomInfo = "livechat:saveInfo" old;
    /// Keeps what a visitor thinks of a chat.
    SaveSurvey = "livechat:saveSurveyFeedback" old;
    /// The message that a chat begins with.
    FirstRoomMessage = "livechat:getFirstRoomMessage" old;
    /// What clients have to know of the routing method in force.
    RoutingConfig = "livechat:getRoutingConfig" old;
    /// Changes settings of integrations.
    SaveIntegration = "livechat:saveIntegration" old;
    /// Makes a user an agent.
    AddAgent = "livechat:addAgent" old;
    /// Makes an agent none any more.
    RemoveAgent = "livechat:removeAgent" old;
    /// Makes a user a manager.
    AddManager = "livechat:addManager" old;
    /// Makes a manager none any more.
    RemoveManager = "livechat:removeManager" old;
    /// Keeps something of an agent, and puts it into departments.
    SaveAgentInfo = "livechat:saveAgentInfo" old;
    /// Finds a user by name.
    SearchAgent = "livechat:searchAgent" old;
    /// Changes whether an agent takes chats.
    ChangeAgentStatus = "livechat:changeLivechatStatus" old;
    /// Makes or changes a department.
    SaveDepartment = "livechat:saveDepartment" old;
    /// Deletes one.
    RemoveDepartment = "livechat:removeDepartment" old;
    /// Changes who is in a department.
    SaveDepartmentAgents = "livechat:saveDepartmentAgents" old;
    /// Tells where chats of a department may be forwarded to.
    ForwardRestrictions = "livechat:getDepartmentForwardRestrictions" old;
    /// Takes a chat out of the queue.
    TakeInquiry = "livechat:takeInquiry" old;
    /// Puts a chat back into it.
    ReturnAsInquiry = "livechat:returnAsInquiry" old;
}

impl Method {
    /// The method called `name`.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.iter().copied().find(|method| method.name() == name)
    }
}

impl Services {
    /// Calls a method.
    ///
    /// # Errors
    ///
    /// There is no such method, it was called too often, its parameters are none, or its use case refuses.
    pub async fn call_method(&self, call: MethodCall) -> Outcome {
        if let Some(stream) = Stream::from_name(&call.name) {
            return self.write_to_stream(stream, call).await;
        }
        let method = Method::from_name(&call.name).ok_or_else(|| MethodError::Unknown(call.name.clone()))?;
        self.count_method(&call)?;
        let parameters = Parameters(call.parameters);
        let (account, address) = (call.account, call.address);
        let caller = || account.clone().ok_or(MethodError::NotLoggedIn);
        match method {
            Method::LogIn => session::log_in(self, parameters, address).await,
            Method::LogOut => session::log_out(self, account).await,
            // The realtime side knows the connection that it is said of.
            Method::LogOutCleanUp | Method::BeOnline | Method::BeAway => Ok(None),
            Method::SetUserStatus => session::set_status(self, caller()?, parameters).await,
            Method::SetDefaultStatus => session::set_default_status(self, caller()?, parameters).await,
            Method::EnrolTotp => session::enrol_totp(self, caller()?).await,
            Method::EnableTotp => session::enable_totp(self, caller()?, parameters).await,
            Method::DisableTotp => session::disable_totp(self, caller()?, parameters, address).await,
            Method::RenewBackupCodes => session::renew_backup_codes(self, caller()?, parameters, address).await,
            Method::CountBackupCodes => session::count_backup_codes(self, caller()?).await,
            Method::Permissions => platform::permissions(self, caller()?, parameters).await,
            Method::PublicSettings => platform::public_settings(self, parameters).await,
            Method::PrivateSettings => platform::private_settings(self, caller()?, parameters).await,
            Method::SaveSettings => platform::save_settings(self, caller()?, parameters, call.shown, address).await,
            Method::SendMessage => messages::send(self, caller()?, parameters).await,
            Method::UpdateMessage => messages::update(self, caller()?, parameters).await,
            Method::DeleteMessage => messages::delete(self, caller()?, parameters).await,
            Method::SetReaction => marks::react(self, caller()?, parameters).await,
            Method::StarMessage => marks::star(self, caller()?, parameters).await,
            Method::PinMessage => marks::pin(self, caller()?, parameters).await,
            Method::UnpinMessage => marks::unpin(self, caller()?, parameters).await,
            Method::LoadHistory => messages::load_history(self, caller()?, parameters).await,
            Method::LoadMissedMessages => messages::load_missed(self, caller()?, parameters).await,
            Method::LoadNextMessages => messages::load_next(self, caller()?, parameters).await,
            Method::LoadSurroundingMessages => messages::load_surrounding(self, caller()?, parameters).await,
            Method::Messages => messages::changes_or_history(self, caller()?, parameters).await,
            Method::GetMessages => messages::several(self, caller()?, parameters).await,
            Method::GetSingleMessage => messages::single(self, caller()?, parameters).await,
            Method::ReadMessages => rooms_platform::mark_read(self, caller()?, parameters).await,
            Method::RoomByTypeAndName => rooms_platform::by_type_and_name(self, caller()?, parameters).await,
            Method::RoomById => rooms_platform::by_id(self, caller()?, parameters).await,
            Method::RoomIdByNameOrId => rooms_platform::id_by_name(self, caller()?, parameters).await,
            Method::RoomNameById => rooms_platform::name_by_id(self, caller()?, parameters).await,
            Method::JoinRoom => rooms_platform::join(self, caller()?, parameters).await,
            Method::LeaveRoom => caller().and_then(|_| rooms_platform::leave(&parameters)),
            Method::UsersOfRoom => rooms_platform::members(self, caller()?, parameters).await,
            Method::OpenRoom => rooms_platform::show(self, caller()?, parameters, true).await,
            Method::HideRoom => rooms_platform::show(self, caller()?, parameters, false).await,
            Method::Rooms => rooms_platform::rooms(self, caller()?, parameters).await,
            Method::Subscriptions => rooms_platform::subscriptions(self, caller()?, parameters).await,
            Method::SetUpConnection => visitor::set_up_connection(&parameters),
            Method::RegisterGuest => visitor::register(self, parameters, address).await,
            Method::LoginByToken => visitor::log_in(self, parameters).await,
            Method::PageVisited => visitor::page_visited(self, parameters, address).await,
            Method::SendVisitorMessage => visitor::send_message(self, parameters).await,
            Method::LoadVisitorHistory => visitor::load_history(self, parameters).await,
            Method::SendOfflineMessage => mails::send_offline_message(self, parameters, address).await,
            Method::SendTranscript => mails::send_transcript(self, caller()?, parameters).await,
            Method::RequestTranscript => mails::request_transcript(self, caller()?, parameters).await,
            Method::DiscardTranscript => mails::discard_transcript(self, caller()?, parameters).await,
            Method::SetCustomField => custom_fields::set_value(self, parameters).await,
            Method::CustomFields => custom_fields::list(self).await,
            Method::SaveCustomField => custom_fields::save(self, caller()?, parameters).await,
            Method::RemoveCustomField => custom_fields::remove(self, caller()?, parameters).await,
            Method::CloseRoom => rooms::close(self, caller()?, parameters).await,
            Method::CloseByVisitor => rooms::close_by_visitor(self, parameters).await,
            Method::NextAgent => rooms::next_agent(self, parameters).await,
            Method::AgentOfRoom => rooms::agent(self, parameters).await,
            Method::SaveRoomInfo => rooms::save_info(self, caller()?, parameters).await,
            Method::SaveSurvey => rooms::save_survey(self, parameters).await,
            Method::FirstRoomMessage => rooms::first_message(self, caller()?, parameters).await,
            Method::RoutingConfig => caller().and_then(|_| livechat::routing_config(self)),
            Method::AddAgent | Method::AddManager => agents::add(self, caller()?, parameters, method).await,
            Method::RemoveAgent | Method::RemoveManager => agents::remove(self, caller()?, parameters, method).await,
            Method::SaveAgentInfo => agents::save_info(self, caller()?, parameters).await,
            Method::SearchAgent => agents::search(self, caller()?, parameters).await,
            Method::ChangeAgentStatus => agents::change_status(self, caller()?, parameters).await,
            Method::SaveDepartment => departments::save(self, caller()?, parameters).await,
            Method::RemoveDepartment => departments::remove(self, caller()?, parameters).await,
            Method::SaveDepartmentAgents => departments::save_agents(self, caller()?, parameters).await,
            Method::ForwardRestrictions => {
                caller()?;
                departments::forward_restrictions(self, parameters).await
            }
            Method::TakeInquiry => inquiries::take(self, caller()?, parameters).await,
            Method::ReturnAsInquiry => inquiries::return_to_queue(self, caller()?, parameters).await,
            Method::SaveIntegration => livechat::save_integration(self, caller()?, parameters).await,
        }
    }

    /// Takes what a client writes into a stream. What it may not write is not written, and it is not told so.
    async fn write_to_stream(&self, stream: Stream, call: MethodCall) -> Outcome {
        self.count_method(&call)?;
        if stream == Stream::NotifyRoom {
            self.say_in_room(call.account.as_ref(), &call.parameters, call.connection).await?;
        }
        Ok(None)
    }

    /// Counts a call against the limits of methods.
    fn count_method(&self, call: &MethodCall) -> Result<(), MethodError> {
        self.count(Limit::MethodsPerAddress, &call.address.to_string())?;
        if let Some(account) = &call.account {
            let user_id = &account.user.id;
            self.count(Limit::MethodsPerUser, user_id)?;
            self.count(Limit::MethodPerUser, &format!("{user_id} {}", call.name))?;
        }
        if let Some(connection) = call.connection {
            self.count(Limit::MethodsPerConnection, &connection.to_string())?;
            self.count(Limit::MethodPerConnection, &format!("{connection} {}", call.name))?;
        }
        Ok(())
    }

    /// Counts a subscription that a connection wants.
    ///
    /// # Errors
    ///
    /// It wanted too many, or its address did.
    pub fn count_subscription(&self, connection: u64, address: IpAddr) -> Result<(), MethodError> {
        self.count(Limit::MethodsPerAddress, &address.to_string())?;
        self.count(Limit::MethodsPerConnection, &connection.to_string())
    }

    fn count(&self, limit: Limit, whom: &str) -> Result<(), MethodError> {
        let Some(limits) = &self.limits else { return Ok(()) };
        limits.count(limit, whom, &self.platform().settings).map(|_| ()).map_err(MethodError::TooMany)
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn methods_are_found_by_name() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(*method));
        }
        assert_eq!(Method::from_name("Login"), None);
        assert!(Method::LoginByToken.is_old() && !Method::LogIn.is_old());
    }
}
