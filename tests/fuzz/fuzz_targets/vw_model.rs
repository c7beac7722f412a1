//! Any bytes are a model of Vowpal Wabbit or are refused, and what is read is written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use learner::{LearningPolicy, VwModel};

fuzz_target!(|bytes: &[u8]| {
    let policies = [
        "--cb_explore_adf --squarecb -q :: -b 8",
        "--ccb_explore_adf --cover 2 --coin -b 8",
    ];
    let Ok(model) = VwModel::read(bytes) else { return };
    for arguments in policies {
        let policy = LearningPolicy::parse(arguments).expect("a policy");
        if let Ok(mut learner) = model.learner(&policy) {
            let written = learner.to_vw_model();
            let mut again = VwModel::read(&written).unwrap().learner(&policy).unwrap();
            assert!(again.to_vw_model() == written);
        }
    }
});
