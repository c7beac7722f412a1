use super::context::{Run, RunError, target_error};
use clock::Clock;
use plan::{NamedPolicy, Phase};
use protocol::PolicyContract;
use record::Progress;
use target::Target;

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Makes a learning policy the online one.
    pub(super) async fn apply_policy(
        &mut self,
        phase: &Phase,
        policy: &NamedPolicy,
    ) -> Result<(), RunError> {
        let contract = PolicyContract {
            name: policy.name.clone(),
            arguments: policy.policy.arguments().to_owned(),
        };
        let answer = self.target.set_policy(&contract).await;
        let applied = answer.map_err(|error| target_error(&phase.name, &error))?;
        self.emit(&Progress::PolicyApplied(applied))
    }
}
