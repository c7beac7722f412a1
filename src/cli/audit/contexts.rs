use std::collections::HashMap;

use plan::Plan;
use plan::Visitor;

/// The contexts that an audit asks.
pub struct Contexts<'a> {
    dimensions: &'a [String],
    /// One visitor of each, in the order of the population.
    asked: Vec<&'a Visitor>,
    /// How many the population has.
    all: usize,
    /// The share of the visitors that have one of those that are asked.
    share: f64,
}

impl<'a> Contexts<'a> {
    /// The `most` contexts that turn up most often; of equals, those that come first.
    pub fn of(plan: &'a Plan, most: usize) -> Self {
        let mut places = HashMap::new();
        let mut weights: Vec<(usize, &Visitor, f64)> = Vec::new();
        for visitor in &plan.population.rows {
            // Features of a plan are JSON.
            let key = serde_json::to_string(&visitor.features).unwrap_or_default();
            let place = *places.entry(key).or_insert(weights.len());
            match weights.get_mut(place) {
                Some((_, _, weight)) => *weight += visitor.weight,
                None => weights.push((place, visitor, visitor.weight)),
            }
        }
        let (all, total) =
            (weights.len(), weights.iter().map(|(_, _, weight)| weight).sum::<f64>());
        weights.sort_by(|left, right| right.2.total_cmp(&left.2).then(left.0.cmp(&right.0)));
        weights.truncate(most);
        weights.sort_by_key(|(place, _, _)| *place);
        let share = weights.iter().map(|(_, _, weight)| weight).sum::<f64>() / total;
        let asked = weights.into_iter().map(|(_, visitor, _)| visitor).collect();
        Self { dimensions: &plan.population.dimensions, asked, all, share }
    }

    /// How many are asked.
    pub fn count(&self) -> usize {
        self.asked.len()
    }

    /// One of them.
    pub fn visitor(&self, context: usize) -> &'a Visitor {
        self.asked[context]
    }

    /// `name=Anna weather=Sunny`
    pub fn name(&self, context: usize) -> String {
        let values = self.dimensions.iter().zip(self.asked[context].context.iter());
        let parts: Vec<String> = values.map(|(name, value)| format!("{name}={value}")).collect();
        if parts.is_empty() { "the context".to_owned() } else { parts.join(" ") }
    }

    /// That some are not asked.
    pub fn remark(&self) -> Option<String> {
        (self.asked.len() < self.all).then(|| {
            format!(
                "{} of {} contexts are asked, those of {:.0} % of the visitors (`--contexts`)",
                self.asked.len(),
                self.all,
                100.0 * self.share
            )
        })
    }
}
