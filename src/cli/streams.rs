use std::io::{ErrorKind, Write, stdout};

use super::error::Error;
use super::exit::Exit;

/// Writes to stdout. A reader that closed the pipe is no error.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stream = anstream::AutoStream::auto(stdout().lock());
    match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new(Exit::Results, format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
