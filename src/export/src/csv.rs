use std::io::{self, Write};

use crate::COLUMNS;
use crate::observations::Observation;
use results::ReadError;

/// Writes the table as CSV. Texts are as they are: it is for programs, and a name that begins
/// with `-` keeps that.
///
/// # Errors
/// When `file` cannot be written to, or a run cannot be read again.
pub fn write_csv<'a>(
    file: impl Write,
    observations: impl IntoIterator<Item = Result<Observation<'a>, ReadError>>,
) -> io::Result<()> {
    write(file, observations).map_err(|error| match error.into_kind() {
        // Its kind says whether a reader closed the pipe.
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    })
}

fn write<'a>(
    file: impl Write,
    observations: impl IntoIterator<Item = Result<Observation<'a>, ReadError>>,
) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(file);
    table.write_record(COLUMNS)?;
    for observation in observations {
        let observation = observation.map_err(io::Error::other)?;
        table.write_record([
            observation.policy,
            &observation.seed.to_string(),
            observation.phase,
            observation.scope.name(),
            &observation.iterations.start.to_string(),
            &observation.last_iteration().to_string(),
            observation.metric,
            &observation.value.to_string(),
        ])?;
    }
    Ok(table.flush()?)
}
