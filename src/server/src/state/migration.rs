//! States of earlier formats: 1 has all entries since the beginning, in a database; 2 differs in
//! the order of the parts of a snapshot.

use std::io::Read;
use std::path::Path;

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Deserialize;

use super::folder::StateError;
use super::reader;
use learning_loop::{LearningLoop, LoopOptions};
use protocol::ServiceConfiguration;
use timestamp::Timestamp;

/// The file of a state of format 1.
pub(super) const FILE: &str = "loop.redb";
/// Its name once it is migrated.
pub(super) const BACKUP: &str = "loop.redb.backup";

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
const INITIAL_SETTINGS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("beginning");
const FORMAT: u64 = 1;

/// The format of snapshots that begin with the length of the JSON and the JSON itself, before the
/// models.
pub(super) const JSON_FIRST: u16 = 2;

/// The initial settings of a loop.
#[derive(Deserialize)]
struct InitialSettings {
    at: Timestamp,
    app_id: String,
    configuration: ServiceConfiguration,
    policy: String,
}

/// The loop of an old state.
pub(super) fn read(path: &Path, options: &LoopOptions) -> Result<LearningLoop, StateError> {
    let damaged = |why: String| StateError::Damaged(format!("`{FILE}`: {why}"));
    let unreadable = |error: redb::Error| damaged(error.to_string());
    if std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        return Err(damaged("it is empty".to_owned()));
    }
    let database = Database::open(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StateError::InUse,
        error => unreadable(error.into()),
    })?;
    let transaction = database.begin_read().map_err(|error| unreadable(error.into()))?;
    let settings =
        transaction.open_table(INITIAL_SETTINGS).map_err(|error| unreadable(error.into()))?;
    let row = settings.get(FORMAT).map_err(|error| unreadable(error.into()))?;
    let row = row.ok_or_else(|| damaged("it has no initial settings of format 1".to_owned()))?;
    let settings: InitialSettings =
        serde_json::from_slice(row.value()).map_err(|error| damaged(error.to_string()))?;
    let policy = learner::LearningPolicy::parse(&settings.policy)
        .map_err(|_| damaged(format!("its learning policy is `{}`", settings.policy)))?;
    let options = LoopOptions {
        configuration: settings.configuration,
        policy: policy.into(),
        app_id: settings.app_id,
        ..options.clone()
    };
    let mut learning_loop = LearningLoop::new(options, settings.at);
    let entries = transaction.open_table(ENTRIES).map_err(|error| unreadable(error.into()))?;
    for row in entries.iter().map_err(|error| unreadable(error.into()))? {
        let (number, row) = row.map_err(|error| unreadable(error.into()))?;
        reader::replay(&mut learning_loop, number.value(), row.value());
    }
    Ok(learning_loop)
}

/// A snapshot of format 2 with its parts in the order of [`LearningLoop::restore`].
pub(super) fn json_last(mut snapshot: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    snapshot.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let short = || "the snapshot ends too early".to_owned();
    let (length, parts) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
    let (json, models) = parts.split_at_checked(length).ok_or_else(short)?;
    Ok([models, json].concat())
}
