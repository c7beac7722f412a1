//! The loop on the wire: what the Personalizer contract says, over real sockets.

mod access;
mod contract;
mod evaluations;
mod limits;
mod program;
mod served;
