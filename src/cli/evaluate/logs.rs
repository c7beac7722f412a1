use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diagnostic::{Diagnostic, Format, Report};
use evaluation::run::{LogPlace, LogSummary};
use scenario::where_it_may_be;
use table_log::Input;
#[cfg(feature = "parquet")]
use table_log::ParquetFile;

/// Logs to be read one after the other, gzip, zstd or plain.
pub struct Logs {
    paths: Vec<PathBuf>,
    /// Their size in bytes; zero for stdin.
    pub bytes: u64,
    read: Arc<AtomicU64>,
}

/// How much is read at a time.
const BUFFER: usize = 1 << 18;

/// What a file of Parquet begins with.
const PARQUET: &[u8; 4] = b"PAR1";

impl Logs {
    /// The logs at `paths`; those that are not there are reported.
    pub fn find(paths: &[PathBuf], report: &mut Report) -> Self {
        let mut bytes = 0;
        for path in paths.iter().filter(|path| path.as_os_str() != "-") {
            match readable(path) {
                Ok(size) => bytes += size,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let message = format!("log `{}` does not exist", path.display());
                    report.push(Diagnostic::error(message).help(where_it_may_be(path)));
                }
                Err(error) => {
                    let message = format!("log `{}` cannot be read: {error}", path.display());
                    let help =
                        "expected a file of DSJSON lines, plain, gzip or zstd, or `-` for stdin";
                    report.push(Diagnostic::error(message).help(help));
                }
            }
        }
        Self { paths: paths.to_vec(), bytes, read: Arc::default() }
    }

    /// How many bytes were read so far.
    pub fn read(&self) -> Arc<AtomicU64> {
        self.read.clone()
    }

    /// Opens each log in turn, and hands it over with its name.
    pub fn each(
        &self,
        with: impl FnMut(&str, Box<dyn BufRead + Send>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.each_by(Self::open, with)
    }

    /// The folder of the first log.
    pub fn folder(&self) -> Option<&Path> {
        self.paths.first()?.parent()
    }

    /// Whether one is stdin.
    pub fn has_stdin(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == "-")
    }

    /// Opens a table: a log, or a file beside them.
    pub fn table(&self, path: &Path) -> io::Result<Input> {
        let mut text = self.open(path)?;
        if text.fill_buf()?.starts_with(PARQUET) {
            return parquet(path);
        }
        Ok(Input::Text(text))
    }

    /// The same of each log in turn, with its name.
    pub fn each_table(&self, with: impl FnMut(&str, Input) -> io::Result<()>) -> io::Result<()> {
        self.each_by(Self::table, with)
    }

    fn each_by<T>(
        &self,
        open: impl Fn(&Self, &Path) -> io::Result<T>,
        mut with: impl FnMut(&str, T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.read.store(0, Ordering::Relaxed);
        for path in &self.paths {
            let name = path.display().to_string();
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
            let input = open(self, path).map_err(named)?;
            with(&name, input).map_err(named)?;
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
        let source: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        let counted = Counted { source, bytes: self.read.clone() };
        table_log::decompressed(BufReader::with_capacity(BUFFER, counted))
    }
}

/// What a log that has no events seems to be instead of DSJSON lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Empty,
    Format(Format),
    Array,
    /// An object that goes on beyond its first line.
    Document,
    /// Not JSON.
    Text,
    Parquet,
    /// A table whose columns are known.
    Table,
    Other,
}

impl Shape {
    fn help(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Empty => "expected lines of DSJSON, one object a line",
            Self::Format(Format { name, remedy }) => {
                return format!("it is {name}; {remedy}").into();
            }
            Self::Array => "it is a JSON array; write one object a line: `jq -c '.[]'`",
            Self::Document => "it is JSON over several lines; write one object a line: `jq -c .`",
            Self::Text => {
                "expected lines of DSJSON; of a table, say what its columns are: `--columns \
                 action=COLUMN,reward=COLUMN,probability=COLUMN`"
            }
            Self::Parquet => {
                "it is a Parquet file; say what its columns are: `--columns \
                 action=COLUMN,reward=COLUMN,probability=COLUMN`"
            }
            Self::Table => "expected rows with an action, a reward and a probability",
            Self::Other => {
                "expected lines of DSJSON, one object a line, with `c`, `a` and `_label_…`"
            }
        })
    }
}

/// Opens a Parquet file, whose first bytes were read to recognize it.
fn parquet(path: &Path) -> io::Result<Input> {
    if path.as_os_str() == "-" {
        let message = "a Parquet file cannot be read from stdin; name the file";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    #[cfg(feature = "parquet")]
    return File::open(path).and_then(ParquetFile::open).map(Input::Parquet);
    #[cfg(not(feature = "parquet"))]
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "it is a Parquet file, which this build does not read: build it with `--features parquet`, \
         or take the archive or the wheel",
    ))
}

/// What the beginning of a log looks like.
pub fn shape(input: &mut dyn BufRead) -> io::Result<Shape> {
    let beginning = input.fill_buf()?;
    if beginning.starts_with(PARQUET) {
        return Ok(Shape::Parquet);
    }
    if let Some(format) = Format::of(beginning) {
        return Ok(Shape::Format(format));
    }
    if beginning.iter().take(4).any(|byte| *byte == 0) {
        return Ok(Shape::Format(Format::UTF_16));
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    Ok(match line.first() {
        None => Shape::Empty,
        Some(b'[') => Shape::Array,
        Some(b'{') if line.last() != Some(&b'}') => Shape::Document,
        Some(b'{') => Shape::Other,
        Some(_) => Shape::Text,
    })
}

/// Reports a log of which no line is an event, but for those that were never activated.
pub fn check(
    log: &str,
    shape: Shape,
    before: &LogSummary,
    after: &LogSummary,
    report: &mut Report,
) {
    let events = |summary: &LogSummary| summary.labelled + summary.unlabelled;
    let lines = after.lines - before.lines;
    let dropped = |summary: &LogSummary| {
        let unexpected = summary.dropped.iter().filter(|(reason, _)| !reason.is_expected());
        unexpected.map(|(_, lines)| lines.count).sum::<u64>()
    };
    if lines == 0 || events(after) > events(before) || dropped(after) - dropped(before) < lines {
        return;
    }
    let first = after.dropped.iter().filter(|(_, lines)| lines.first.log == log);
    let mut reasons: Vec<_> = first.collect();
    reasons.sort_by_key(|(_, lines)| lines.first.line);
    let remedy = reasons.iter().find_map(|(reason, lines)| lines.remedy(**reason));
    let reasons = reasons.iter().take(REASONS).map(|(reason, lines)| {
        let LogPlace { line, column, .. } = lines.first;
        format!("{line}:{column} {}{}", reason.words(), super::found(lines))
    });
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    let message = format!("log `{log}` has {lines} lines and no event: {reasons}");
    let help = remedy.map_or_else(|| shape.help(), Cow::Borrowed);
    report.push(Diagnostic::error(message).help(help));
}

/// So many reasons are reported of a log.
const REASONS: usize = 3;

/// Reports logs that leave nothing to judge.
pub fn check_labelled(summary: &LogSummary, is_table: bool, report: &mut Report) {
    if report.has_errors() {
        return;
    }
    let (empty, other) = if is_table {
        (Shape::Table.help(), Shape::Table.help())
    } else {
        (Shape::Empty.help(), Shape::Other.help())
    };
    let (message, help) = match summary.unlabelled {
        0 if summary.lines == 0 => ("the log is empty".to_owned(), empty),
        0 => {
            let why = super::dropped(summary).join("; ");
            (format!("the log has no event to judge: {why}"), other)
        }
        unlabelled if is_table => {
            let help = "is it the right column?".into();
            (format!("none of the {unlabelled} rows has a reward"), help)
        }
        unlabelled => {
            let help =
                "an event is judged by `_label_cost`, `_label_probability` and `_labelIndex`";
            (format!("none of the {unlabelled} events of the log has a label"), help.into())
        }
    };
    report.push(Diagnostic::error(message).help(help));
}

fn readable(path: &Path) -> io::Result<u64> {
    let metadata = File::open(path)?.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    Ok(metadata.len())
}

/// A reader that counts what went through it.
struct Counted {
    source: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
