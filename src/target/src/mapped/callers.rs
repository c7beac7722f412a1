//! The services that calls go to: that of the target, and those of calls with a `url`.

use std::collections::BTreeMap;

use crate::http::Caller;
use crate::{CallError, Exchange};
use clock::WallClock;
use plan::{Call, HttpPlan, Mapping};
use seed::Seed;

pub(super) struct Callers {
    own: Caller,
    /// By their addresses.
    others: BTreeMap<String, Caller>,
}

impl Callers {
    /// Clients of all services of a mapping, which differ in their addresses alone.
    pub fn new(
        plan: &HttpPlan,
        mapping: &Mapping,
        seed: Seed,
        clock: WallClock,
    ) -> Result<Self, CallError> {
        let mut others = BTreeMap::new();
        for url in mapping.calls().filter_map(|call| call.url.as_ref()) {
            let plan = HttpPlan { url: url.clone(), ..plan.clone() };
            others.insert(url.clone(), Caller::new(&plan, seed, clock)?);
        }
        Ok(Self { own: Caller::new(plan, seed, clock)?, others })
    }

    /// That of the target.
    pub fn own(&self) -> &Caller {
        &self.own
    }

    /// That of a call.
    pub fn of(&self, call: &Call) -> &Caller {
        call.url.as_ref().and_then(|url| self.others.get(url)).unwrap_or(&self.own)
    }

    /// Finds out whether all services can be reached, without a call.
    pub async fn reach(&self) -> Result<(), CallError> {
        for caller in self.all() {
            caller.reach().await?;
        }
        Ok(())
    }

    /// Records every call from now on, for [`Self::take_trace`].
    pub fn keep_trace(&mut self) {
        self.own.keep_trace();
        self.others.values_mut().for_each(Caller::keep_trace);
    }

    /// Takes the calls since the last call of this, those of one service after those of another.
    pub fn take_trace(&self) -> Vec<Exchange> {
        self.all().flat_map(Caller::take_trace).collect()
    }

    /// Notes on calls since the last call of this, for a person.
    pub fn take_notes(&self) -> Vec<String> {
        self.all().flat_map(Caller::take_notes).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Caller> {
        std::iter::once(&self.own).chain(self.others.values())
    }
}
