//! `runner scenarios/baseline.yaml`

use std::panic::catch_unwind;
use std::process::ExitCode;

use bandit_runner::cli::{self, Exit};

/// Worlds and logs are many small allocations of several threads; with this allocator an
/// experiment takes a sixth less time than with that of glibc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A panic is a bug, and a bug is exit 1; the panic's own message is on stderr.
    let exit = catch_unwind(|| cli::main(std::env::args_os())).unwrap_or(Exit::Bug);
    ExitCode::from(exit.code())
}
