//! Folders in object stores: `s3://`, `az://`, `gs://` and `file://`.
//!
//! A [`Mirror`] keeps a folder of this machine in step with one in a store: what is there is
//! fetched first, what changes is sent while the work goes on, and whoever is told to end has
//! sent all. Objects are replaced as a whole, in the order in which files were written, so a
//! reader never sees a folder that claims more than it holds.
//!
//! Credentials and endpoints come from the environment, by the names that the `object_store`
//! crate and the tools of each provider use.
//!
//! Must not know: what folders hold.

#[cfg(feature = "cloud")]
mod cloud;
mod error;
mod mirror;
mod remote;

pub use error::StoreError;
pub use mirror::{Ended, Mirror};
pub use remote::{Remote, credentials, is_address};
