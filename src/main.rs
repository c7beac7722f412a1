//! `runner scenarios/baseline.yaml`

use std::panic::catch_unwind;
use std::process::ExitCode;

use allocator as _;
use bandit_runner::cli::{self, Exit};

fn main() -> ExitCode {
    // A panic is a bug, and a bug is exit 1; the panic's own message is on stderr.
    let exit = catch_unwind(|| cli::main(std::env::args_os())).unwrap_or(Exit::Bug);
    ExitCode::from(exit.code())
}
