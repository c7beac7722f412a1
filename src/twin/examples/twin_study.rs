//! How often twins are refused, on honest logs and on broken ones.
//!
//! `cargo run --release -p bandit-runner-twin --example twin_study [LOGS]`
#![expect(clippy::cast_precision_loss, reason = "small counts")]

#[path = "../tests/twin/world.rs"]
mod world;

use twin::Twin;
use world::{Kind, Logger, World, shuffled, thinned};

/// The first seed of the study: the thresholds were chosen on seeds below it.
const FIRST_SEED: u64 = 1000;

fn main() {
    let logs: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(200);
    println!(
        "| world | logger | events | honest logs refused | shuffled logs refused | thinned logs \
         refused | shuffled and thinned logs refused |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|");
    for kind in [Kind::Clicks, Kind::Certain, Kind::OneFeature, Kind::Amounts, Kind::Rare] {
        for logger in [Logger::Uniform, Logger::Learning] {
            for events in [1000, 4000] {
                let mut refused = [0_u64; 4];
                for seed in FIRST_SEED..FIRST_SEED + logs {
                    let log = World::new(kind, seed).log(logger, events, seed);
                    let broken = shuffled(log.clone(), seed);
                    let thinned = [&log, &broken].map(|log| thinned(log, seed));
                    let logs = [log, broken].into_iter().chain(thinned);
                    for (count, log) in refused.iter_mut().zip(logs) {
                        *count += u64::from(Twin::of(&log).is_err());
                    }
                }
                let percent = |count: u64| 100.0 * count as f64 / logs as f64;
                println!(
                    "| {kind:?} | {logger:?} | {events} | {:.1} % | {:.1} % | {:.1} % | {:.1} % |",
                    percent(refused[0]),
                    percent(refused[1]),
                    percent(refused[2]),
                    percent(refused[3])
                );
            }
        }
    }
}
