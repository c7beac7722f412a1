use super::context::{Run, RunError, target_error};
use clock::Clock;
use plan::{Configure, Phase};
use protocol::ServiceConfiguration;
use record::Progress;
use target::{CallError, Target};

impl<C: Clock, T: Target> Run<'_, C, T> {
    /// Changes settings, reads them back and verifies them.
    pub(super) async fn configure(
        &mut self,
        phase: &Phase,
        configure: &Configure,
    ) -> Result<(), RunError> {
        let changed = self.change_settings(configure).await;
        let configuration = changed.map_err(|error| target_error(&phase.name, &error))?;
        verify(phase, configure, &configuration)?;
        self.emit(&Progress::Configured(configuration))
    }

    async fn change_settings(
        &self,
        configure: &Configure,
    ) -> Result<ServiceConfiguration, CallError> {
        let mut configuration = self.target.configuration().await?;
        configure.change.apply_to(&mut configuration);
        self.target.set_configuration(&configuration).await?;
        self.target.configuration().await
    }
}

fn verify(
    phase: &Phase,
    configure: &Configure,
    configuration: &ServiceConfiguration,
) -> Result<(), RunError> {
    let mut differences = configure.change.differences(configuration);
    differences.extend(configure.verify.differences(configuration));
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("the service did not apply the settings: {}", differences.join("; "));
    Err(RunError::Target { phase: phase.name.clone(), message })
}
