//! Where files are kept.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::ConfigError;

/// The folder inside the data folder.
const FOLDER: &str = "files";

/// Where the bytes of files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Files {
    /// Nowhere: no files are taken.
    Off,
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket that speaks the protocol of S3. Credentials and region come from the variables `AWS_*`.
    Bucket {
        /// The bucket's name.
        name: String,
        /// What all keys begin with.
        prefix: String,
        /// Where the service is, if it is not Amazon's.
        endpoint: Option<String>,
    },
}

impl Files {
    /// Reads `url`; without one, files are in the data folder.
    pub(crate) fn of(url: Option<&str>, data: &Path) -> Result<Files, ConfigError> {
        let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(Files::Folder(data.join(FOLDER))) };
        if url == "off" {
            return Ok(Files::Off);
        }
        if let Some(folder) = url.strip_prefix("file://").filter(|folder| folder.starts_with('/')) {
            return Ok(Files::Folder(PathBuf::from(folder)));
        }
        let bucket = url.strip_prefix("s3://").and_then(bucket);
        bucket.ok_or_else(|| {
            ConfigError::Value("files_url: s3://BUCKET/PREFIX?endpoint=URL, file:///FOLDER or off, nothing else".to_owned())
        })
    }
}

fn bucket(rest: &str) -> Option<Files> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
    let endpoint = match query {
        "" => None,
        query => Some(query.strip_prefix("endpoint=").filter(|url| url.contains("://"))?.to_owned()),
    };
    let is_whole = !name.is_empty() && !name.contains('@');
    is_whole.then(|| Files::Bucket { name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned(), endpoint })
}

impl fmt::Display for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Files::Off => formatter.write_str("off"),
            Files::Folder(folder) => formatter.write_str(&folder.to_string_lossy()),
            Files::Bucket { name, prefix, endpoint } => {
                write!(formatter, "s3://{name}/{prefix}")?;
                endpoint.iter().try_for_each(|endpoint| write!(formatter, "?endpoint={endpoint}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let of = |url: Option<&str>| Files::of(url, Path::new("/data"));
        assert_eq!(of(None), Ok(Files::Folder(PathBuf::from("/data/files"))));
        assert_eq!(of(Some("")), Ok(Files::Folder(PathBuf::from("/data/files"))));
        assert_eq!(of(Some("off")), Ok(Files::Off));
        assert_eq!(of(Some("file:///srv/files")), Ok(Files::Folder(PathBuf::from("/srv/files"))));
        let bucket = |prefix: &str, endpoint: Option<&str>| Files::Bucket {
            name: "chats".to_owned(),
            prefix: prefix.to_owned(),
            endpoint: endpoint.map(str::to_owned),
        };
        assert_eq!(of(Some("s3://chats")), Ok(bucket("", None)));
        assert_eq!(of(Some("s3://chats/a/b/")), Ok(bucket("a/b", None)));
        assert_eq!(of(Some("s3://chats/a?endpoint=http://localhost:9000")), Ok(bucket("a", Some("http://localhost:9000"))));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for url in ["folder", "file://relative", "http://x", "s3://", "s3://key@bucket", "s3://b?region=x", "s3://b?endpoint=x"] {
            assert!(Files::of(Some(url), Path::new("/data")).is_err(), "{url}");
        }
    }
}
