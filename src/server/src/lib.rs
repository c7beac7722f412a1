//! The Personalizer REST contract over HTTP.
//!
//! [`Service`] shares a learning loop between requests; `router` maps paths to operations;
//! [`serve`] accepts connections within limits. The meaning of an operation is defined by the
//! learning loop.

mod access;
mod action_cache;
mod admission;
mod background;
mod backlog;
mod body;
mod configurations;
mod connections;
mod core;
mod evaluations;
mod events;
mod heard_stream;
mod keys;
pub mod log;
mod logs;
mod metrics;
mod model;
mod model_signature;
mod multislot;
mod path;
mod request_log;
mod response;
mod router;
mod server;
mod service;
mod sliced;
mod state;
mod status;
mod tls;
mod worker;

pub use access::Access;
pub use keys::Keys;
pub use server::{Limits, serve};
pub use service::{Service, Time};
pub use state::StateError;
pub use tls::{Tls, TlsError};
