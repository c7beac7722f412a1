//! Any bytes are an event or are dropped at a place within them, the second time too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use learner::{DsjsonReader, Hashing};

fuzz_target!(|lines: &[u8]| {
    let mut reader = DsjsonReader::new(Hashing::default());
    for line in lines.split(|byte| *byte == b'\n') {
        let first = reader.read(line);
        match &first {
            Ok(logged) => {
                assert!(!logged.event.actions.is_empty());
                assert!(logged.event.weight >= 1.0);
                if let Some(label) = logged.label {
                    assert!(label.action < logged.event.actions.len());
                    assert!(label.probability > 0.0 && label.cost.is_finite());
                }
            }
            Err(dropped) => assert!((1..=line.len() + 1).contains(&dropped.column)),
        }
        let first = format!("{first:?}");
        assert_eq!(first, format!("{:?}", reader.read(line)));
        assert_eq!(first, format!("{:?}", DsjsonReader::new(Hashing::default()).read(line)));
    }
});
