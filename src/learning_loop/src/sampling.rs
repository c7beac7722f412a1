use learner::uniform_hash;

/// The seed of the draw of an event: from its id and the id of the loop, as in the client
/// library of the service (`reinforcement_learning`, `live_model_impl.cc`). The same
/// event has the same draw under every model.
pub(crate) fn seed(event_id: &str, app_id: &str) -> u64 {
    let hash = |id: &str| u64::from(uniform_hash(id.as_bytes(), 0));
    hash(event_id) + hash(app_id)
}

/// The seed of the draw for a slot (`reinforcement_learning`, `safe_vw.cc`,
/// `rank_multi_slot_decisions`).
pub(crate) fn slot_seed(event_id: &str, slot_id: &str) -> u64 {
    u64::from(uniform_hash([event_id, slot_id].concat().as_bytes(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use learner::sample;

    #[test]
    fn the_seed_is_the_sum_of_both_hashes() {
        // murmur3("abc", 0) and murmur3("", 0) as VW gives them.
        assert_eq!(seed("abc", ""), 0xb3dd_93fa);
        assert_eq!(seed("abc", "abc"), 2 * 0xb3dd_93fa_u64);
    }

    #[test]
    fn the_ranking_decides_which_action_holds_the_low_draws() {
        // Seed 0 draws 0.0000075.
        assert_eq!(sample(&[0.1, 0.9], &[1, 0], 0), 0);
        assert_eq!(sample(&[0.1, 0.9], &[0, 1], 0), 0);
        assert_eq!(sample(&[0.0, 1.0], &[0, 1], 0), 1);
    }

    proptest::proptest! {
        #[test]
        fn what_has_no_probability_is_never_drawn(id in "[a-z0-9]{1,12}") {
            let place = sample(&[0.0, 0.5, 0.0, 0.5], &[0, 1, 2, 3], seed(&id, "runner"));
            proptest::prop_assert!(place == 1 || place == 3);
        }
    }

    #[test]
    fn draws_follow_the_probabilities() {
        let ids = (0..4000).map(|number| format!("event-{number}"));
        let first = ids.filter(|id| sample(&[0.7, 0.3], &[0, 1], seed(id, "runner")) == 0);
        // Four standard deviations of a binomial are 116.
        assert!(first.count().abs_diff(2800) < 116);
    }
}
