//! What the environment says.

use std::collections::BTreeMap;

use crate::effective::ConfigError;
use crate::layer::Layer;

/// Variables of this prefix are keys of the configuration.
const PREFIX: &str = "USHER_";

/// Variables of this prefix force a setting.
const OVERWRITE: &str = "OVERWRITE_SETTING_";

/// Variables of the same prefix that are about tests and builds, or say where the file is.
const OTHERS: [&str; 4] = ["USHER_TEST_", "USHER_REQUIRE_ALL", "USHER_PROOF", "USHER_CONFIG"];

/// Keys that may also come from a file, whose name is in a variable that ends in `_FILE`: secrets.
const SECRETS: [&str; 2] = ["admin_password", "database_url"];

/// The layer of the environment.
///
/// # Errors
///
/// Names the variable that is no key, whose value cannot be, or whose file cannot be read.
pub fn layer(variables: &BTreeMap<String, String>) -> Result<Layer, ConfigError> {
    let mut table = toml::Table::new();
    for (name, value) in variables {
        let Some(key) = name.strip_prefix(PREFIX).filter(|_| !OTHERS.iter().any(|other| name.starts_with(other))) else { continue };
        let key = key.to_lowercase();
        let (key, value) = match key.strip_suffix("_file").filter(|key| SECRETS.contains(key)) {
            Some(key) => (key.to_owned(), contents(name, value)?),
            None => (key, value.clone()),
        };
        check(name, &key, &value)?;
        table.insert(key, value.into());
    }
    table.try_into().map_err(|error: toml::de::Error| ConfigError::Environment(error.message().to_owned()))
}

/// Reads one key alone, so that what is wrong with it can be told with the variable's name.
fn check(name: &str, key: &str, value: &str) -> Result<(), ConfigError> {
    let alone = toml::Table::from_iter([(key.to_owned(), toml::Value::from(value))]);
    let read: Result<Layer, toml::de::Error> = alone.try_into();
    read.map(|_| ()).map_err(|error| ConfigError::Environment(format!("{name}: {}", error.message())))
}

fn contents(name: &str, path: &str) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Environment(format!("{name}: {path}: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The settings that the environment forces: their ids and values.
pub fn overwritten_settings(variables: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let forced = variables.iter().filter_map(|(name, value)| Some((name.strip_prefix(OVERWRITE)?.to_owned(), value.clone())));
    forced.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Switch;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn variables_are_keys() {
        let read = layer(&variables(&[
            ("USHER_LISTEN", "[::1]:80"),
            ("USHER_RATE_LIMITS", "off"),
            ("USHER_ADMIN_PASSWORD", "secret"),
            ("USHER_TEST_PG_URL", "x"),
            ("USHER_REQUIRE_ALL", "1"),
            ("HOME", "/root"),
        ]));
        let read = read.unwrap();
        assert_eq!(read.listen, Some("[::1]:80".parse().unwrap()));
        assert_eq!(read.rate_limits, Some(Switch::Off));
        assert_eq!(read.admin_password.as_deref(), Some("secret"));
    }

    #[test]
    fn what_is_no_key_and_no_value_is_named() {
        for (name, value) in
            [("USHER_LISTN", "x"), ("USHER_LISTEN", "x"), ("USHER_RATE_LIMITS", "maybe"), ("USHER_LISTEN_FILE", "x")]
        {
            let error = layer(&variables(&[(name, value)])).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn secrets_may_be_in_files() {
        let path = std::env::temp_dir().join(format!("usher-secret-{}", std::process::id()));
        std::fs::write(&path, "from a file\n").unwrap();
        let read = layer(&variables(&[("USHER_ADMIN_PASSWORD_FILE", path.to_str().unwrap())])).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.admin_password.as_deref(), Some("from a file"));
        let missing = layer(&variables(&[("USHER_ADMIN_PASSWORD_FILE", "/nowhere/at/all")])).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/at/all"), "{missing}");
    }

    #[test]
    fn settings_are_forced_by_their_ids() {
        let forced =
            overwritten_settings(&variables(&[("OVERWRITE_SETTING_Livechat_enabled", "false"), ("Livechat_enabled", "true")]));
        assert_eq!(forced, [("Livechat_enabled".to_owned(), "false".to_owned())]);
    }
}
