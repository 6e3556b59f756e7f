-- Who is connected, and to which process.

CREATE TABLE processes (
    id TEXT PRIMARY KEY,
    -- When it last said that it runs (milliseconds UTC).
    beat_at BIGINT NOT NULL
);

CREATE TABLE presences (
    process_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- The best that the user's connections to this process say.
    status TEXT NOT NULL,
    PRIMARY KEY (process_id, user_id)
);
CREATE INDEX presences_user ON presences (user_id);
