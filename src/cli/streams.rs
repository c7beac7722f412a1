use std::io::{self, BufWriter, ErrorKind, Write, stdout};

use super::error::Error;
use super::exit::Exit;
use super::fold::on_stdout;

/// Writes to stdout. A reader that closed the pipe is no error.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stream = anstream::AutoStream::auto(stdout().lock());
    result(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// Writes to stdout, for people.
pub fn tell(text: &str) -> Result<(), Error> {
    print(&on_stdout(text))
}

/// Writes bytes to stdout, as they are. A reader that closed the pipe is no error.
pub fn write(content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> Result<(), Error> {
    let mut stream = BufWriter::new(stdout());
    result(content(&mut stream).and_then(|()| stream.flush()))
}

fn result(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new(Exit::Results, format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
