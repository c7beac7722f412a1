//! The loop on the wire: the Personalizer REST contract, over axum and hyper.
//!
//! [`Service`] is the loop that many callers share; `router` says which operation is
//! behind which path; [`serve`] takes connections, few enough and patient enough. Nothing
//! here decides what an operation means: that is the loop's.

mod access;
mod answer;
mod body;
mod configurations;
mod door;
mod evaluations;
mod events;
mod logs;
mod meters;
mod model;
mod multislot;
mod offers;
mod path;
mod router;
mod seal;
mod server;
mod service;
mod status;
mod store;
mod tls;

pub use access::Keys;
pub use server::{Limits, serve};
pub use service::{Service, Time};
pub use store::StateError;
pub use tls::{Tls, TlsError};
