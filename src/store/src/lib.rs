//! Folders in object stores: `s3://`, `az://`, `gs://` and `file://`.
//!
//! A [`Mirror`] synchronizes a local folder with one in a store: it first fetches what is there,
//! sends changes while the work goes on, and sends the rest when it ends. Objects are replaced
//! as a whole, in the order in which files were written, so a reader never sees a manifest that
//! names files which are not there yet.
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
