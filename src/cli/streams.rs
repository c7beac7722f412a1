use std::io::{self, BufWriter, ErrorKind, Write, stdout};

use super::error::Error;
use super::exit::Exit;
use super::fold::{mistakes_on_stderr, on_stderr, on_stdout, prose_on_stdout};
use diagnostic::Report;

/// Writes to stdout. A reader that closed the pipe is no error.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stream = anstream::AutoStream::auto(stdout().lock());
    result(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// Writes to stdout, for people.
pub fn tell(text: &str) -> Result<(), Error> {
    print(&on_stdout(text))
}

/// Writes Markdown to stdout, for people: on a terminal, its paragraphs are as wide as that.
pub fn tell_prose(text: &str) -> Result<(), Error> {
    print(&prose_on_stdout(text))
}

/// Writes a line to stderr, for people.
pub fn note(text: &str) {
    anstream::eprintln!("{}", on_stderr(text));
}

/// Writes mistakes and warnings to stderr.
pub fn explain(report: &Report) {
    anstream::eprint!("{}", mistakes_on_stderr(report));
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
