use std::io::{ErrorKind, Write, stdout};

use super::Exit;

/// Writes what was asked for to stdout. A reader that has seen enough is no failure.
pub fn print(text: &str) -> Exit {
    let mut stream = anstream::AutoStream::auto(stdout().lock());
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    match written {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            eprintln!("error: stdout cannot be written: {error}");
            Exit::Results
        }
    }
}
