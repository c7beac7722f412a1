//! `events.parquet`: the rows of `events.csv` with types.
//!
//! A Parquet file can be read when its end is written. So a run that goes on has its rows in
//! `events.csv.zst`, and one that is complete in `events.parquet`: a run that was killed or stopped
//! is resumed from the rows, as always.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::{Type, TypePtr};

use super::cell::{guard, unguard};
use super::events::CellType;

/// So many rows are in memory at once.
const ROW_GROUP: usize = 1 << 16;

/// Writes the rows of a CSV file with a header, of columns of these types.
///
/// # Errors
/// When a cell is not of its type, or something cannot be read or written.
pub(super) fn write(
    rows: impl Read,
    types: &[CellType],
    file: impl Write + Send,
) -> io::Result<()> {
    write_rows(rows, types, file).map_err(io::Error::other)
}

fn write_rows(rows: impl Read, types: &[CellType], file: impl Write + Send) -> Result<()> {
    let external = |error: csv::Error| ParquetError::External(Box::new(error));
    let mut rows = csv::Reader::from_reader(rows);
    let header = rows.headers().map_err(external)?.clone();
    let properties = WriterProperties::builder()
        .set_created_by(concat!("runner ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    let schema = schema(&header, types)?;
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build()))?;
    let mut rows = rows.records().peekable();
    while rows.peek().is_some() {
        let group = rows.by_ref().take(ROW_GROUP);
        let group = group.collect::<csv::Result<Vec<_>>>().map_err(external)?;
        let mut columns = writer.next_row_group()?;
        for (index, of) in types.iter().enumerate() {
            column(&mut columns, group.iter().map(|row| &row[index]), *of)?;
        }
        columns.close()?;
    }
    writer.close()?;
    Ok(())
}

fn column<'a, W: Write + Send>(
    columns: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = &'a str>,
    of: CellType,
) -> Result<()> {
    match of {
        CellType::Text => {
            values::<ByteArrayType, _>(columns, cells.map(|cell| Ok(Some(text(cell)))))
        }
        CellType::OptionalText => values::<ByteArrayType, _>(
            columns,
            cells.map(|cell| Ok((!cell.is_empty()).then(|| text(cell)))),
        ),
        CellType::Integer => values::<Int64Type, _>(
            columns,
            cells.map(|cell| Ok(parsed::<u64>(cell)?.map(u64::cast_signed))),
        ),
        CellType::Float => values::<FloatType, _>(columns, cells.map(parsed)),
        CellType::Double => values::<DoubleType, _>(columns, cells.map(parsed)),
        CellType::Boolean => values::<BoolType, _>(columns, cells.map(parsed)),
    }
}

fn text(cell: &str) -> ByteArray {
    unguard(cell).into()
}

fn parsed<T: std::str::FromStr>(cell: &str) -> Result<Option<T>> {
    if cell.is_empty() {
        return Ok(None);
    }
    let message = || ParquetError::General(format!("`{cell}` is not of the type of its column"));
    cell.parse().map(Some).map_err(|_| message())
}

fn values<T: DataType, W: Write + Send>(
    columns: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = Result<Option<T::T>>>,
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        let cell = cell?;
        levels.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    let missing = || ParquetError::General("the schema has fewer columns".to_owned());
    let mut column = columns.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

/// Every column may lack a value, as every cell may be empty.
fn schema(header: &csv::StringRecord, types: &[CellType]) -> Result<TypePtr> {
    let field = |(name, of): (&str, &CellType)| {
        let (physical, logical) = match of {
            CellType::Text | CellType::OptionalText => {
                (PhysicalType::BYTE_ARRAY, Some(LogicalType::String))
            }
            CellType::Integer => (PhysicalType::INT64, Some(LogicalType::integer(64, false))),
            CellType::Float => (PhysicalType::FLOAT, None),
            CellType::Double => (PhysicalType::DOUBLE, None),
            CellType::Boolean => (PhysicalType::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(unguard(name), physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        field.build().map(Arc::new)
    };
    let fields = header.iter().zip(types).map(field).collect::<Result<Vec<_>>>()?;
    Type::group_type_builder("events").with_fields(fields).build().map(Arc::new)
}

/// The rows of a file as cells of CSV, the inverse of [`write()`].
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(path: &Path) -> io::Result<impl Iterator<Item = io::Result<csv::StringRecord>>> {
    let reader = SerializedFileReader::new(File::open(path)?).map_err(io::Error::other)?;
    let rows = RowIter::from_file_into(Box::new(reader));
    Ok(rows.map(|row| {
        let row = row.map_err(io::Error::other)?;
        Ok(row.get_column_iter().map(|(_, field)| cell(field)).collect())
    }))
}

fn cell(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => guard(text),
        Field::ULong(number) => number.to_string(),
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Bool(value) => value.to_string(),
        other => other.to_string(),
    }
}
