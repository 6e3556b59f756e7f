//! Which migrations were applied.

pub(crate) const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
pub(crate) const APPLIED: &str = "SELECT version, checksum FROM schema_migrations ORDER BY version";
pub(crate) const RECORD: &str = "INSERT INTO schema_migrations (version, checksum, applied_at) VALUES (?1, ?2, ?3)";
