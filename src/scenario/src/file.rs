//! Files that a scenario names, read with care.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::dataset::logged::PlayedLog;
use diagnostic::{Diagnostic, Place, Report, Source, nearest, text_of};

/// Scenarios are written by hand.
pub(super) const LARGEST_SCENARIO: u64 = 1 << 20;
pub(super) const LARGEST_DATASET: u64 = 64 << 20;

/// A log is read whole: this much of it, also once it is decompressed.
const LARGEST_LOG: u64 = 256 << 20;

/// What a file of Parquet begins with.
const PARQUET: &[u8] = b"PAR1";

/// So many names of a folder are looked at for one that was meant.
const MOST_NAMES: usize = 10_000;

/// A Parquet file has at most so many rows, which may all be the same few bytes.
#[cfg(feature = "parquet")]
const MOST_ROWS: u64 = 20_000_000;

/// A file that a scenario is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it is, as the scenario says it: relative to the working folder, or absolute.
    pub path: PathBuf,
    /// What it holds; none, if it is no text.
    pub text: Option<String>,
}

/// A log that may be read.
pub(super) enum LogFile {
    /// Its text.
    Text(Arc<Source>),
    /// A Parquet file.
    Parquet {
        path: PathBuf,
        /// Its path as it is shown.
        shown: String,
    },
}

impl LogFile {
    /// Its path as it is shown.
    pub fn name(&self) -> &str {
        match self {
            Self::Text(source) => source.path(),
            Self::Parquet { shown, .. } => shown,
        }
    }

    /// The rows of a table, from their beginning.
    pub fn table(&self) -> io::Result<table_log::Input> {
        match self {
            Self::Text(source) => {
                let bytes = source.text().to_owned().into_bytes();
                Ok(table_log::Input::Text(Box::new(Cursor::new(bytes))))
            }
            Self::Parquet { path, .. } => open_parquet(path),
        }
    }
}

/// Where files may be, and those that were read.
#[derive(Default)]
pub(super) struct Files {
    /// The folder of the scenario, as the user gave it.
    folder: PathBuf,
    /// The folder above it, with all links resolved; `None` if files may be anywhere.
    within: Option<PathBuf>,
    inputs: RefCell<BTreeMap<PathBuf, Option<Arc<Source>>>>,
    /// What was read, by its path with all links resolved: each file is one source, so that a
    /// mistake in it is told once, whoever names it.
    sources: RefCell<BTreeMap<PathBuf, Arc<Source>>>,
    /// Logs that were made worlds, by what makes them.
    played: RefCell<Vec<(String, Arc<PlayedLog>)>>,
}

impl Files {
    /// Files that a scenario at `path` may name: those below the folder above its own.
    pub fn of(path: &Path, allow_paths: bool) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        let real = here.canonicalize().ok();
        let within = real.map(|real| real.parent().map_or(real.clone(), Path::to_owned));
        let within = within.filter(|_| !allow_paths);
        Self { folder, within, ..Self::default() }
    }

    /// The world of a log, if it was made before.
    pub fn played(&self, key: &str) -> Option<Arc<PlayedLog>> {
        let played = self.played.borrow();
        played.iter().find(|(known, _)| known == key).map(|(_, log)| log.clone())
    }

    /// Keeps the world of a log.
    pub fn keep_played(&self, key: String, log: Arc<PlayedLog>) {
        self.played.borrow_mut().push((key, log));
    }

    /// The folder of the scenario.
    pub fn folder(&self) -> &Path {
        if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder }
    }

    /// The files that were read, each once, in the order of their paths.
    pub fn into_inputs(self) -> Vec<Input> {
        let inputs = self.inputs.into_inner().into_iter();
        let text = |source: Arc<Source>| source.text().to_owned();
        inputs.map(|(path, source)| Input { path, text: source.map(text) }).collect()
    }

    /// Notes that a file was read.
    pub fn note(&self, path: &Path, source: &Arc<Source>) {
        self.inputs.borrow_mut().insert(simplified(path), Some(Arc::clone(source)));
    }

    /// Reads the file that the scenario calls `name` at `place`.
    pub fn read(&self, name: &str, place: &Place, report: &mut Report) -> Option<Arc<Source>> {
        self.read_by(name, place, report, |path, shown| {
            self.source(path, shown, |path, shown| read(path, shown, LARGEST_DATASET))
        })
    }

    /// Reads a table, which may be compressed by gzip or Zstandard.
    pub fn read_table(
        &self,
        name: &str,
        place: &Place,
        report: &mut Report,
    ) -> Option<Arc<Source>> {
        self.read_by(name, place, report, |path, shown| {
            self.source(path, shown, |path, shown| read_compressed(path, shown, LARGEST_DATASET))
        })
    }

    /// Reads a log, which may be compressed by gzip or Zstandard, or be a Parquet file.
    pub fn read_log(&self, name: &str, place: &Place, report: &mut Report) -> Option<LogFile> {
        self.read_by(name, place, report, |path, shown| {
            if !is_parquet(path) {
                let read = |path: &Path, shown: &str| read_compressed(path, shown, LARGEST_LOG);
                return self.source(path, shown, read).map(LogFile::Text);
            }
            check_parquet(path, shown)?;
            self.inputs.borrow_mut().insert(simplified(path), None);
            Ok(LogFile::Parquet { path: path.to_owned(), shown: shown.to_owned() })
        })
    }

    fn read_by<T>(
        &self,
        name: &str,
        place: &Place,
        report: &mut Report,
        read: impl FnOnce(&Path, &str) -> Result<T, Diagnostic>,
    ) -> Option<T> {
        let path = self.folder.join(name);
        let shown = simplified(&path).display().to_string();
        let allowed = self.check(&path).map_err(|(message, help)| {
            Diagnostic::error(format!("`{shown}` {message}")).maybe_help(help)
        });
        match allowed.and_then(|()| read(&path, &shown)) {
            Ok(found) => Some(found),
            Err(diagnostic) => {
                let in_file = diagnostic.place().is_some();
                let near = || nearest_file(&path, |near| with_file_name(name, near));
                report.push(match (in_file, path.exists()) {
                    (true, _) => diagnostic,
                    (false, true) => diagnostic.at(place),
                    (false, false) => diagnostic.at(place).maybe_help(near()),
                });
                None
            }
        }
    }

    /// Reads the file, unless that was done before, and notes it.
    fn source(
        &self,
        path: &Path,
        shown: &str,
        load: impl FnOnce(&Path, &str) -> Result<Arc<Source>, Diagnostic>,
    ) -> Result<Arc<Source>, Diagnostic> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let known = self.sources.borrow().get(&real).cloned();
        let source = known.map_or_else(|| load(path, shown), Ok)?;
        self.sources.borrow_mut().insert(real, Arc::clone(&source));
        self.note(path, &source);
        Ok(source)
    }

    /// Whether the file may be read, wherever its links lead.
    fn check(&self, path: &Path) -> Result<(), (String, Option<String>)> {
        let (Some(within), Ok(real)) = (&self.within, path.canonicalize()) else {
            return Ok(());
        };
        if real.starts_with(within) {
            return Ok(());
        }
        let help =
            "keep data sets below the folder above the scenario's, or allow it: `--allow-paths`";
        Err(("lies outside the project of the scenario".to_owned(), Some(help.to_owned())))
    }
}

/// Reads a file that the user named on the command line.
pub(super) fn read_named(path: &Path, largest: u64) -> Result<Arc<Source>, Diagnostic> {
    named(path, |shown| read(path, shown, largest))
}

/// The same of a table, which may be compressed by gzip or Zstandard.
pub(super) fn read_named_table(path: &Path) -> Result<Arc<Source>, Diagnostic> {
    named(path, |shown| read_compressed(path, shown, LARGEST_DATASET))
}

fn named(
    path: &Path,
    read: impl FnOnce(&str) -> Result<Arc<Source>, Diagnostic>,
) -> Result<Arc<Source>, Diagnostic> {
    let shown = path.display().to_string();
    read(&shown).map_err(|mistake| {
        let near = || nearest_file(path, |near| with_file_name(&shown, near));
        let is_missing = mistake.place().is_none() && !path.exists();
        mistake.maybe_help(if is_missing { near() } else { None })
    })
}

/// What may have been meant by a file that does not exist: the nearest name in its folder, or
/// the folder that does not exist either. `written` gives the path as the user writes it.
fn nearest_file(path: &Path, written: impl Fn(&str) -> String) -> Option<String> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Some(no_folder(folder));
    }
    let near = nearest_in(folder, path.file_name()?.to_str()?)?;
    Some(format!("did you mean `{}`?", written(&near)))
}

/// Which folder of a path does not exist, and which may have been meant.
fn no_folder(folder: &Path) -> String {
    let is_missing = |of: &&Path| !of.as_os_str().is_empty() && !of.is_dir();
    let missing = folder.ancestors().take_while(is_missing).last().unwrap_or(folder);
    let near = missing.file_name().and_then(|name| nearest_in(folder_of(missing), name.to_str()?));
    let near = near.map(|near| simplified(&missing.with_file_name(near)));
    let near = near.filter(|near| near.is_dir());
    let meant = near.map(|near| format!(": did you mean `{}`?", near.display()));
    format!("there is no folder `{}`{}", simplified(missing).display(), meant.unwrap_or_default())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name in a folder that is most like another, if one is.
fn nearest_in(folder: &Path, name: &str) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.take(MOST_NAMES).collect();
    names.sort();
    let near = nearest(name, names.iter().map(String::as_str));
    let near = near.or_else(|| names.iter().map(String::as_str).find(|of| is_stem(name, of)));
    near.map(str::to_owned)
}

/// What to say of a file that does not exist and that the user named on the command line: what may
/// have been meant, or where it was looked for.
#[must_use]
pub fn where_it_may_be(path: &Path) -> String {
    let shown = path.display().to_string();
    nearest_file(path, |near| with_file_name(&shown, near)).unwrap_or_else(|| {
        let folder = folder_of(path);
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        format!("nothing in the folder `{}` has a name like it", folder.display())
    })
}

/// Whether a name is another without its ending.
fn is_stem(name: &str, other: &str) -> bool {
    other.strip_prefix(name).is_some_and(|ending| ending.starts_with('.'))
}

/// A path as it is written, with another name at its end.
fn with_file_name(path: &str, name: &str) -> String {
    match path.rfind('/') {
        Some(slash) => format!("{}{name}", &path[..=slash]),
        None => name.to_owned(),
    }
}

/// Reads a regular file of limited size as UTF-8. The size is looked at before a byte
/// is read. A mistake has a place only if it is in the file.
pub(super) fn read(path: &Path, shown: &str, largest: u64) -> Result<Arc<Source>, Diagnostic> {
    decode(&read_bytes(path, shown, largest)?, shown)
}

/// The same of a file that may be compressed, of limited size before and after.
fn read_compressed(path: &Path, shown: &str, largest: u64) -> Result<Arc<Source>, Diagnostic> {
    let bytes = read_bytes(path, shown, largest)?;
    let mut text = Vec::new();
    let content =
        table_log::decompressed(Cursor::new(bytes)).map(|content| content.take(largest + 1));
    content.and_then(|mut content| content.read_to_end(&mut text)).map_err(|error| {
        Diagnostic::error(format!("`{shown}` cannot be decompressed: {error}"))
            .help("compress it anew by gzip or zstd, or give it as text")
    })?;
    if text.len() as u64 > largest {
        return Err(too_large(shown, largest));
    }
    decode(&text, shown)
}

fn is_parquet(path: &Path) -> bool {
    let mut beginning = [0; PARQUET.len()];
    // What cannot be read is told where the file is read.
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut beginning));
    read.is_ok() && beginning == PARQUET
}

#[cfg(feature = "parquet")]
fn open_parquet(path: &Path) -> io::Result<table_log::Input> {
    File::open(path).and_then(table_log::ParquetFile::open).map(table_log::Input::Parquet)
}

#[cfg(not(feature = "parquet"))]
fn open_parquet(_: &Path) -> io::Result<table_log::Input> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Refuses a Parquet file that cannot be read or is too large.
#[cfg(feature = "parquet")]
fn check_parquet(path: &Path, shown: &str) -> Result<(), Diagnostic> {
    let file = File::open(path)
        .and_then(table_log::ParquetFile::open)
        .map_err(|error| Diagnostic::error(format!("`{shown}` cannot be played: {error}")))?;
    if file.bytes() > LARGEST_LOG {
        return Err(too_large(shown, LARGEST_LOG));
    }
    if file.rows() > MOST_ROWS {
        let message = format!("`{shown}` is too large: at most {MOST_ROWS} rows are read");
        return Err(Diagnostic::error(message));
    }
    Ok(())
}

#[cfg(not(feature = "parquet"))]
fn check_parquet(_: &Path, shown: &str) -> Result<(), Diagnostic> {
    let message = format!("`{shown}` is a Parquet file, which this build does not read");
    let help = "build it with `--features parquet`, or take the archive or the wheel";
    Err(Diagnostic::error(message).help(help))
}

fn too_large(shown: &str, largest: u64) -> Diagnostic {
    let limit = largest >> 20;
    Diagnostic::error(format!("`{shown}` is too large: at most {limit} MiB are read"))
}

fn read_bytes(path: &Path, shown: &str, largest: u64) -> Result<Vec<u8>, Diagnostic> {
    let refuse =
        |error: std::io::Error| Diagnostic::error(format!("`{shown}` {}", in_words(&error)));
    let metadata = std::fs::metadata(path).map_err(refuse)?;
    if !metadata.is_file() {
        return Err(Diagnostic::error(format!("`{shown}` is not a regular file")));
    }
    if metadata.len() > largest {
        return Err(too_large(shown, largest));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(refuse)?;
    file.take(largest + 1).read_to_end(&mut bytes).map_err(refuse)?;
    if bytes.len() as u64 > largest {
        return Err(too_large(shown, largest));
    }
    Ok(bytes)
}

fn decode(bytes: &[u8], shown: &str) -> Result<Arc<Source>, Diagnostic> {
    text_of(bytes).map(|text| Source::new(shown, text)).map_err(|error| {
        let text = Source::new(shown, String::from_utf8_lossy(bytes));
        let place = error.at..error.at + 1;
        Diagnostic::error(error.to_string()).within(&text, place).help(error.help())
    })
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "must not be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// `scenarios/../data/users.json` as `data/users.json`.
fn simplified(path: &Path) -> PathBuf {
    let mut simple = PathBuf::new();
    for component in path.components() {
        let last = simple.components().next_back();
        match (component, last) {
            (Component::ParentDir, Some(Component::Normal(_))) => _ = simple.pop(),
            (Component::CurDir, _) => {}
            _ => simple.push(component),
        }
    }
    simple
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_short() {
        for (path, shown) in [
            ("scenarios/../data/users.json", "data/users.json"),
            ("../a/./b.json", "../a/b.json"),
            ("../../x", "../../x"),
            ("/a/../b", "/b"),
        ] {
            assert_eq!(simplified(Path::new(path)), Path::new(shown));
        }
    }
}
