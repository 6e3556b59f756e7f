-- Visitors, their contacts, rooms and messages, the change log, people who log in, the ledger of erasures.
-- Times are milliseconds UTC. One text for SQLite and PostgreSQL.

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE visitors (
    id TEXT PRIMARY KEY,
    -- Names the visitor in the ledger of erasures: random, never shown, never chosen by a client.
    internal_id TEXT NOT NULL,
    -- NULL once an erasure has begun.
    token TEXT,
    username TEXT NOT NULL,
    name TEXT,
    email TEXT,
    phone TEXT,
    department_id TEXT,
    status TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    last_chat_room_id TEXT,
    last_chat_at BIGINT,
    user_agent TEXT,
    ip TEXT,
    host TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX visitors_internal_id ON visitors (internal_id);
CREATE UNIQUE INDEX visitors_token ON visitors (token);

CREATE TABLE contacts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    unknown BOOLEAN NOT NULL,
    last_chat_room_id TEXT,
    last_chat_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- E-mail addresses and phone numbers of a contact.
CREATE TABLE contact_addresses (
    contact_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (contact_id, kind, value)
);
CREATE INDEX contact_addresses_value ON contact_addresses (kind, value);

-- The ways in which a contact writes to us: a visitor and the source it came from.
CREATE TABLE contact_channels (
    visitor_id TEXT NOT NULL,
    source_type TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    name TEXT NOT NULL,
    verified BOOLEAN NOT NULL,
    blocked BOOLEAN NOT NULL,
    last_chat_room_id TEXT,
    last_chat_at BIGINT,
    PRIMARY KEY (visitor_id, source_type)
);
CREATE INDEX contact_channels_contact ON contact_channels (contact_id);

CREATE TABLE rooms (
    id TEXT PRIMARY KEY,
    visitor_id TEXT NOT NULL,
    visitor_username TEXT NOT NULL,
    visitor_status TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    name TEXT NOT NULL,
    department_id TEXT,
    source_type TEXT NOT NULL,
    source_destination TEXT,
    is_open BOOLEAN NOT NULL,
    -- Its erasure has begun: nobody sees it any more.
    erasing BOOLEAN NOT NULL,
    waiting_response BOOLEAN NOT NULL,
    message_count BIGINT NOT NULL,
    users_count BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    last_message_id TEXT,
    opened_at BIGINT NOT NULL,
    last_message_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    visitor_last_message_at BIGINT,
    visitor_waiting_since BIGINT,
    closed_at BIGINT,
    updated_at BIGINT NOT NULL
);
-- One open room for each visitor and source, however many callers ask at once.
CREATE UNIQUE INDEX rooms_open ON rooms (visitor_id, source_type) WHERE is_open;
CREATE INDEX rooms_visitor ON rooms (visitor_id, opened_at);

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    ts BIGINT NOT NULL,
    kind TEXT,
    text TEXT NOT NULL,
    author_id TEXT NOT NULL,
    author_username TEXT NOT NULL,
    author_name TEXT,
    by_visitor BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
);
-- Unique: no two messages of a room share a time, so paging by time can neither skip nor repeat one.
CREATE UNIQUE INDEX messages_room ON messages (room_id, ts);

-- What happened to a room, by ids only.
CREATE TABLE room_changes (
    room_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (room_id, seq)
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    -- Lower case: names and addresses are compared without regard to case.
    username_key TEXT NOT NULL,
    email_key TEXT,
    email TEXT,
    name TEXT,
    password_hash TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (username_key);
CREATE UNIQUE INDEX users_email ON users (email_key);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (user_id, role)
);

-- Only the hash of a login token is kept.
CREATE TABLE login_tokens (
    token_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX login_tokens_user ON login_tokens (user_id);

-- What was erased, when and at whose wish, never of whom.
CREATE TABLE erasures (
    id TEXT PRIMARY KEY,
    -- The visitor's internal id, by which a restored backup is erased again.
    subject TEXT NOT NULL,
    -- Which visitor is still being erased, NULL as soon as the last row is gone.
    visitor_id TEXT,
    actor TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    erased_at BIGINT,
    -- The sealing pass that covers it: one that began after its last row was gone.
    seal_pass TEXT,
    sealed_at BIGINT,
    visitors BIGINT NOT NULL,
    contacts BIGINT NOT NULL,
    rooms BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    changes BIGINT NOT NULL
);
CREATE INDEX erasures_unsealed ON erasures (requested_at) WHERE sealed_at IS NULL;
