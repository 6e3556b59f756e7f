//! What the API says of itself.

use serde_json::Value;
use usher_testkit::TestApp;
use usher_testkit::engines::Engine;

/// Every operation there is, with its tag, who may call it, and the statuses it answers.
const OPERATIONS: &[(&str, &str, &str, &str)] = &[
    ("POST /api/v1/login", "Authentication", "public", "200 401 429 503"),
    ("GET /api/v1/logout", "Authentication", "caller", "200 401 429 503"),
    ("POST /api/v1/logout", "Authentication", "caller", "200 401 429 503"),
    ("GET /api/v1/me", "Authentication", "caller", "200 401 429 503"),
    ("GET /api/v1/livechat/config", "Livechat", "public", "200 400 503"),
    ("GET /api/v1/livechat/config/routing", "Livechat", "caller", "200 401 429 503"),
    ("GET /api/v1/livechat/queue", "Livechat", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/integrations.settings", "Livechat", "caller", "200 401 403 429 503"),
    ("POST /api/v1/livechat/message", "Livechat Messages", "visitor", "200 400 429 503"),
    ("GET /api/v1/livechat/messages.history/{rid}", "Livechat Messages", "visitor", "200 400 503"),
    ("GET /api/v1/livechat/message/{_id}", "Livechat Messages", "visitor", "200 400 503"),
    ("PUT /api/v1/livechat/message/{_id}", "Livechat Messages", "visitor", "200 400 429 503"),
    ("DELETE /api/v1/livechat/message/{_id}", "Livechat Messages", "visitor", "200 400 429 503"),
    ("POST /api/v1/livechat/messages", "Livechat Messages", "caller", "200 400 401 429 503"),
    ("GET /api/v1/livechat/{rid}/messages", "Livechat Messages", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/messages/{rid}", "Livechat Messages", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/chat.delete", "Chat", "caller", "200 400 401 429 503"),
    ("GET /api/v1/chat.getMessage", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.pinMessage", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.postMessage", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.react", "Chat", "caller", "200 400 401 429 503"),
    ("GET /api/v1/chat.search", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.sendMessage", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.starMessage", "Chat", "caller", "200 400 401 429 503"),
    ("GET /api/v1/chat.syncMessages", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.unPinMessage", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.unStarMessage", "Chat", "caller", "200 400 401 429 503"),
    ("POST /api/v1/chat.update", "Chat", "caller", "200 400 401 429 503"),
    ("GET /api/v1/channels.info", "Rooms", "caller", "200 400 401 429 503"),
    ("GET /api/v1/rooms.get", "Rooms", "caller", "200 400 401 429 503"),
    ("GET /api/v1/rooms.info", "Rooms", "caller", "200 400 401 429 503"),
    ("GET /api/v1/subscriptions.get", "Subscriptions", "caller", "200 400 401 429 503"),
    ("GET /api/v1/subscriptions.getOne", "Subscriptions", "caller", "200 400 401 429 503"),
    ("POST /api/v1/subscriptions.read", "Subscriptions", "caller", "200 400 401 429 503"),
    ("POST /api/v1/subscriptions.unread", "Subscriptions", "caller", "200 400 401 429 503"),
    ("POST /api/v1/livechat/offline.message", "Livechat Messages", "public", "200 400 429 503"),
    ("POST /api/v1/livechat/transcript", "Omnichannel Transcript", "visitor", "200 400 429 503"),
    ("DELETE /api/v1/livechat/transcript/{rid}", "Omnichannel Transcript", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/transcript/{rid}", "Omnichannel Transcript", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/omnichannel/{rid}/request-transcript", "Omnichannel Transcript", "caller", "200 400 401 403 429 503"),
    ("DELETE /api/v1/usher/contacts/{id}/hold", "Usher Contacts", "caller", "200 400 401 403 404 429 503"),
    ("GET /api/v1/usher/contacts/{id}/holdings", "Usher Contacts", "caller", "200 401 403 404 429 503"),
    ("POST /api/v1/usher/contacts/{id}/erase", "Usher Contacts", "caller", "200 400 401 403 404 429 503"),
    ("POST /api/v1/usher/contacts/{id}/export", "Usher Contacts", "caller", "200 400 401 403 404 429 503"),
    ("POST /api/v1/usher/contacts/{id}/hold", "Usher Contacts", "caller", "200 400 401 403 404 429 503"),
    ("DELETE /api/v1/usher/retention/{id}", "Usher Retention", "caller", "200 400 401 403 404 429 503"),
    ("GET /api/v1/usher/retention", "Usher Retention", "caller", "200 401 403 429 503"),
    ("POST /api/v1/usher/retention", "Usher Retention", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/usher/retention.preview", "Usher Retention", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/usher/erasures", "Usher Erasures", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/usher/erasures/key", "Usher Erasures", "caller", "200 401 403 429 503"),
    ("GET /api/v1/usher/erasures/{id}", "Usher Erasures", "caller", "200 401 403 404 429 503"),
    ("GET /api/v1/usher/mails", "Usher Mails", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/usher/mails.retry", "Usher Mails", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/upload/{rid}", "Omnichannel Rooms", "visitor", "200 400 403 429 503"),
    ("POST /api/v1/rooms.upload/{rid}", "Rooms", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/rooms.media/{rid}", "Rooms", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/rooms.mediaConfirm/{rid}/{fileId}", "Rooms", "caller", "200 400 401 429 503"),
    ("POST /api/v1/livechat/page.visited", "Livechat Page Visited", "public", "200 400 429 503"),
    ("POST /api/v1/method.call/{method}", "Methods", "caller", "200 400 401 503"),
    ("POST /api/v1/method.callAnon/{method}", "Methods", "public", "200 400 503"),
    ("GET /api/v1/livechat/custom-fields", "Omnichannel Custom Fields", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/custom-fields.delete", "Omnichannel Custom Fields", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/custom-fields.save", "Omnichannel Custom Fields", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/custom-fields/{_id}", "Omnichannel Custom Fields", "caller", "200 401 403 429 503"),
    ("POST /api/v1/livechat/custom.field", "Omnichannel Custom Fields", "visitor", "200 400 503"),
    ("POST /api/v1/livechat/custom.fields", "Omnichannel Custom Fields", "visitor", "200 400 503"),
    ("GET /api/v1/livechat/agents/{agentId}/departments", "Omnichannel Agent Stats", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/agent.info/{rid}/{token}", "Omnichannel Agents", "visitor", "200 400 503"),
    ("GET /api/v1/livechat/agent.next/{token}", "Omnichannel Agents", "public", "200 400 503"),
    ("POST /api/v1/livechat/agent.status", "Omnichannel Agents", "caller", "200 400 401 403 404 429 503"),
    ("POST /api/v1/livechat/agents.saveInfo", "Omnichannel Agents", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/department", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/department", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/department/{_id}", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("PUT /api/v1/livechat/department/{_id}", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("DELETE /api/v1/livechat/department/{_id}", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/department/{_id}/agents", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/department/{_id}/agents", "Omnichannel Departments", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/inquiries.getOne", "Omnichannel Inquiries", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/inquiries.list", "Omnichannel Inquiries", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/inquiries.queuedForUser", "Omnichannel Inquiries", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/inquiries.returnAsInquiry", "Omnichannel Inquiries", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/inquiries.take", "Omnichannel Inquiries", "caller", "200 400 401 403 429 503"),
    ("PUT /api/v1/livechat/inquiry.setSLA", "Omnichannel Inquiries", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/room.close", "Omnichannel Rooms", "visitor", "200 400 503"),
    ("POST /api/v1/livechat/room.closeByUser", "Omnichannel Rooms", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/room.join", "Omnichannel Rooms", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/room.saveInfo", "Omnichannel Rooms", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/room.survey", "Omnichannel Rooms", "visitor", "200 400 503"),
    ("GET /api/v1/livechat/rooms", "Omnichannel Rooms", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/rooms/filters", "Omnichannel Rooms", "caller", "200 401 403 429 503"),
    ("GET /api/v1/usher/me/changes", "Usher", "caller", "200 400 401 429 503"),
    ("GET /api/v1/usher/rooms/{rid}/changes", "Usher", "public", "200 400 401 503"),
    ("GET /api/v1/usher/rooms/{rid}/routing", "Usher", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/room", "Omnichannel Rooms", "visitor", "200 400 503"),
    ("GET /api/v1/livechat/users/{type}", "Omnichannel Users", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/users/{type}", "Omnichannel Users", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/users/{type}/{_id}", "Omnichannel Users", "caller", "200 400 401 403 429 503"),
    ("DELETE /api/v1/livechat/users/{type}/{_id}", "Omnichannel Users", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/livechat/visitor", "Omnichannel Visitors", "public", "200 400 429 503"),
    ("DELETE /api/v1/livechat/visitor/{token}", "Omnichannel Visitors", "visitor", "200 400 429 503"),
    ("GET /api/v1/livechat/visitor/{token}", "Omnichannel Visitors", "visitor", "200 400 503"),
    ("POST /api/v1/livechat/visitor.status", "Omnichannel Visitors", "visitor", "200 400 429 503"),
    ("GET /api/v1/livechat/visitor/{token}/room", "Omnichannel Visitors", "caller", "200 401 403 429 503"),
    ("GET /api/v1/livechat/visitors.autocomplete", "Omnichannel Visitors", "caller", "200 400 401 403 429 503"),
    (
        "GET /api/v1/livechat/visitors.chatHistory/room/{roomId}/visitor/{visitorId}",
        "Omnichannel Visitors",
        "caller",
        "200 400 401 403 429 503",
    ),
    ("GET /api/v1/livechat/visitors.info", "Omnichannel Visitors", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/visitors.pagesVisited/{roomId}", "Omnichannel Visitors", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/livechat/visitors.search", "Omnichannel Visitors", "caller", "200 400 401 403 429 503"),
    (
        "GET /api/v1/livechat/visitors.searchChats/room/{roomId}/visitor/{visitorId}",
        "Omnichannel Visitors",
        "caller",
        "200 400 401 403 429 503",
    ),
    ("POST /api/v1/livechat/visitors.status", "Omnichannel Visitors", "visitor", "200 400 429 503"),
    ("GET /api/v1/permissions.listAll", "Permissions", "caller", "200 400 401 429 503"),
    ("POST /api/v1/permissions.update", "Permissions", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/roles.addUserToRole", "Roles", "caller", "200 400 401 429 503"),
    ("POST /api/v1/roles.create", "Roles", "caller", "200 400 401 429 503"),
    ("POST /api/v1/roles.delete", "Roles", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/roles.getUsersInPublicRoles", "Roles", "caller", "200 401 429 503"),
    ("GET /api/v1/roles.getUsersInRole", "Roles", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/roles.list", "Roles", "caller", "200 401 429 503"),
    ("POST /api/v1/roles.removeUserFromRole", "Roles", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/roles.sync", "Roles", "caller", "200 400 401 429 503"),
    ("POST /api/v1/roles.update", "Roles", "caller", "200 400 401 429 503"),
    ("GET /api/info", "Server", "public", "200 503"),
    ("GET /api/v1/commands.get", "Server", "caller", "400 401 429 503"),
    ("GET /api/v1/commands.list", "Server", "caller", "200 401 429 503"),
    ("POST /api/v1/commands.run", "Server", "caller", "400 401 429 503"),
    ("GET /api/v1/info", "Server", "public", "200 503"),
    ("GET /api/v1/licenses.info", "Server", "caller", "200 400 401 429 503"),
    ("GET /api/v1/pw.getPolicy", "Server", "public", "200"),
    ("GET /api/v1/service.configurations", "Settings", "public", "200"),
    ("GET /api/v1/settings", "Settings", "caller", "200 400 401 429 503"),
    ("POST /api/v1/settings", "Settings", "caller", "200 400 401 429 503"),
    ("GET /api/v1/settings.oauth", "Settings", "public", "200"),
    ("GET /api/v1/settings.public", "Settings", "public", "200 400"),
    ("GET /api/v1/settings/{id}", "Settings", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/settings/{id}", "Settings", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/spotlight", "Users", "caller", "200 400 401 429 503"),
    ("GET /api/v1/users.autocomplete", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.create", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.createToken", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.delete", "Users", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/users.generatePersonalAccessToken", "Users", "caller", "200 400 401 429 503"),
    ("GET /api/v1/users.getAvatar", "Users", "public", "307 400 503"),
    ("GET /api/v1/users.getPersonalAccessTokens", "Users", "caller", "200 400 401 429 503"),
    ("GET /api/v1/users.getPreferences", "Users", "caller", "200 401 429 503"),
    ("GET /api/v1/users.getPresence", "Users", "caller", "200 400 401 429 503"),
    ("GET /api/v1/users.getStatus", "Users", "caller", "200 400 401 429 503"),
    ("GET /api/v1/users.getUsernameSuggestion", "Users", "caller", "200 401 429 503"),
    ("GET /api/v1/users.info", "Users", "caller", "200 400 401 429 503"),
    ("GET /api/v1/users.list", "Users", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/users.listByStatus", "Users", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/users.logout", "Users", "caller", "200 400 401 403 429 503"),
    ("GET /api/v1/users.presence", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.regeneratePersonalAccessToken", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.register", "Users", "public", "200 400 429 503"),
    ("POST /api/v1/users.removePersonalAccessToken", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.setActiveStatus", "Users", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/users.setPreferences", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.setStatus", "Users", "caller", "200 400 401 403 429 503"),
    ("POST /api/v1/users.update", "Users", "caller", "200 400 401 429 503"),
    ("POST /api/v1/users.updateOwnBasicInfo", "Users", "caller", "200 400 401 429 503"),
];

/// The document, through its text.
fn document() -> Value {
    serde_json::from_str(&usher_api::document_text()).expect("the document is JSON")
}

/// The operations in a document, by method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in methods.as_object().expect("a path has methods") {
            found.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    found
}

#[test]
fn it_names_every_operation_and_no_other() {
    let document = document();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", document["openapi"]);
    let mut found: Vec<String> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let mut expected: Vec<&str> = OPERATIONS.iter().map(|(name, ..)| *name).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document();
    for (name, operation) in operations(&document) {
        let (_, tag, access, statuses) = OPERATIONS.iter().find(|(known, ..)| *known == name).expect("it is known");
        assert_eq!(operation["tags"], serde_json::json!([tag]), "{name}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name} has no summary");
        assert_eq!(operation["x-usher-access"], *access, "{name}");
        let answers = operation["responses"].as_object().expect("an operation has answers");
        let mut found: Vec<&str> = answers.keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found.join(" "), *statuses, "{name}");
        for (status, answer) in answers {
            let is_export = status == "200" && name.ends_with("/export");
            let kind = if is_export { "application/zip" } else { "application/json" };
            let schema = &answer["content"][kind]["schema"];
            // Who is sent elsewhere gets no body.
            assert_eq!(schema.is_object(), status != "307", "{name} {status}: what it answers is described");
        }
        assert_eq!(operation["security"].is_array(), *access == "caller", "{name}: who must be logged in is told how");
        let in_path = name.contains('{');
        let told = operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(|one| one["in"] == "path"));
        assert_eq!(told, in_path, "{name}: what is in the path is a parameter");
    }
}

/// What the operations take in their bodies, by the names of the members that each must have. Two types of one name would make one
/// of them take what the other takes.
const BODIES: &[(&str, &str)] = &[
    ("DELETE /api/v1/livechat/message/{_id}", "token rid"),
    ("POST /api/v1/chat.delete", "roomId msgId"),
    ("POST /api/v1/chat.pinMessage", ""),
    ("POST /api/v1/chat.postMessage", ""),
    ("POST /api/v1/chat.react", ""),
    ("POST /api/v1/chat.sendMessage", ""),
    ("POST /api/v1/chat.starMessage", ""),
    ("POST /api/v1/chat.unPinMessage", ""),
    ("POST /api/v1/chat.unStarMessage", ""),
    ("POST /api/v1/chat.update", "roomId msgId text"),
    ("POST /api/v1/livechat/agent.status", ""),
    ("POST /api/v1/livechat/agents.saveInfo", "agentId agentData agentDepartments"),
    ("POST /api/v1/livechat/custom-fields.delete", "customFieldId"),
    ("POST /api/v1/livechat/custom-fields.save", "customFieldData"),
    ("POST /api/v1/livechat/custom.field", "key value overwrite token"),
    ("POST /api/v1/livechat/custom.fields", "token customFields"),
    ("POST /api/v1/livechat/department", "department"),
    ("POST /api/v1/livechat/department/{_id}/agents", "upsert remove"),
    ("POST /api/v1/livechat/inquiries.returnAsInquiry", "roomId"),
    ("POST /api/v1/livechat/inquiries.take", "inquiryId"),
    ("POST /api/v1/livechat/message", "token rid msg"),
    ("POST /api/v1/livechat/messages", "visitor messages"),
    ("POST /api/v1/livechat/offline.message", "name email message"),
    ("POST /api/v1/livechat/page.visited", "token pageInfo"),
    ("POST /api/v1/livechat/room.close", "rid token"),
    ("POST /api/v1/livechat/room.closeByUser", "rid"),
    ("POST /api/v1/livechat/room.saveInfo", "guestData roomData"),
    ("POST /api/v1/livechat/room.survey", "rid token data"),
    ("POST /api/v1/livechat/transcript", "rid token email"),
    ("POST /api/v1/livechat/transcript/{rid}", "email subject"),
    ("POST /api/v1/livechat/users/{type}", "username"),
    ("POST /api/v1/livechat/visitor", "visitor"),
    ("POST /api/v1/livechat/visitor.status", "token status"),
    ("POST /api/v1/livechat/visitors.status", "token status"),
    ("POST /api/v1/method.call/{method}", "message"),
    ("POST /api/v1/method.callAnon/{method}", "message"),
    ("POST /api/v1/permissions.update", "permissions"),
    ("POST /api/v1/roles.addUserToRole", "username"),
    ("POST /api/v1/roles.create", "name"),
    ("POST /api/v1/roles.delete", "roleId"),
    ("POST /api/v1/roles.removeUserFromRole", "username"),
    ("POST /api/v1/roles.update", "name roleId"),
    ("POST /api/v1/rooms.mediaConfirm/{rid}/{fileId}", ""),
    ("POST /api/v1/settings", "settings"),
    ("POST /api/v1/subscriptions.read", ""),
    ("POST /api/v1/subscriptions.unread", ""),
    ("POST /api/v1/users.create", "email name username"),
    ("POST /api/v1/users.generatePersonalAccessToken", ""),
    ("POST /api/v1/users.regeneratePersonalAccessToken", ""),
    ("POST /api/v1/users.register", "username email pass name"),
    ("POST /api/v1/users.removePersonalAccessToken", ""),
    ("POST /api/v1/users.setActiveStatus", "userId activeStatus"),
    ("POST /api/v1/users.setPreferences", "data"),
    ("POST /api/v1/users.setStatus", ""),
    ("POST /api/v1/users.update", "userId data"),
    ("POST /api/v1/users.updateOwnBasicInfo", "data"),
    ("POST /api/v1/usher/contacts/{id}/erase", "reason"),
    ("POST /api/v1/usher/contacts/{id}/hold", "reason endsAt"),
    ("POST /api/v1/usher/mails.retry", "mailId"),
    ("POST /api/v1/usher/retention", "days"),
    ("POST /api/v1/usher/retention.preview", "days"),
    ("PUT /api/v1/livechat/department/{_id}", "department"),
    ("PUT /api/v1/livechat/inquiry.setSLA", "roomId sla"),
    ("PUT /api/v1/livechat/message/{_id}", "token rid msg"),
];

/// Collects the names of the members that a schema requires.
fn required<'a>(schema: &'a Value, document: &'a Value, found: &mut Vec<&'a str>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let place = reference.trim_start_matches('#');
        return required(document.pointer(place).expect("a reference leads somewhere"), document, found);
    }
    schema["allOf"].as_array().into_iter().flatten().for_each(|part| required(part, document, found));
    found.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
}

#[test]
fn every_body_is_its_own() {
    let document = document();
    let mut found = Vec::new();
    for (name, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema["$ref"].is_string() {
            let mut names = Vec::new();
            required(schema, &document, &mut names);
            found.push((name, names.join(" ")));
        }
    }
    found.sort();
    let expected: Vec<(String, String)> = BODIES.iter().map(|(name, names)| ((*name).to_owned(), (*names).to_owned())).collect();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_served() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    let reply = app.get("/api-docs/openapi.json").await;
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.ok(), document());
}

/// What `text` refers to in `src` and `href`.
fn references(text: &str) -> Vec<&str> {
    let after = |start: &'static str| text.split(start).skip(1).filter_map(|rest| rest.split('"').next());
    after("src=\"").chain(after("href=\"")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_it_with_nothing_from_elsewhere() {
    let app = TestApp::usual(&Engine::sqlite()).await;
    let away = app.get("/api-docs").await;
    assert!(away.status.is_redirection(), "{}", away.status);
    assert_eq!(away.headers["location"], "/api-docs/");

    let reply = app.get("/api-docs/").await;
    assert!(reply.headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html")));
    let page = reply.ok();
    let page = page.as_str().expect("a page is no JSON");
    let references = references(page);
    assert!(references.iter().any(|reference| reference.contains("swagger-initializer.js")), "{page}");
    for reference in references {
        let is_ours = !reference.contains("//") && !reference.starts_with("data:");
        assert!(is_ours, "{reference} is from elsewhere");
        let path = format!("/api-docs/{}", reference.trim_start_matches("./"));
        assert_eq!(app.head(&path).await.status.as_u16(), 200, "{path}");
    }
    let initializer = app.get("/api-docs/swagger-initializer.js").await.ok();
    let initializer = initializer.as_str().expect("a script is no JSON");
    assert!(initializer.contains("/api-docs/openapi.json"), "{initializer}");
    assert!(initializer.contains(r#""validatorUrl": "none""#), "the document goes to a stranger's validator: {initializer}");
    for text in [page, initializer] {
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    }
}
