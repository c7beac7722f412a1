//! What happened to the loop, so that it can happen again.
//!
//! Facts are what operations came to and not what was asked: a choice is kept as it was
//! made, so that what was answered stays true under another version of the learner.

use serde::{Deserialize, Serialize};

use super::LearningLoop;
use super::interaction::Interaction;
use super::job::{EvaluationJob, EvaluationOutcome};
use protocol::{
    ApplyFromEvaluation, EvaluationContract, EventId, PolicyContract, RewardRequest,
    ServiceConfiguration, SlotReward,
};
use timestamp::Timestamp;

/// A fact and when it happened. As JSON, it is what is kept on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recorded {
    at: Timestamp,
    fact: Fact,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Fact {
    Ranked(Box<Interaction>),
    Rewarded { event_id: EventId, value: f64 },
    SlotRewarded { event_id: EventId, reward: SlotReward },
    Activated { event_id: EventId },
    Configured(Box<ServiceConfiguration>),
    PolicySet(PolicyContract),
    PolicyDeleted,
    ModelSet(Vec<u8>),
    ModelDeleted,
    LogsDeleted,
    EvaluationBegun(EvaluationContract),
    EvaluationEnded { id: String, outcome: Option<EvaluationOutcome> },
    EvaluationDeleted { id: String },
    Applied(ApplyFromEvaluation),
    OptimizationDue,
}

impl LearningLoop {
    /// Records what happens from now on.
    pub fn record(&mut self) {
        self.facts.get_or_insert_default();
    }

    /// What was recorded since it was last taken.
    pub fn take_facts(&mut self) -> Vec<Recorded> {
        self.facts.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps a fact, where facts are recorded.
    pub(super) fn note(&mut self, fact: impl FnOnce() -> Fact) {
        let at = self.now;
        if let Some(facts) = &mut self.facts {
            facts.push(Recorded { at, fact: fact() });
        }
    }

    /// Lets a fact happen again; an evaluation that begins, to be run if it does not end.
    /// Facts are replayed in their order, before anything is recorded.
    pub fn replay(&mut self, Recorded { at, fact }: Recorded) -> Option<EvaluationJob> {
        match fact {
            Fact::Ranked(interaction) => self.reopen(*interaction),
            Fact::Rewarded { event_id, value } => {
                let _known = self.reward(&event_id, RewardRequest { value }, at);
            }
            Fact::SlotRewarded { event_id, reward } => {
                let _known = self.reward_slots(&event_id, &[reward], at);
            }
            Fact::Activated { event_id } => {
                let _known = self.activate(&event_id, at);
            }
            Fact::EvaluationBegun(contract) => return self.begin_evaluation(&contract, at).ok(),
            Fact::EvaluationEnded { id, outcome } => self.finish_evaluation(&id, outcome, at),
            Fact::EvaluationDeleted { id } => self.delete_evaluation(&id, at),
            Fact::OptimizationDue => return self.begin_optimization(at),
            fact => self.reset(fact, at),
        }
        None
    }

    /// Lets a change of settings, policy, model or log happen again. It was accepted
    /// once, and is again.
    fn reset(&mut self, fact: Fact, at: Timestamp) {
        match fact {
            Fact::Configured(configuration) => drop(self.set_configuration(*configuration, at)),
            Fact::PolicySet(contract) => drop(self.set_policy(contract, at)),
            Fact::PolicyDeleted => drop(self.delete_policy(at)),
            Fact::ModelSet(model) => drop(self.set_model(&model, at)),
            Fact::ModelDeleted => self.delete_model(at),
            Fact::LogsDeleted => self.delete_logs(at),
            Fact::Applied(request) => drop(self.apply_from_evaluation(&request, at)),
            _ => unreachable!("replayed above"),
        }
    }

    fn reopen(&mut self, interaction: Interaction) {
        self.advance(interaction.time);
        self.ranked += 1;
        self.tell_slots_apart(&interaction);
        let closes = interaction.time + self.configuration.reward_wait_time.0;
        self.joiner.open(interaction, closes);
    }

    /// The served model has seen the slots when it filled them.
    fn tell_slots_apart(&mut self, interaction: &Interaction) {
        if let Some(model) = self.trainer.served().filter(|_| !interaction.slots.is_empty()) {
            let hashing = model.policy().hashing();
            let event = self.features.event_of(hashing, interaction, &[]);
            model.observe_slots(&event);
        }
    }
}
