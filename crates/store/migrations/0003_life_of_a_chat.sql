-- The whole life of a chat: agents and departments, the queue, subscriptions, custom fields, mail, and what figures are computed from.

-- Agents. NULL for users who are none.
ALTER TABLE users ADD COLUMN availability TEXT;
-- The server took the agent out of service, not the agent.
ALTER TABLE users ADD COLUMN unavailable_by_system BOOLEAN NOT NULL DEFAULT FALSE;
-- A JSON object, as administrators send it.
ALTER TABLE users ADD COLUMN agent_data TEXT;
-- How many chats without a department were routed to the agent so far.
ALTER TABLE users ADD COLUMN routed_count BIGINT NOT NULL DEFAULT 0;
-- When a chat was last routed to the agent.
ALTER TABLE users ADD COLUMN last_routed_at BIGINT;
CREATE INDEX users_available ON users (id) WHERE availability = 'available' AND active;

-- When agents were in service. The one that runs has no end.
CREATE TABLE agent_sessions (
    agent_id TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    stopped_at BIGINT,
    PRIMARY KEY (agent_id, started_at)
);
CREATE UNIQUE INDEX agent_sessions_running ON agent_sessions (agent_id) WHERE stopped_at IS NULL;
CREATE INDEX agent_sessions_started ON agent_sessions (started_at);

CREATE TABLE departments (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Lower case, for searching.
    name_key TEXT NOT NULL,
    email TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    archived BOOLEAN NOT NULL,
    show_on_registration BOOLEAN NOT NULL,
    show_on_offline_form BOOLEAN NOT NULL,
    -- Where chats go that nobody here can take.
    fallback_id TEXT,
    agent_count BIGINT NOT NULL,
    -- All other members as a JSON object.
    members TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX departments_name ON departments (name, id);
CREATE INDEX departments_created ON departments (created_at, id);
CREATE INDEX departments_fallback ON departments (fallback_id);
CREATE INDEX departments_agents ON departments (agent_count, id);
CREATE INDEX departments_enabled ON departments (enabled, id);
CREATE INDEX departments_registration ON departments (show_on_registration, id);

CREATE TABLE department_agents (
    id TEXT PRIMARY KEY,
    department_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    -- Whether the department is enabled.
    enabled BOOLEAN NOT NULL,
    -- How many chats of the department were routed to the agent so far.
    routed_count BIGINT NOT NULL,
    -- Who comes first among those with the same count.
    position BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX department_agents_pair ON department_agents (department_id, agent_id);
CREATE INDEX department_agents_agent ON department_agents (agent_id, department_id);

CREATE TABLE custom_fields (
    id TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    -- Lower case, for searching.
    label_key TEXT NOT NULL,
    -- `visitor` or `room`.
    scope TEXT NOT NULL,
    visibility TEXT NOT NULL,
    -- All other members as a JSON object.
    members TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX custom_fields_label ON custom_fields (label, id);
CREATE INDEX custom_fields_scope ON custom_fields (scope, label, id);
CREATE INDEX custom_fields_visibility ON custom_fields (visibility, label, id);

-- Values of custom fields.
CREATE TABLE visitor_fields (
    visitor_id TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (visitor_id, field)
);
CREATE INDEX visitor_fields_field ON visitor_fields (field, visitor_id);
CREATE TABLE room_fields (
    room_id TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (room_id, field)
);
CREATE INDEX room_fields_field ON room_fields (field, value, room_id);

-- What is searched for a term: name, user name and searchable fields in lower case.
ALTER TABLE visitors ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE visitors ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE visitors ADD COLUMN last_agent_id TEXT;
ALTER TABLE visitors ADD COLUMN last_agent_username TEXT;
ALTER TABLE visitors ADD COLUMN last_agent_at BIGINT;
UPDATE visitors SET name_key = lower(COALESCE(name, '')), search_key = lower(COALESCE(name, '') || ' ' || username);
CREATE INDEX visitors_email ON visitors (email);
CREATE INDEX visitors_phone ON visitors (phone);
CREATE INDEX visitors_created ON visitors (created_at, id, search_key);
CREATE INDEX visitors_name ON visitors (name_key, id);
CREATE INDEX visitors_username ON visitors (username, id);
-- The engines disagree on where those come who have had none.
CREATE INDEX visitors_last_chat ON visitors ((COALESCE(last_chat_at, 0)), id);

ALTER TABLE contacts ADD COLUMN manager_id TEXT;
-- A JSON object.
ALTER TABLE contacts ADD COLUMN custom_fields TEXT NOT NULL DEFAULT '{}';
-- A JSON list of values that contradict those of the contact.
ALTER TABLE contacts ADD COLUMN conflicts TEXT NOT NULL DEFAULT '[]';
-- The months in which an agent answered, at most twelve, with commas between them.
ALTER TABLE contacts ADD COLUMN activity TEXT NOT NULL DEFAULT '';
-- Entered by an agent, and nobody has written as this contact yet.
ALTER TABLE contacts ADD COLUMN pre_registered BOOLEAN NOT NULL DEFAULT FALSE;
-- Another contact has one of its addresses.
ALTER TABLE contacts ADD COLUMN possible_duplicate BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX contacts_manager ON contacts (manager_id);

-- The time of the latest message of any kind. What is shown as the room's latest may be older.
ALTER TABLE rooms ADD COLUMN last_ts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN agent_id TEXT;
ALTER TABLE rooms ADD COLUMN agent_username TEXT;
ALTER TABLE rooms ADD COLUMN agent_since BIGINT;
ALTER TABLE rooms ADD COLUMN on_hold BOOLEAN NOT NULL DEFAULT FALSE;
-- Who answers the visitor's latest question.
ALTER TABLE rooms ADD COLUMN responder_id TEXT;
ALTER TABLE rooms ADD COLUMN responder_username TEXT;
ALTER TABLE rooms ADD COLUMN responded_first_at BIGINT;
ALTER TABLE rooms ADD COLUMN responded_last_at BIGINT;
-- The months in which an agent answered the contact, as of the latest answer in this room.
ALTER TABLE rooms ADD COLUMN visitor_activity TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN topic TEXT;
-- A JSON object.
ALTER TABLE rooms ADD COLUMN survey TEXT;
-- `user` or `visitor`.
ALTER TABLE rooms ADD COLUMN closer TEXT;
ALTER TABLE rooms ADD COLUMN closed_by_id TEXT;
ALTER TABLE rooms ADD COLUMN closed_by_username TEXT;
ALTER TABLE rooms ADD COLUMN abandonment_at BIGINT;
-- Who wants the transcript by mail, once the chat is closed. A JSON object.
ALTER TABLE rooms ADD COLUMN transcript_request TEXT;
-- The place in the queue, as long as the room is open.
ALTER TABLE rooms ADD COLUMN inquiry_id TEXT;
ALTER TABLE rooms ADD COLUMN inquiry_status TEXT;
ALTER TABLE rooms ADD COLUMN inquiry_message TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN inquiry_queued_at BIGINT;
ALTER TABLE rooms ADD COLUMN inquiry_taken_at BIGINT;
ALTER TABLE rooms ADD COLUMN inquiry_updated_at BIGINT;
-- The agent that the chat is reserved for.
ALTER TABLE rooms ADD COLUMN default_agent_id TEXT;
ALTER TABLE rooms ADD COLUMN default_agent_username TEXT;
-- Figures, in milliseconds except where said otherwise.
ALTER TABLE rooms ADD COLUMN agent_answered_at BIGINT;
ALTER TABLE rooms ADD COLUMN response_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN response_sum BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN first_response BIGINT;
ALTER TABLE rooms ADD COLUMN reaction_sum BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN first_reaction BIGINT;
-- When the first response and reaction were.
ALTER TABLE rooms ADD COLUMN first_response_at BIGINT;
ALTER TABLE rooms ADD COLUMN chat_duration BIGINT;
ALTER TABLE rooms ADD COLUMN service_duration BIGINT;
-- Seconds.
ALTER TABLE rooms ADD COLUMN visitor_inactivity BIGINT;
UPDATE rooms SET inquiry_id = 'q' || id, inquiry_status = 'queued', inquiry_queued_at = queued_at,
                 inquiry_updated_at = updated_at
WHERE is_open;
UPDATE rooms SET name_key = lower(name), last_ts = last_message_at;
CREATE UNIQUE INDEX rooms_inquiry ON rooms (inquiry_id) WHERE inquiry_id IS NOT NULL;
-- They begin with the agent, who is none, because they would not be chosen before the index by agent otherwise.
CREATE INDEX rooms_queued ON rooms (agent_id, inquiry_status, opened_at, id, default_agent_id, department_id) WHERE is_open AND agent_id IS NULL AND NOT on_hold;
CREATE INDEX rooms_queued_name ON rooms (agent_id, inquiry_status, name, id) WHERE is_open AND agent_id IS NULL AND NOT on_hold;
CREATE INDEX rooms_queued_department ON rooms (agent_id, department_id, opened_at, id) WHERE is_open AND agent_id IS NULL AND NOT on_hold;
CREATE INDEX rooms_reserved ON rooms (default_agent_id) WHERE default_agent_id IS NOT NULL;
CREATE INDEX rooms_served ON rooms (opened_at, id) WHERE is_open AND agent_id IS NOT NULL AND NOT on_hold;
CREATE INDEX rooms_served_by ON rooms (agent_id, department_id) WHERE is_open AND agent_id IS NOT NULL;
CREATE INDEX rooms_on_hold ON rooms (opened_at, id) WHERE on_hold;
-- What lists are narrowed by is in these indexes, so that they are counted and paged without looking at rooms.
CREATE INDEX rooms_is_open ON rooms (is_open, opened_at, id, erasing, on_hold, agent_id, department_id, closed_at, name_key);
CREATE INDEX rooms_opened ON rooms (opened_at, id, erasing, is_open, on_hold, agent_id, department_id, closed_at, name_key);
CREATE INDEX rooms_agent ON rooms (agent_id, opened_at, id, erasing, is_open, on_hold, department_id, closed_at, name_key);
CREATE INDEX rooms_department ON rooms (department_id, opened_at, id, erasing, is_open, on_hold, agent_id, closed_at, name_key);
CREATE INDEX rooms_named ON rooms (name_key, id, erasing, is_open, on_hold, agent_id, department_id, opened_at, closed_at);
-- Rooms that are open come before all that are closed.
CREATE INDEX rooms_ended ON rooms ((COALESCE(closed_at, 0)), id, erasing, is_open, on_hold, agent_id, department_id, opened_at, closed_at, name_key);
CREATE INDEX rooms_contact ON rooms (contact_id, opened_at);
CREATE INDEX rooms_closed_at ON rooms (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX rooms_source ON rooms (source_type);

CREATE TABLE room_tags (
    room_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (room_id, tag)
);
CREATE INDEX room_tags_tag ON room_tags (tag, room_id);

-- Users who have a room in their list.
CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- Messages that the user has not read.
    unread BIGINT NOT NULL,
    mentions BIGINT NOT NULL,
    alert BOOLEAN NOT NULL,
    -- Whether the user's list shows it.
    is_shown BOOLEAN NOT NULL,
    is_favorite BOOLEAN NOT NULL,
    last_seen_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX subscriptions_pair ON subscriptions (room_id, user_id);
CREATE INDEX subscriptions_user ON subscriptions (user_id, updated_at);

-- Subscriptions that are gone, by ids the server made, for clients that ask what has changed since.
CREATE TABLE removed_subscriptions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX removed_subscriptions_user ON removed_subscriptions (user_id, removed_at);
CREATE INDEX removed_subscriptions_removed ON removed_subscriptions (removed_at);

ALTER TABLE messages ADD COLUMN edited_at BIGINT;
ALTER TABLE messages ADD COLUMN edited_by_id TEXT;
ALTER TABLE messages ADD COLUMN edited_by_username TEXT;
-- Deleted: nothing of its content is left.
ALTER TABLE messages ADD COLUMN deleted_at BIGINT;
-- When something of it changed after it was sent.
ALTER TABLE messages ADD COLUMN changed_at BIGINT;
-- Shown in no history.
ALTER TABLE messages ADD COLUMN hidden BOOLEAN NOT NULL DEFAULT FALSE;
-- What only some messages have, as a JSON object.
ALTER TABLE messages ADD COLUMN details TEXT;
CREATE INDEX messages_changed ON messages (room_id, changed_at) WHERE changed_at IS NOT NULL;

-- Pages that visitors saw before they had a room.
CREATE TABLE page_visits (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    title TEXT NOT NULL,
    href TEXT NOT NULL,
    -- What the client says happened: the title or the address changed.
    change TEXT NOT NULL,
    visited_at BIGINT NOT NULL
);
CREATE INDEX page_visits_token ON page_visits (token, visited_at);
CREATE INDEX page_visits_visited ON page_visits (visited_at);

-- Who was looked at for a chat and why one of them got it, by ids.
CREATE TABLE routing_decisions (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    -- What made the server decide.
    cause TEXT NOT NULL,
    method TEXT NOT NULL,
    department_id TEXT,
    -- NULL where nobody could take it.
    agent_id TEXT,
    reason TEXT NOT NULL,
    -- A JSON list of the agents that were looked at.
    considered TEXT NOT NULL
);
CREATE INDEX routing_decisions_room ON routing_decisions (room_id, decided_at);

-- Mail on its way. What was sent leaves its entry without any content.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The visitor it is about, as far as known.
    visitor_id TEXT,
    room_id TEXT,
    -- The e-mail address of whom it is about, in lower case. NULL once it is sent.
    about TEXT,
    -- The mail as a JSON object. NULL once it is sent.
    content TEXT,
    -- `waiting`, `sent` or `failed`.
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    -- What went wrong last, as a code.
    failure TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX mails_due ON mails (state, next_attempt_at);
CREATE INDEX mails_created ON mails (created_at, id);
CREATE INDEX mails_state ON mails (state, created_at, id);
CREATE INDEX mails_visitor ON mails (visitor_id);
CREATE INDEX mails_about ON mails (about);

ALTER TABLE erasures ADD COLUMN others BIGINT NOT NULL DEFAULT 0;
