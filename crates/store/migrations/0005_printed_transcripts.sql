-- The transcript of a closed chat, printed: when somebody asked for it, until it is made, and then the file.

ALTER TABLE rooms ADD COLUMN pdf_requested_at BIGINT;
ALTER TABLE rooms ADD COLUMN pdf_file_id TEXT;
CREATE INDEX rooms_wanting_pdf ON rooms (pdf_requested_at, id) WHERE pdf_requested_at IS NOT NULL;
