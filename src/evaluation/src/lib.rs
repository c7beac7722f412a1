//! Offline evaluation: what would another learning policy have earned on a log?
//!
//! [`validate()`] replays learning policies on a [`Log`] by progressive validation,
//! [`discover()`] searches for better ones, [`Aggregate`] adds up what the contract
//! reports of each. Pure: a log in, numbers out; threads only make it faster.
//!
//! Must not know: files, the loop, the wire.

mod aggregate;
pub mod analysis;
mod discover;
mod feature_name;
mod log;
mod parallel;
mod replayer;
pub mod run;
mod validate;
mod view;

pub use aggregate::{Aggregate, WINDOW, window};
pub use discover::{Discovered, discover, held_out_from};
pub use feature_name::{FeatureName, FeatureOwner};
pub use log::Log;
pub use replayer::FailureCause;
pub use validate::{Ablated, PolicyTrace, Validated, validate, validate_views};
pub use view::{SeenEvent, Shape, Unseen, View, Viewed};
