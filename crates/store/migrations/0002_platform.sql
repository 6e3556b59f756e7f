-- Settings, roles and permissions as administrators changed them, and all that is kept of people who log in.

-- Settings whose value is not the default. The value is JSON text.
CREATE TABLE settings (
    id TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    -- How a colour was entered.
    editor TEXT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX settings_updated ON settings (updated_at);

CREATE TABLE permissions (
    id TEXT PRIMARY KEY,
    updated_at BIGINT NOT NULL
);
CREATE INDEX permissions_updated ON permissions (updated_at);

CREATE TABLE permission_roles (
    permission_id TEXT NOT NULL,
    role_id TEXT NOT NULL,
    PRIMARY KEY (permission_id, role_id)
);
CREATE INDEX permission_roles_role ON permission_roles (role_id);

CREATE TABLE roles (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- Every server has it: it cannot be deleted.
    is_protected BOOLEAN NOT NULL,
    -- Those who hold it have to have a second factor.
    needs_second_factor BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX roles_name ON roles (name);
CREATE INDEX roles_updated ON roles (updated_at);

-- Which roles are gone, for clients that ask what has changed since.
CREATE TABLE removed_roles (
    id TEXT PRIMARY KEY,
    removed_at BIGINT NOT NULL
);
CREATE INDEX removed_roles_removed ON removed_roles (removed_at);

CREATE INDEX user_roles_role ON user_roles (role, user_id);

ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'user';
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN email_verified BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN nickname TEXT;
ALTER TABLE users ADD COLUMN bio TEXT;
ALTER TABLE users ADD COLUMN status TEXT NOT NULL DEFAULT 'offline';
ALTER TABLE users ADD COLUMN status_default TEXT NOT NULL DEFAULT 'online';
ALTER TABLE users ADD COLUMN status_text TEXT NOT NULL DEFAULT '';
-- JSON objects, as clients send them.
ALTER TABLE users ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN custom_fields TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN password_change_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN password_change_reason TEXT;
-- Why somebody who registered wants to be let in.
ALTER TABLE users ADD COLUMN registration_reason TEXT;
ALTER TABLE users ADD COLUMN last_login_at BIGINT;
-- When status or status text last changed, for clients that ask who is there.
ALTER TABLE users ADD COLUMN status_updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE users SET name_key = lower(COALESCE(name, '')), email_verified = (email IS NOT NULL);
CREATE INDEX users_name ON users (name_key, id);
CREATE INDEX users_created ON users (created_at, id);
CREATE INDEX users_status_updated ON users (status_updated_at);
CREATE INDEX users_there ON users (username_key) WHERE active AND status <> 'offline';

-- Personal access tokens are logins with a name. They do not expire.
ALTER TABLE login_tokens ADD COLUMN name TEXT;
-- The last characters of a personal token, by which its owner knows it.
ALTER TABLE login_tokens ADD COLUMN last_part TEXT;
ALTER TABLE login_tokens ADD COLUMN bypasses_second_factor BOOLEAN NOT NULL DEFAULT FALSE;
-- When the second factor was last shown with this token.
ALTER TABLE login_tokens ADD COLUMN confirmed_at BIGINT;
CREATE UNIQUE INDEX login_tokens_name ON login_tokens (user_id, name) WHERE name IS NOT NULL;

CREATE TABLE second_factors (
    user_id TEXT PRIMARY KEY,
    -- Base32, as authenticator programs take it.
    secret TEXT NOT NULL,
    -- Not before its owner has shown a code of it.
    is_enabled BOOLEAN NOT NULL
);

-- Each works once, in place of a code of the second factor. Only hashes are kept.
CREATE TABLE backup_codes (
    user_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);
