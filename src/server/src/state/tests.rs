//! The state survives a crash at every step that changes a file, and notices every damage.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Disk;
use crate::Service;
use crate::keys::Keys;
use learner::LearningPolicy;
use learning_loop::{LogEntry, LoopOptions, Ranker};
use protocol::{RankRequest, RewardRequest, WireDuration};
use timestamp::Timestamp;

fn options() -> LoopOptions {
    let policy = LearningPolicy::parse("--cb_explore_adf --epsilon 0.2 -b 10 -q ::").unwrap();
    let mut options = LoopOptions { policy: policy.into(), threads: 1, ..LoopOptions::default() };
    options.configuration.reward_wait_time = WireDuration(Duration::from_secs(10));
    options.configuration.model_export_frequency = WireDuration(Duration::from_secs(10));
    options
}

/// A service, and its time in microseconds.
fn open(path: &Path, disk: Disk, now: &Arc<AtomicI64>) -> Result<Service, super::StateError> {
    let now = Arc::clone(now);
    let time = Arc::new(move || Timestamp::from_unix_micros(now.load(Ordering::SeqCst)));
    let opened = Service::open_on(path, &options(), Keys::default().into(), time, false, disk);
    opened.map(|(service, _)| service)
}

fn request(id: &str) -> RankRequest {
    let json = format!(
        r#"{{"eventId":"{id}","contextFeatures":[{{"canary-{id}":1}}],"actions":[
            {{"id":"a","features":[{{"t":1}}]}},{{"id":"b","features":[{{"t":2}}]}}]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

async fn rank(service: &Service, id: &str) -> bool {
    let request = request(id);
    let decide = move |ranker: &mut Ranker, number, now| ranker.rank(&request, number, now);
    let (_, entry) = service.decide(0, decide).await.unwrap();
    service.log(vec![entry], 0).await.is_ok()
}

async fn reward(service: &Service, id: &str) -> bool {
    let entry = LogEntry::reward(id.into(), RewardRequest { value: 0.5 }).unwrap();
    service.log(vec![entry], 0).await.is_ok()
}

/// A change of the settings, which writes a snapshot.
async fn configure(service: &Service) -> bool {
    let change = |learning_loop: &mut learning_loop::LearningLoop, now| {
        let settings = learning_loop.configuration(now);
        learning_loop.set_configuration(settings, now)
    };
    service.call(change).await.is_ok()
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    ranked: Vec<String>,
    rewarded: Vec<String>,
    /// Whether every step succeeded.
    complete: bool,
}

/// Ranks and rewards events, closes windows and writes snapshots, until something fails.
async fn work(service: &Service, now: &AtomicI64) -> Acknowledged {
    let mut done = Acknowledged::default();
    for number in 0..9 {
        let id = format!("event-{number}");
        if !rank(service, &id).await {
            return done;
        }
        done.ranked.push(id.clone());
        if !reward(service, &id).await {
            return done;
        }
        done.rewarded.push(id);
        now.fetch_add(4_000_000, Ordering::SeqCst);
        if number % 3 == 2 {
            if !configure(service).await {
                return done;
            }
            // The next events have a segment of their own.
            now.fetch_add(3_600_000_000, Ordering::SeqCst);
        }
    }
    done.complete = true;
    done
}

#[test]
fn many_snapshots_make_few_segments() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    runtime.block_on(async {
        for number in 0..40 {
            assert!(rank(&service, &format!("event-{number}")).await);
            now.fetch_add(20_000_000, Ordering::SeqCst);
            assert!(configure(&service).await);
        }
    });
    assert_eq!(service.close(), Ok(()));
    drop(service);
    let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_segment = |path: &std::path::PathBuf| path.to_str().unwrap().ends_with(".dsjson.gz");
    assert_eq!(entries.filter(is_segment).count(), 1);
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert_eq!(runtime.block_on(lines(&service)).lines().count(), 40);
}

/// Events are not added to a segment for ever: each time, its events are written again.
#[test]
fn large_events_make_segments_of_bounded_size() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    let text = "x".repeat(3 << 20);
    runtime.block_on(async {
        for number in 0..12 {
            let mut request = request(&format!("event-{number}"));
            let text = protocol::FeatureValue::Text(text.clone());
            let context = protocol::FeatureObject(vec![("text".to_owned(), text)]);
            request.context_features = vec![context].into();
            let decide = move |ranker: &mut Ranker, number, now| ranker.rank(&request, number, now);
            let (_, entry) = service.decide(0, decide).await.map_err(|_| ()).unwrap();
            service.log(vec![entry], 3 << 20).await.map_err(|_| ()).unwrap();
            now.fetch_add(20_000_000, Ordering::SeqCst);
            assert!(configure(&service).await);
        }
    });
    assert_eq!(service.close(), Ok(()));
    drop(service);
    let mut segments = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with(".dsjson.gz") {
            let lines = unpacked(&std::fs::read(path).unwrap());
            assert!(lines.len() < 20 << 20, "{} bytes", lines.len());
            segments += 1;
        }
    }
    assert_eq!(segments, 3);
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert_eq!(runtime.block_on(lines(&service)).lines().count(), 12);
}

#[test]
fn a_full_disk_refuses_requests_and_service_resumes_when_there_is_room() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let full = Arc::new(AtomicBool::new(false));
    let service = open(folder.path(), Disk::filled_by(&full), &now).unwrap();
    let mut kept = Vec::new();
    runtime.block_on(async {
        for round in 0..3 {
            for number in 0..4 {
                let id = format!("event-{round}-{number}");
                assert!(rank(&service, &id).await && reward(&service, &id).await);
                kept.push(id);
            }
            full.store(true, Ordering::SeqCst);
            assert!(!rank(&service, "refused").await);
            assert_eq!(service.state().await.unwrap_err().status, 503);
            assert!(!configure(&service).await);
            full.store(false, Ordering::SeqCst);
            let id = format!("resumed-{round}");
            let resumed = async {
                while !rank(&service, &id).await {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), resumed).await.expect("it resumes");
            kept.push(id);
            assert!(configure(&service).await, "a snapshot can be written again");
            now.fetch_add(20_000_000, Ordering::SeqCst);
        }
    });
    assert_eq!(service.close(), Ok(()), "everything is on the disk");
    drop(service);
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    let lines = runtime.block_on(lines(&service));
    for id in kept {
        assert_eq!(lines.matches(&format!("\"EventId\":\"{id}\",\"a\"")).count(), 1, "`{id}`");
    }
}

#[test]
fn a_disk_that_is_full_at_the_end_is_reported() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let full = Arc::new(AtomicBool::new(false));
    let service = open(folder.path(), Disk::filled_by(&full), &now).unwrap();
    full.store(true, Ordering::SeqCst);
    assert!(!runtime.block_on(rank(&service, "refused")));
    assert!(service.close().is_err());
}

/// A database as version 0.1 wrote it.
fn write_old_state(folder: &Path, entries: &[LogEntry]) {
    let settings = serde_json::json!({
        "at": Timestamp::VIRTUAL_START, "app_id": "runner",
        "configuration": options().configuration, "policy": options().policy.arguments(),
    });
    let initial: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("beginning");
    let facts: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("facts");
    let database = redb::Database::create(folder.join("loop.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(initial).unwrap();
        table.insert(1, settings.to_string().as_bytes()).unwrap();
        let mut table = transaction.open_table(facts).unwrap();
        for (number, entry) in (0..).zip(entries) {
            table.insert(number, &*serde_json::to_vec(entry).unwrap()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

#[test]
fn a_state_of_version_0_1_is_migrated_and_kept_as_a_backup() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut learning_loop = learning_loop::LearningLoop::new(options(), Timestamp::VIRTUAL_START);
    learning_loop.start_recording();
    for number in 0..3 {
        let at = Timestamp::VIRTUAL_START + Duration::from_secs(number);
        let id = format!("event-{number}");
        learning_loop.rank(&request(&id), at).unwrap();
        learning_loop.reward(&id.as_str().into(), RewardRequest { value: 0.5 }, at).unwrap();
    }
    write_old_state(folder.path(), &learning_loop.take_entries());
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros() + 60_000_000));
    for _ in 0..2 {
        let service = open(folder.path(), Disk::default(), &now).unwrap();
        let lines = runtime.block_on(lines(&service));
        assert_eq!(lines.matches("{\"v\":0.5").count(), 3, "{lines}");
    }
    let backup = folder.path().join("loop.redb.backup");
    assert!(backup.exists() && !folder.path().join("loop.redb").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&backup), mode(folder.path())), (0o600, 0o700));
    }
}

/// The parts of a snapshot in the order of format 2.
fn write_format_2(path: &Path) {
    let file = std::fs::read(path).unwrap();
    let start = file.windows(2).position(|window| window == [0x1f, 0x8b]).unwrap();
    let snapshot = unpacked(&file);
    let mut models = 0;
    for _ in 0..2 {
        let length = snapshot[models..models + 8].try_into().unwrap();
        models += 8 + usize::try_from(u64::from_le_bytes(length)).unwrap();
    }
    let json = &snapshot[models..];
    let length = (json.len() as u64).to_le_bytes();
    let mut content = file[32..start].to_vec();
    content[8..10].copy_from_slice(&2_u16.to_le_bytes());
    let mut encoder = flate2::write::GzEncoder::new(content, flate2::Compression::fast());
    for part in [&length, json, &snapshot[..models]] {
        std::io::Write::write_all(&mut encoder, part).unwrap();
    }
    let content = encoder.finish().unwrap();
    std::fs::write(path, [&Sha256::digest(&content)[..], &content].concat()).unwrap();
}

#[test]
fn a_snapshot_of_format_2_is_read() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert!(runtime.block_on(work(&service, &now)).complete);
    assert!(runtime.block_on(rank(&service, "open")));
    let expected = runtime.block_on(lines(&service));
    drop(service);
    let paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_snapshot = |path: &std::path::PathBuf| path.to_str().unwrap().contains("snapshot-");
    paths.filter(is_snapshot).for_each(|path| write_format_2(&path));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert_eq!(runtime.block_on(lines(&service)), expected);
}

/// A crash may leave a file that is not complete; it must not keep deleted events for ever.
#[test]
fn incomplete_files_are_removed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    drop(open(folder.path(), Disk::default(), &now).unwrap());
    let left = ["events-00000007.dsjson.tmp", "snapshot-00000009.tmp"];
    let left = left.map(|name| folder.path().join(name));
    left.iter().for_each(|path| std::fs::write(path, "canary").unwrap());
    let _service = open(folder.path(), Disk::default(), &now).unwrap();
    assert!(left.iter().all(|path| !path.exists()));
}

/// The lines of all events.
async fn lines(service: &Service) -> String {
    let events = service.call(|learning_loop, now| Ok(learning_loop.events(true, now)));
    let events = events.await.map_err(|error| error.message).unwrap();
    String::from_utf8(events.lines(0..events.len())).unwrap()
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_acknowledged() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for steps in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
        let mut done = Acknowledged::default();
        if let Ok(service) = open(folder.path(), Disk::failing_after(steps), &now) {
            done = runtime.block_on(async {
                let work = work(&service, &now);
                tokio::time::timeout(Duration::from_secs(60), work).await.expect("it ends")
            });
        }
        let service = open(folder.path(), Disk::default(), &now)
            .unwrap_or_else(|error| panic!("after {steps} steps: {error}"));
        let lines = runtime.block_on(lines(&service));
        for id in &done.ranked {
            let count = lines.matches(&format!("\"EventId\":\"{id}\",\"a\"")).count();
            assert_eq!(count, 1, "`{id}` after {steps} steps\n{lines}");
        }
        for id in &done.rewarded {
            let reward = format!("{{\"v\":0.5,\"EventId\":\"{id}\"");
            assert_eq!(lines.matches(&reward).count(), 1, "reward of `{id}` after {steps} steps");
        }
        if done.complete {
            assert!(steps > 40, "there are more steps than {steps}");
            return;
        }
    }
}

#[test]
fn deleted_events_are_in_no_file() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    runtime.block_on(async {
        assert!(work(&service, &now).await.complete);
        let delete = |learning_loop: &mut learning_loop::LearningLoop, now| {
            learning_loop.delete_logs(now);
            Ok(())
        };
        service.call(delete).await.map_err(|error| error.message).unwrap();
    });
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(!name.starts_with("events-"), "{name}");
        let bytes = std::fs::read(&path).unwrap();
        let mut texts = vec![bytes.clone()];
        if name.starts_with("snapshot-") {
            texts.push(unpacked(&bytes));
        }
        for text in texts {
            let found = text.windows(7).any(|window| window == b"canary-" || window == b"event-1");
            assert!(!found, "{name}");
        }
        files += 1;
    }
    assert!(files >= 3);
}

/// The loop in a snapshot.
fn unpacked(file: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let start = file.windows(2).position(|window| window == [0x1f, 0x8b]).unwrap();
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(&file[start..]).read_to_end(&mut content).unwrap();
    content
}

#[test]
fn every_changed_byte_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert!(runtime.block_on(work(&service, &now)).complete);
    drop(service);
    let names = |prefix: &str| {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: &std::path::PathBuf| {
            path.file_name().unwrap().to_str().unwrap().starts_with(prefix)
        };
        entries.filter(named).collect::<Vec<_>>()
    };
    let files = [names("snapshot-"), names("events-")].concat();
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 20) {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            std::fs::write(&path, &changed).unwrap();
            let error = open(folder.path(), Disk::default(), &now).err().expect("it is refused");
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(error.to_string().contains(name), "{error}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert_eq!(runtime.block_on(lines(&service)).lines().count(), 9);
}

#[test]
fn a_repair_loses_the_damaged_file_and_nothing_else() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert!(runtime.block_on(work(&service, &now)).complete);
    drop(service);
    let segment = |path: &std::path::PathBuf| path.to_str().unwrap().ends_with(".dsjson.gz");
    let paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = paths.filter(segment).collect();
    segments.sort();
    std::fs::write(&segments[0], "damaged").unwrap();
    let time = {
        let now = Arc::clone(&now);
        Arc::new(move || Timestamp::from_unix_micros(now.load(Ordering::SeqCst)))
    };
    let access = || Keys::default().into();
    let (service, is_old) =
        Service::open_on(folder.path(), &options(), access(), time, true, Disk::default()).unwrap();
    assert!(is_old);
    let left = runtime.block_on(lines(&service)).lines().count();
    assert!((1..9).contains(&left), "{left}");
    drop(service);
    assert!(folder.path().join("damaged").join(segments[0].file_name().unwrap()).exists());
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert_eq!(runtime.block_on(lines(&service)).lines().count(), left);
}

#[cfg(unix)]
#[test]
fn a_state_is_a_folder_or_a_link_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    std::fs::write(path("file"), "a file").unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    for (link, target) in [("good", "folder"), ("to-a-file", "file"), ("to-nothing", "nothing")] {
        std::os::unix::fs::symlink(path(target), path(link)).unwrap();
    }
    for name in ["file", "to-a-file", "to-nothing"] {
        let error = open(&path(name), Disk::default(), &now).err().expect("it is refused");
        assert!(error.to_string().contains("it is neither a folder nor a link to one"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(path("file")).unwrap(), "a file");
    drop(open(&path("good"), Disk::default(), &now).unwrap());
    assert!(path("folder").join("lock").exists());
    drop(open(&path("new/deep"), Disk::default(), &now).unwrap());
}

/// The clock of a machine may be set back, or forward and back, while the service is stopped.
#[test]
fn windows_close_after_the_clock_was_set_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let seconds = |seconds: i64| Timestamp::VIRTUAL_START.unix_micros() + seconds * 1_000_000;
    let now = Arc::new(AtomicI64::new(seconds(100_000)));
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert!(runtime.block_on(rank(&service, "before")));
    drop(service);
    now.store(seconds(0), Ordering::SeqCst);
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert!(runtime.block_on(rank(&service, "after")));
    assert_eq!(runtime.block_on(service.state()).map_err(|_| ()).unwrap().waiting, 2);
    now.store(seconds(11), Ordering::SeqCst);
    assert_eq!(runtime.block_on(service.state()).map_err(|_| ()).unwrap().waiting, 0);
    drop(service);
    // Once the clock has caught up, it counts.
    now.store(seconds(200_000), Ordering::SeqCst);
    let service = open(folder.path(), Disk::default(), &now).unwrap();
    assert_eq!(service.now(), Timestamp::from_unix_micros(seconds(200_000)));
}

/// Open windows are bounded: a Rank is refused while they are full, and accepted when they have
/// closed. Nothing that was accepted is lost.
#[test]
fn events_are_refused_while_open_windows_take_too_much_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let now = Arc::new(AtomicI64::new(Timestamp::VIRTUAL_START.unix_micros()));
    let time = Arc::clone(&now);
    let time = Arc::new(move || Timestamp::from_unix_micros(time.load(Ordering::SeqCst)));
    let mut options = options();
    options.limits.event_bytes = 10_000;
    let service = Service::new(options, Keys::default(), time);
    let fill = async |prefix: &str| {
        for number in 0..1000 {
            let id = format!("{prefix}-{number}");
            let request = request(&id);
            let decide = move |ranker: &mut Ranker, number, now| ranker.rank(&request, number, now);
            match service.decide(0, decide).await {
                Ok((_, entry)) => service.log(vec![entry], 0).await.map_err(|_| ()).unwrap(),
                Err(refusal) => return (number, refusal),
            }
            // The counters are published once the worker has seen the event.
            service.state().await.map_err(|_| ()).unwrap();
        }
        panic!("it has a bound")
    };
    runtime.block_on(async {
        for round in ["first", "second"] {
            let (accepted, refusal) = fill(round).await;
            assert!(accepted > 1 && refusal.status == 503, "{accepted}");
            assert!(refusal.message.contains("`--event-bytes`"), "{}", refusal.message);
            now.fetch_add(20_000_000, Ordering::SeqCst);
            let state = service.state().await.map_err(|_| ()).unwrap();
            assert_eq!((state.waiting, service.event_bytes().open), (0, 0));
        }
    });
}
