-- Which visitors are connected, and to which process: who has no connection any more, however it ended, is not there.

CREATE TABLE visitor_presences (
    process_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    PRIMARY KEY (process_id, visitor_id)
);
CREATE INDEX visitor_presences_visitor ON visitor_presences (visitor_id);
