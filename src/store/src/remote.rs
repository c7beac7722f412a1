use std::fs::{self, File};
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutPayload};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::error::StoreError;

/// The variables that hold credentials, by the scheme of the address.
pub(super) const CREDENTIALS: [(&str, &[&str]); 3] = [
    ("s3", &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]),
    (
        "az",
        &["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CLIENT_SECRET"],
    ),
    ("gs", &["GOOGLE_SERVICE_ACCOUNT_KEY"]),
];

/// The variables that say where a store is and who asks.
const SETTINGS: [(&str, &[&str]); 3] = [
    ("s3", &["AWS_REGION", "AWS_ENDPOINT", "AWS_ALLOW_HTTP"]),
    ("az", &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CLIENT_ID", "AZURE_STORAGE_TENANT_ID"]),
    ("gs", &["GOOGLE_SERVICE_ACCOUNT"]),
];

/// The stores that are known.
const SCHEMES: [&str; 4] = ["s3", "az", "gs", "file"];

/// Whether a text is meant to name a folder in a store, and not on this machine: `s3:/bucket`
/// is no folder either.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let scheme = text.split_once(":/").map(|(scheme, _)| scheme);
    text.contains("://") || scheme.is_some_and(|scheme| SCHEMES.contains(&scheme))
}

/// The variables of the environment that a process needs for an address, some of them.
#[must_use]
pub fn credentials(address: &str) -> Vec<&'static str> {
    let scheme = address.split("://").next().unwrap_or_default();
    let tables = CREDENTIALS.iter().chain(&SETTINGS);
    tables.filter(|(known, _)| *known == scheme).flat_map(|(_, names)| *names).copied().collect()
}

/// A folder in a store.
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    address: String,
    runtime: tokio::runtime::Runtime,
}

impl Remote {
    /// The folder at an address. Nothing is asked yet.
    ///
    /// # Errors
    /// When it is no address of a store that is known, or the environment does not fit it.
    pub fn at(address: &str) -> Result<Self, StoreError> {
        let url = parse(address)?;
        let (scheme, prefix) =
            ObjectStoreScheme::parse(&url).map_err(|error| unknown(address, &error.to_string()))?;
        let store = match scheme {
            ObjectStoreScheme::Local => Arc::new(LocalFileSystem::new()) as _,
            scheme => cloud(address, &scheme, url)?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| StoreError::of_file(FilePath::new(address), &error))?;
        Ok(Self { store, prefix, address: address.to_owned(), runtime })
    }

    /// The address, as it was given.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Fetches all that is there into a folder.
    ///
    /// # Errors
    /// When it cannot be listed, read or kept.
    pub fn fetch(&self, folder: &FilePath) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            let objects: Vec<_> =
                self.store.list(Some(&self.prefix)).try_collect().await.map_err(self.named())?;
            for object in objects {
                let parts = object.location.prefix_match(&self.prefix);
                let parts: Vec<String> =
                    parts.into_iter().flatten().map(|part| part.as_ref().to_owned()).collect();
                // What begins with a dot is between processes.
                if !parts.is_empty() && !parts.iter().any(|part| part.starts_with('.')) {
                    let file: PathBuf = parts.iter().collect();
                    self.fetch_file(&object.location, &folder.join(file)).await?;
                }
            }
            Ok(())
        })
    }

    async fn fetch_file(&self, location: &Path, path: &FilePath) -> Result<(), StoreError> {
        let got = self.store.get(location).await.map_err(self.named())?;
        let kept = |error: io::Error| StoreError::of_file(path, &error);
        fs::create_dir_all(path.parent().unwrap_or(FilePath::new("."))).map_err(kept)?;
        let mut file = File::create(path).map_err(kept)?;
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.next().await {
            io::Write::write_all(&mut file, &piece.map_err(self.named())?).map_err(kept)?;
        }
        Ok(())
    }

    /// Puts what is in a file in place as a whole, in several parts if it is large.
    pub(super) fn send(&self, name: &str, file: File) -> Result<(), StoreError> {
        let location = self.location(name)?;
        let sent = self.runtime.block_on(async {
            let mut file = tokio::fs::File::from_std(file);
            let mut writer = BufWriter::new(Arc::clone(&self.store), location);
            tokio::io::copy(&mut file, &mut writer).await?;
            writer.shutdown().await
        });
        let of_store = |error: io::Error| object_store::Error::Generic {
            store: "object store",
            source: Box::new(error),
        };
        sent.map_err(|error| StoreError::of(&self.address, &of_store(error)))
    }

    /// Puts a small object in place.
    pub(super) fn put(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let location = self.location(name)?;
        let payload = PutPayload::from(text.to_owned());
        self.runtime.block_on(self.store.put(&location, payload)).map(drop).map_err(self.named())
    }

    /// What is in a small object; none, if there is no such object.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let location = self.location(name)?;
        let got = self.runtime.block_on(async { self.store.get(&location).await?.bytes().await });
        match got {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StoreError::of(&self.address, &error)),
        }
    }

    /// Takes an object out, if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let location = self.location(name)?;
        match self.runtime.block_on(self.store.delete(&location)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StoreError::of(&self.address, &error)),
        }
    }

    fn location(&self, name: &str) -> Result<Path, StoreError> {
        let path = format!("{}/{name}", self.prefix);
        Path::parse(path.trim_start_matches('/'))
            .map_err(|error| unknown(&self.address, &error.to_string()))
    }

    fn named(&self) -> impl Fn(object_store::Error) -> StoreError + '_ {
        |error| StoreError::of(&self.address, &error)
    }
}

#[cfg(feature = "cloud")]
fn cloud(
    address: &str,
    scheme: &ObjectStoreScheme,
    url: Url,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    crate::cloud::open(scheme, url).map_err(|error| StoreError::of(address, &error))
}

#[cfg(not(feature = "cloud"))]
fn cloud(
    address: &str,
    _scheme: &ObjectStoreScheme,
    _url: Url,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let message = format!("`{address}`: this build of `runner` has no cloud object stores");
    let help = "build it with `--features cloud`; release archives and wheels have them";
    Err(StoreError::usage(message, help))
}

fn parse(address: &str) -> Result<Url, StoreError> {
    let url = Url::parse(address).map_err(|error| unknown(address, &error.to_string()))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(unknown(address, &format!("`{}` is no store that is known", url.scheme())));
    }
    // It would be in every output.
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        let message =
            "an address in a store holds a bucket and a path, and no credentials".to_owned();
        return Err(StoreError::usage(message, "put credentials into the environment"));
    }
    Ok(url)
}

fn unknown(address: &str, why: &str) -> StoreError {
    let message = format!("`{address}` is no address of a folder in a store: {why}");
    let help =
        "write `s3://bucket/path`, `az://container/path`, `gs://bucket/path` or `file:///path`";
    StoreError::usage(message, help)
}
