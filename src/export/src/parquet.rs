use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::COLUMNS;
use crate::observations::Observation;
use results::ReadError;

/// So many rows are in memory at once: 8 MB.
const ROW_GROUP: usize = 1 << 16;

/// Writes the table as a Parquet file: texts as dictionaries, whole numbers as unsigned 64 bits,
/// values as doubles, without compression.
///
/// # Errors
/// When `file` cannot be written to, or a run cannot be read again.
pub fn write_parquet<'a>(
    file: impl Write + Send,
    observations: impl IntoIterator<Item = Result<Observation<'a>, ReadError>>,
) -> io::Result<()> {
    write(file, observations).map_err(|error| match error {
        // Its kind says whether a reader closed the pipe.
        ParquetError::External(source) => {
            source.downcast::<io::Error>().map_or_else(io::Error::other, |source| *source)
        }
        other => io::Error::other(other),
    })
}

fn write<'a>(
    file: impl Write + Send,
    observations: impl IntoIterator<Item = Result<Observation<'a>, ReadError>>,
) -> Result<()> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("runner ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk);
    let mut writer = SerializedFileWriter::new(file, schema()?, Arc::new(properties.build()))?;
    let mut observations = observations.into_iter();
    loop {
        let rows = Columns::take(&mut observations, ROW_GROUP)?;
        if rows.values.is_empty() {
            break;
        }
        let mut group = writer.next_row_group()?;
        rows.write(&mut group)?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

/// The columns of a row group.
#[derive(Default)]
struct Columns {
    policies: Vec<ByteArray>,
    seeds: Vec<i64>,
    phases: Vec<ByteArray>,
    scopes: Vec<ByteArray>,
    firsts: Vec<i64>,
    lasts: Vec<i64>,
    metrics: Vec<ByteArray>,
    values: Vec<f64>,
}

impl Columns {
    fn take<'a>(
        observations: &mut impl Iterator<Item = std::result::Result<Observation<'a>, ReadError>>,
        most: usize,
    ) -> Result<Self> {
        let mut columns = Self::default();
        for observation in observations.take(most) {
            let unreadable = |error| ParquetError::External(Box::new(io::Error::other(error)));
            let observation = observation.map_err(unreadable)?;
            columns.policies.push(observation.policy.into());
            columns.seeds.push(observation.seed.cast_signed());
            columns.phases.push(observation.phase.into());
            columns.scopes.push(observation.scope.name().into());
            columns.firsts.push(observation.iterations.start.cast_signed());
            columns.lasts.push(observation.last_iteration().cast_signed());
            columns.metrics.push(observation.metric.into());
            columns.values.push(observation.value);
        }
        Ok(columns)
    }

    /// In the order of [`COLUMNS`].
    fn write<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        texts(group, &self.policies)?;
        integers(group, &self.seeds)?;
        texts(group, &self.phases)?;
        texts(group, &self.scopes)?;
        integers(group, &self.firsts)?;
        integers(group, &self.lasts)?;
        texts(group, &self.metrics)?;
        column::<DoubleType, _>(group, &self.values)
    }
}

fn texts<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[ByteArray],
) -> Result<()> {
    column::<ByteArrayType, _>(group, values)
}

fn integers<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[i64],
) -> Result<()> {
    column::<Int64Type, _>(group, values)
}

fn column<T: parquet::data_type::DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> Result<()> {
    let missing = || ParquetError::General("the schema has fewer columns".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn schema() -> Result<TypePtr> {
    let field = |name: &&str| {
        let (physical, logical) = match *name {
            "seed" | "first_iteration" | "last_iteration" => {
                (PhysicalType::INT64, Some(LogicalType::integer(64, false)))
            }
            "value" => (PhysicalType::DOUBLE, None),
            _ => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical);
        field.build().map(Arc::new)
    };
    let fields = COLUMNS.iter().map(field).collect::<Result<Vec<_>>>()?;
    Type::group_type_builder("results").with_fields(fields).build().map(Arc::new)
}
