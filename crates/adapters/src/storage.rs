//! The bytes of files: in a folder, or in a bucket that speaks the protocol of S3.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::io::AsyncWriteExt;
use usher_services::ports::{Later, Pieces, Storage, StorageFailure, StorageWriter};

/// How many bytes of a file are held before they are written; the protocol of S3 takes no smaller pieces.
const BUFFER: usize = 5 << 20;

/// Why files cannot be kept there. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder cannot be made.
    #[error("the folder {0} for files cannot be used: {1}")]
    Folder(String, std::io::Error),
    /// The service is not described as it has to be.
    #[error("the bucket for files cannot be used: {0}")]
    Bucket(String),
}

/// Keeps the bytes of files through `object_store`.
pub struct ObjectStorage {
    objects: Arc<dyn ObjectStore>,
    prefix: String,
    /// The folder, if it is one.
    folder: Option<PathBuf>,
}

impl ObjectStorage {
    /// Keeps files in a folder of this machine, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// The folder cannot be made or read.
    pub fn in_folder(folder: &Path) -> Result<ObjectStorage, StorageError> {
        let unusable = |cause| StorageError::Folder(folder.display().to_string(), cause);
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|cause| unusable(std::io::Error::other(cause)))?;
        let objects = Arc::new(objects.with_fsync(true));
        Ok(ObjectStorage { objects, prefix: String::new(), folder: Some(folder.to_owned()) })
    }

    /// Keeps files in a bucket, under keys that begin with `prefix`. `endpoint` says where the service is, if it is not Amazon's;
    /// credentials and region come from the variables `AWS_*`.
    ///
    /// # Errors
    ///
    /// Something of that is missing or cannot be.
    pub fn in_bucket(name: &str, prefix: &str, endpoint: Option<&str>) -> Result<ObjectStorage, StorageError> {
        // Whoever installed a provider before has installed this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let objects = builder.build().map_err(|cause| StorageError::Bucket(cause.to_string()))?;
        Ok(ObjectStorage { objects: Arc::new(objects), prefix: prefix.to_owned(), folder: None })
    }

    fn key(&self, id: &str) -> Key {
        Key::from_iter(self.prefix.split('/').filter(|part| !part.is_empty()).chain([id]))
    }
}

/// A failure without what the library says of it, which names keys and addresses.
fn failure(error: object_store::Error) -> StorageFailure {
    StorageFailure(match error {
        object_store::Error::NotFound { .. } => "not found",
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => "not permitted",
        _ => "the storage of files failed",
    })
}

impl Storage for ObjectStorage {
    fn begin(&self, id: &str) -> Box<dyn StorageWriter> {
        let writer = BufWriter::with_capacity(Arc::clone(&self.objects), self.key(id), BUFFER).with_max_concurrency(1);
        Box::new(ObjectWriter { writer, is_finishing: false })
    }

    fn fetch<'a>(&'a self, id: &'a str, places: Option<(u64, u64)>) -> Later<'a, Result<Option<Pieces>, StorageFailure>> {
        Box::pin(async move {
            let range = places.map(|(first, last)| GetRange::Bounded(first..last + 1));
            let found = self.objects.get_opts(&self.key(id), GetOptions { range, ..GetOptions::default() }).await;
            match found {
                Ok(found) => Ok(Some(Box::pin(found.into_stream().map_err(failure)) as Pieces)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(failure(error)),
            }
        })
    }

    fn is_shared(&self) -> bool {
        self.folder.is_none()
    }

    fn delete<'a>(&'a self, id: &'a str) -> Later<'a, Result<(), StorageFailure>> {
        Box::pin(async move {
            match self.objects.delete(&self.key(id)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(failure(error)),
            }
        })
    }

    fn recover(&self) -> Later<'_, Result<Vec<String>, StorageFailure>> {
        Box::pin(async move {
            // A bucket belongs to several processes: what one of them finds there may be arriving at another.
            let Some(folder) = self.folder.clone() else { return Ok(Vec::new()) };
            let recovered = tokio::task::spawn_blocking(move || recover(&folder)).await;
            recovered.ok().and_then(Result::ok).ok_or(StorageFailure("the folder of files cannot be listed"))
        })
    }
}

/// Removes what is there in part, which the library keeps beside the file under its name with a number. Gives what is whole.
fn recover(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut whole = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains('#') {
            std::fs::remove_file(entry.path())?;
        } else {
            whole.push(name);
        }
    }
    Ok(whole)
}

/// Writes one file.
struct ObjectWriter {
    writer: BufWriter,
    /// The last bytes are on their way: the library takes no abort any more.
    is_finishing: bool,
}

impl StorageWriter for ObjectWriter {
    fn write(&mut self, bytes: Bytes) -> Later<'_, Result<(), StorageFailure>> {
        Box::pin(async move { self.writer.put(bytes).await.map_err(failure) })
    }

    fn finish(&mut self) -> Later<'_, Result<(), StorageFailure>> {
        self.is_finishing = true;
        Box::pin(async move { self.writer.shutdown().await.map_err(|_| StorageFailure("the storage of files failed")) })
    }

    fn abort(&mut self) -> Later<'_, Result<(), StorageFailure>> {
        Box::pin(async move {
            // What was finished, or failed to be, is removed by its id.
            if self.is_finishing { Ok(()) } else { self.writer.abort().await.map_err(failure) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that goes away at a bad moment: finishing fails, and giving up afterwards is no second failure.
    #[tokio::test]
    async fn a_file_that_could_not_be_finished_can_be_given_up() {
        let folder = std::env::temp_dir().join(format!("usher-storage-{}", std::process::id()));
        let storage = ObjectStorage::in_folder(&folder).expect("a folder can be made");
        let mut whole = storage.begin("whole");
        assert_eq!(whole.write(Bytes::from_static(b"words")).await, Ok(()));
        assert_eq!(whole.finish().await, Ok(()));
        assert_eq!(whole.abort().await, Ok(()), "what is finished is removed by its id");
        let mut broken = storage.begin("broken");
        assert_eq!(broken.write(Bytes::from_static(b"words")).await, Ok(()));
        std::fs::remove_dir_all(&folder).expect("the folder can be removed");
        std::fs::write(&folder, b"no folder").expect("a file can take its place");
        assert!(broken.finish().await.is_err());
        assert_eq!(broken.abort().await, Ok(()));
        std::fs::remove_file(&folder).expect("the file can be removed");
    }
}
