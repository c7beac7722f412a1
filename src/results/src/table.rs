use std::path::PathBuf;

use super::cell::Row;
use super::files::{AppendFile, Encoding, FileChecksum, OnExisting, file_name, naming};
use record::ObserveError;

/// Rows are written at the latest when so many wait.
const MOST_ROWS_WAITING: usize = 256;

/// A CSV file that grows by whole rows.
pub(super) struct Table {
    path: PathBuf,
    file: AppendFile,
    waiting: csv::Writer<Vec<u8>>,
    rows_waiting: usize,
}

impl Table {
    /// Opens a file with this header.
    pub(crate) fn open(
        path: PathBuf,
        header: &[String],
        encoding: Encoding,
        existing: OnExisting,
    ) -> Result<Self, ObserveError> {
        let file = AppendFile::open(path.clone(), encoding, existing)?;
        let is_at_start = file.is_at_start();
        let waiting = csv::Writer::from_writer(Vec::new());
        let mut table = Self { path, file, waiting, rows_waiting: 0 };
        if is_at_start {
            table.push(header)?;
            table.flush()?;
        }
        Ok(table)
    }

    /// Adds a row. It is in the file when [`Table::flush`] returns.
    pub(crate) fn push(&mut self, row: &[String]) -> Result<(), ObserveError> {
        self.waiting.write_record(row).map_err(naming(&self.path))?;
        self.rows_waiting += 1;
        Ok(())
    }

    /// Adds a row, as [`Table::push`] does.
    pub(crate) fn push_row(&mut self, row: &Row) -> Result<(), ObserveError> {
        self.waiting.write_byte_record(row.cells()).map_err(naming(&self.path))?;
        self.rows_waiting += 1;
        Ok(())
    }

    /// The name of the file.
    pub(crate) fn file_name(&self) -> String {
        file_name(&self.path)
    }

    /// Whether rows should not wait any longer.
    pub(crate) fn is_due(&self) -> bool {
        self.rows_waiting >= MOST_ROWS_WAITING
    }

    /// Writes the rows that wait, with one call.
    pub(crate) fn flush(&mut self) -> Result<(), ObserveError> {
        let waiting = std::mem::replace(&mut self.waiting, csv::Writer::from_writer(Vec::new()));
        let rows = waiting.into_inner().map_err(csv::IntoInnerError::into_error);
        self.file.append(&rows.map_err(naming(&self.path))?)?;
        self.rows_waiting = 0;
        Ok(())
    }

    /// Writes what waits, and ends the file.
    pub(crate) fn seal(mut self) -> Result<FileChecksum, ObserveError> {
        self.flush()?;
        self.file.seal()
    }
}
