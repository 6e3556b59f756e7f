-- Files, and what is still to be unlinked of those that are gone.

CREATE TABLE files (
    -- Also the name under which its bytes are stored.
    id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    -- Bytes.
    size BIGINT NOT NULL,
    -- Pixels.
    width BIGINT,
    height BIGINT,
    -- `arriving`, `stored` or `posted`.
    state TEXT NOT NULL,
    message_id TEXT,
    -- The file that this one is a smaller picture of.
    original_id TEXT,
    -- A smaller picture of it is still to be made.
    needs_preview BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX files_room ON files (room_id, id);
CREATE INDEX files_visitor ON files (visitor_id, id);
CREATE INDEX files_message ON files (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX files_unposted ON files (created_at, id) WHERE state <> 'posted';
CREATE INDEX files_without_preview ON files (created_at, id) WHERE needs_preview;

-- Files whose rows are gone and whose bytes are still to go, by ids the server made.
CREATE TABLE removed_files (
    id TEXT PRIMARY KEY,
    -- Its bytes were arriving: whoever receives them may still write some.
    was_arriving BOOLEAN NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX removed_files_removed ON removed_files (removed_at, id);

ALTER TABLE erasures ADD COLUMN files BIGINT NOT NULL DEFAULT 0;
-- Mails about the visitor that had left before.
ALTER TABLE erasures ADD COLUMN mails_sent BIGINT NOT NULL DEFAULT 0;
CREATE INDEX erasures_requested ON erasures (requested_at, id);

-- The keys by which receipts can be verified. Their secret halves are outside of the database.
CREATE TABLE receipt_keys (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    since BIGINT NOT NULL
);

-- Why staff erased somebody, as one of a few words.
ALTER TABLE erasures ADD COLUMN reason TEXT;
CREATE INDEX visitors_contact ON visitors (contact_id);

-- Contacts that must not be erased until then, such as for a lawsuit.
CREATE TABLE holds (
    contact_id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    placed_by TEXT NOT NULL,
    placed_at BIGINT NOT NULL
);

-- After how long visitors are erased by themselves who have not come back.
CREATE TABLE retention_rules (
    id TEXT PRIMARY KEY,
    -- NULL for chats of all departments, and of none.
    department_id TEXT,
    days BIGINT NOT NULL,
    -- Only counts.
    is_dry_run BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it was followed last, and how many visitors that concerned.
    followed_at BIGINT,
    followed_count BIGINT
);
