//! The loop on the wire: what the Personalizer contract says, over real sockets.

mod access;
mod contract;
mod document;
mod evaluations;
mod killed;
mod limits;
mod model;
mod modes;
mod monitor;
mod multislot;
mod operator;
#[cfg(unix)]
mod policies;
mod program;
mod sdk;
mod served;
mod tls;
