//! What the reductions save: from the top, whether slots were seen, the counter of the
//! exploration, the counts of the cost model, and the regression.

use super::VwModelError;
use super::bytes::{Reader, Writer};
use super::header::Header;
use crate::learner::Learner;
use crate::regression::OnlineState;

/// Numbers that VW keeps for its reports: sums of losses, of weights, and of features.
const REPORTED: f64 = 0.0;

pub fn write(learner: &mut Learner, writer: &mut Writer) {
    if learner.policy().is_multi_slot() {
        writer.put(&[u8::from(learner.multi_slot_seen())]);
    }
    if let Some(counter) = learner.exploration_counter() {
        writer.u64(counter);
    }
    let (events, actions) = learner.counts();
    writer.u64(events);
    writer.u64(actions);
    // Everything that learning goes on from, not the weights alone (`--save_resume`).
    writer.put(&[1]);
    write_online(&learner.online_state(), writer);
    learner.each_weight(|index, weight| {
        writer.u32(index);
        weight.iter().for_each(|value| writer.f32(*value));
    });
}

fn write_online(state: &OnlineState, writer: &mut Writer) {
    writer.f32(state.initial_t);
    writer.f64(state.weighted_norm);
    writer.f64(state.t);
    writer.f64(REPORTED);
    writer.f64(REPORTED);
    // `dump_interval`
    writer.f32(1.0);
    writer.f32(state.lowest);
    writer.f32(state.highest);
    (0..3).for_each(|_| writer.f64(REPORTED));
    // The number of examples and of features.
    (0..2).for_each(|_| writer.u64(0));
    writer.f64(state.total_weight);
    writer.f64(REPORTED);
    // The pass.
    writer.u64(0);
    writer.f64(state.gravity);
    writer.f64(state.contraction);
}

pub fn read(
    learner: &mut Learner,
    header: &Header,
    mut reader: Reader<'_>,
) -> Result<(), VwModelError> {
    let what = "counters";
    // A model for single choices may go on with slots.
    let knows_slots = learner.policy().is_multi_slot() && header.fills_slots();
    if knows_slots && reader.u8(what)? != 0 {
        learner.see_multi_slot();
    }
    if learner.exploration_counter().is_some() {
        learner.set_exploration_counter(reader.u64(what)?);
    }
    let counts = (reader.u64(what)?, reader.u64(what)?);
    learner.set_counts(counts);
    let mut state = learner.online_state();
    (state.lowest, state.highest) = (header.lowest_label, header.highest_label);
    let is_whole = reader.u8(what)? != 0;
    if is_whole {
        read_online(&mut state, &mut reader)?;
    }
    learner.set_online_state(&state);
    read_weights(learner, if is_whole { learner.weight_width() } else { 1 }, reader)
}

fn read_online(state: &mut OnlineState, reader: &mut Reader<'_>) -> Result<(), VwModelError> {
    let what = "state";
    state.initial_t = reader.f32(what)?;
    state.weighted_norm = reader.f64(what)?;
    state.t = reader.f64(what)?;
    reader.take(2 * 8 + 4, what)?;
    state.lowest = reader.f32(what)?;
    state.highest = reader.f32(what)?;
    reader.take(5 * 8, what)?;
    state.total_weight = reader.f64(what)?;
    reader.take(2 * 8, what)?;
    state.gravity = reader.f64(what)?;
    state.contraction = reader.f64(what)?;
    Ok(())
}

fn read_weights(
    learner: &mut Learner,
    width: usize,
    mut reader: Reader<'_>,
) -> Result<(), VwModelError> {
    let mut weight = vec![0.0; width];
    while !reader.is_at_end() {
        let at = reader.at();
        let index = reader.u32("weights")?;
        for value in &mut weight {
            *value = reader.f32("weights")?;
        }
        if !learner.set_weight(index, &weight) {
            let message = format!("it has a weight at {index} (byte {at}), beyond its bits");
            return Err(VwModelError::Content(message));
        }
    }
    Ok(())
}
