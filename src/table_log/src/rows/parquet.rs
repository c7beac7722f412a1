use std::fmt;
use std::io;

use foldhash::HashMap;
use parquet::basic::{Compression, ConvertedType, LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use protocol::{FeatureObject, FeatureValue};
use serde_json::Number;
use timestamp::Timestamp;

use super::{Cell, Unreadable};

/// A Parquet file whose columns are known.
pub struct ParquetFile(Box<dyn FileReader>);

impl ParquetFile {
    /// Reads what the file says of its columns.
    ///
    /// # Errors
    /// If it is no Parquet file, or compressed in a way that cannot be read.
    pub fn open(file: impl ChunkReader + 'static) -> io::Result<Self> {
        let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&error))?;
        check_compression(&reader)?;
        Ok(Self(Box::new(reader)))
    }

    /// How many rows it has, as it says.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.sum(RowGroupMetaData::num_rows)
    }

    /// How many bytes its columns have when they are decompressed, as it says.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sum(RowGroupMetaData::total_byte_size)
    }

    fn sum(&self, of: impl Fn(&RowGroupMetaData) -> i64) -> u64 {
        let groups = self.0.metadata().row_groups().iter();
        groups
            .map(|group| u64::try_from(of(group)).unwrap_or(u64::MAX))
            .fold(0, u64::saturating_add)
    }
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetFile").finish_non_exhaustive()
    }
}

/// The rows of a Parquet file, a page of each column in memory. The names of structs are joined
/// by dots, as of JSON; lists and maps are values.
pub(crate) struct ParquetRows {
    rows: RowIter<'static>,
    header: Vec<String>,
    columns: HashMap<String, Column>,
    values: Vec<FeatureValue>,
    unreadable: Option<Unreadable>,
    row: u64,
}

/// A column that is no struct.
#[derive(Debug, Clone, Copy)]
struct Column {
    index: usize,
    /// Whether it counts nanoseconds since 1970.
    is_nanoseconds: bool,
}

/// A value of bytes that are no text.
struct NoText;

impl ParquetRows {
    pub fn new(ParquetFile(reader): ParquetFile) -> Self {
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let (mut header, mut columns) = (Vec::new(), HashMap::default());
        for field in schema.root_schema().get_fields() {
            add(field, &mut String::new(), &mut header, &mut columns);
        }
        Self {
            rows: RowIter::from_file_into(reader),
            header,
            columns,
            values: Vec::new(),
            unreadable: None,
            row: 0,
        }
    }

    pub fn header(&self) -> &[String] {
        &self.header
    }

    pub fn advance(&mut self) -> io::Result<bool> {
        let Some(row) = self.rows.next() else { return Ok(false) };
        self.row += 1;
        self.values.clear();
        self.values.resize(self.header.len(), FeatureValue::Null);
        let taken = self.take(&row.map_err(|error| unreadable(&error))?, &mut String::new());
        self.unreadable = taken.err().map(|NoText| Unreadable::Row);
        Ok(true)
    }

    fn take(&mut self, row: &Row, path: &mut String) -> Result<(), NoText> {
        for (name, field) in row.get_column_iter() {
            let length = path.len();
            path.push_str(name);
            if let Some(column) = self.columns.get(path.as_str()) {
                self.values[column.index] = match field {
                    Field::Long(nanoseconds) if column.is_nanoseconds => {
                        text_of(nanoseconds.div_euclid(1000))
                    }
                    field => value(field)?,
                };
            } else if let Field::Group(inner) = field {
                path.push('.');
                self.take(inner, path)?;
            }
            path.truncate(length);
        }
        Ok(())
    }

    pub fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable
    }

    /// The number of the row, from one.
    pub fn row(&self) -> u64 {
        self.row
    }

    pub fn cell(&self, column: usize) -> Cell<'_> {
        self.values.get(column).map_or(Cell::Missing, Cell::of)
    }
}

/// Adds the columns of a field.
fn add(
    field: &Type,
    path: &mut String,
    header: &mut Vec<String>,
    columns: &mut HashMap<String, Column>,
) {
    let length = path.len();
    path.push_str(field.name());
    let info = field.get_basic_info();
    let is_struct = field.is_group()
        && matches!(info.converted_type(), ConvertedType::NONE)
        && info.logical_type_ref().is_none();
    if is_struct {
        path.push('.');
        field.get_fields().iter().for_each(|inner| add(inner, path, header, columns));
    } else {
        let is_nanoseconds = matches!(
            info.logical_type_ref(),
            Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS
        );
        columns.insert(path.clone(), Column { index: header.len(), is_nanoseconds });
        header.push(path.clone());
    }
    path.truncate(length);
}

/// A value as of JSON: times are texts in UTC, numbers that JSON does not have are texts.
fn value(field: &Field) -> Result<FeatureValue, NoText> {
    let number = |number: f64| {
        Number::from_f64(number)
            .map_or(FeatureValue::Text(number.to_string()), FeatureValue::Number)
    };
    let whole = |number: Number| FeatureValue::Number(number);
    Ok(match field {
        Field::Null => FeatureValue::Null,
        Field::Bool(value) => FeatureValue::Bool(*value),
        Field::Byte(value) => whole((*value).into()),
        Field::Short(value) => whole((*value).into()),
        Field::Int(value) => whole((*value).into()),
        Field::Long(value) => whole((*value).into()),
        Field::UByte(value) => whole((*value).into()),
        Field::UShort(value) => whole((*value).into()),
        Field::UInt(value) => whole((*value).into()),
        Field::ULong(value) => whole((*value).into()),
        Field::Float16(value) => number(value.to_f64()),
        Field::Float(value) => number(f64::from(*value)),
        Field::Double(value) => number(*value),
        Field::Decimal(_) => match field.to_string().parse() {
            Ok(value) => number(value),
            Err(_) => FeatureValue::Text(field.to_string()),
        },
        Field::Str(text) => FeatureValue::Text(text.clone()),
        Field::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes.data()).map_err(|_| NoText)?;
            FeatureValue::Text(text.to_owned())
        }
        Field::Date(days) => text_of(i64::from(*days) * 86_400_000_000),
        Field::TimeMillis(time) => number(f64::from(*time) / 1e3),
        #[expect(clippy::cast_precision_loss, reason = "a day has fewer microseconds")]
        Field::TimeMicros(time) => number(*time as f64 / 1e6),
        Field::TimestampMillis(time) => text_of(time.saturating_mul(1000)),
        Field::TimestampMicros(time) => text_of(*time),
        Field::Group(row) => {
            let entries = row.get_column_iter();
            let entries = entries.map(|(name, field)| Ok((name.clone(), value(field)?)));
            FeatureValue::Object(FeatureObject(entries.collect::<Result<_, _>>()?))
        }
        Field::ListInternal(list) => {
            FeatureValue::List(list.elements().iter().map(value).collect::<Result<_, _>>()?)
        }
        Field::MapInternal(map) => {
            let entries = map.entries().iter().map(|(key, field)| {
                let key = match key {
                    Field::Str(key) => key.clone(),
                    other => other.to_string(),
                };
                Ok((key, value(field)?))
            });
            FeatureValue::Object(FeatureObject(entries.collect::<Result<_, _>>()?))
        }
    })
}

fn text_of(unix_microseconds: i64) -> FeatureValue {
    FeatureValue::Text(Timestamp::from_unix_micros(unix_microseconds).to_string())
}

/// Refuses what cannot be decompressed, before the first row.
fn check_compression(reader: &dyn FileReader) -> io::Result<()> {
    let groups = reader.metadata().row_groups();
    for chunk in groups.iter().flat_map(RowGroupMetaData::columns) {
        let found = match chunk.compression() {
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => continue,
            Compression::ZSTD(_) => "ZSTD".to_owned(),
            other => other.to_string(),
        };
        let message = format!(
            "the column `{}` is compressed with {found}, expected UNCOMPRESSED, SNAPPY or GZIP: \
             write it again, `df.to_parquet(FILE, compression=\"snappy\")`",
            chunk.column_descr().path().string()
        );
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    Ok(())
}

fn unreadable(error: &ParquetError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it cannot be read as Parquet: {error}"))
}
