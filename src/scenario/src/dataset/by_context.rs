//! A table with a row for each visitor, summed up to a row for each context.

use std::collections::BTreeMap;

use csv::{StringRecord, Writer};

use super::inference::{InferenceError, NO_CONTEXT};
use super::table;

/// A users table in which each context has one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByContext {
    /// The table, as CSV.
    pub table: String,
    /// How many contexts it has.
    pub contexts: usize,
    /// How many rows they were summed up from.
    pub rows: usize,
}

/// Sums up the rows of a users table that have the same context. Where all visitors of each context
/// prefer the same action, `preferred` is that action; otherwise columns such as `rewards.tea` hold
/// the share of the visitors of a context who prefer an action, which is the probability that one of
/// them clicks on it. `weight` is how many visitors a context has.
///
/// # Errors
/// When a row cannot be summed up. A table with a column `actions`, or with preferred actions and
/// rewards, is [`InferenceError::Repeated`].
pub fn by_context(text: &str) -> Result<ByContext, InferenceError> {
    let mut lines = table::lines(text);
    let header = lines.next().unwrap_or_default();
    let columns = Columns::of(&header);
    let mut sums = Sums::new(&columns);
    let mut rows = 0;
    for row in lines {
        sums.add(&columns, &header, &row)?;
        rows += 1;
    }
    let contexts = sums.contexts.len();
    if columns.cannot_be_summed {
        return Err(InferenceError::Repeated { repeated: rows - contexts, rows });
    }
    let table = sums.table(&columns, &header).unwrap_or_default();
    Ok(ByContext { table, contexts, rows })
}

/// Where the columns are.
struct Columns {
    context: Vec<usize>,
    preferred: Option<usize>,
    /// The columns of rewards, and their actions.
    rewards: Vec<(usize, String)>,
    weight: Option<usize>,
    cannot_be_summed: bool,
}

impl Columns {
    fn of(header: &StringRecord) -> Self {
        let [preferred, weight, actions] =
            NO_CONTEXT.map(|name| header.iter().position(|column| column == name));
        let rewarded = |(at, name)| Some((at, table::rewarded(name)?.to_owned()));
        let rewards: Vec<_> = header.iter().enumerate().filter_map(rewarded).collect();
        let is_context = |(_, name): &(usize, &str)| {
            !NO_CONTEXT.contains(name) && table::rewarded(name).is_none()
        };
        let context = header.iter().enumerate().filter(is_context).map(|(at, _)| at).collect();
        let cannot_be_summed = actions.is_some() || preferred.is_some() && !rewards.is_empty();
        Self { context, preferred, rewards, weight, cannot_be_summed }
    }
}

/// The visitors of one context.
#[derive(Default)]
struct Sum {
    weight: f64,
    /// What they prefer or are worth, by the number of the action.
    wanted: BTreeMap<usize, f64>,
}

struct Sums {
    /// In the order in which they first turn up.
    contexts: Vec<(Vec<String>, Sum)>,
    numbers: BTreeMap<Vec<String>, usize>,
    actions: Vec<String>,
}

impl Sums {
    fn new(columns: &Columns) -> Self {
        let actions = columns.rewards.iter().map(|(_, action)| action.clone()).collect();
        Self { contexts: Vec::new(), numbers: BTreeMap::new(), actions }
    }

    fn add(
        &mut self,
        columns: &Columns,
        header: &StringRecord,
        row: &StringRecord,
    ) -> Result<(), InferenceError> {
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != header.len() {
            let (found, expected) = (row.len(), header.len());
            return Err(InferenceError::Fields { line, found, expected });
        }
        let refused = |at: usize, expected| InferenceError::Cell {
            line,
            column: header[at].to_owned(),
            found: row[at].to_owned(),
            expected,
        };
        let number = |at: usize, least: f64, expected| {
            let number = row[at].parse().ok().filter(|of: &f64| of.is_finite() && *of >= least);
            number.ok_or_else(|| refused(at, expected))
        };
        let weight = match columns.weight {
            Some(at) => number(at, f64::MIN_POSITIVE, "a number above zero")?,
            None => 1.0,
        };
        let mut wanted = Vec::new();
        if let Some(at) = columns.preferred {
            if row[at].is_empty() {
                return Err(refused(at, "the name of an action"));
            }
            wanted.push((self.action(&row[at]), weight));
        }
        for (action, (at, _)) in columns.rewards.iter().enumerate() {
            if !row[*at].is_empty() {
                wanted.push((action, weight * number(*at, f64::MIN, "a number")?));
            }
        }
        let context = columns.context.iter().map(|at| row[*at].to_owned()).collect();
        let sum = self.sum(context);
        sum.weight += weight;
        for (action, value) in wanted {
            *sum.wanted.entry(action).or_default() += value;
        }
        Ok(())
    }

    fn action(&mut self, name: &str) -> usize {
        let known = self.actions.iter().position(|action| action == name);
        known.unwrap_or_else(|| {
            self.actions.push(name.to_owned());
            self.actions.len() - 1
        })
    }

    fn sum(&mut self, context: Vec<String>) -> &mut Sum {
        let next = self.contexts.len();
        let number = *self.numbers.entry(context.clone()).or_insert(next);
        if number == next {
            self.contexts.push((context, Sum::default()));
        }
        &mut self.contexts[number].1
    }

    fn table(&self, columns: &Columns, header: &StringRecord) -> Option<String> {
        let is_unanimous = columns.rewards.is_empty()
            && self.contexts.iter().all(|(_, sum)| sum.wanted.len() == 1);
        let wanted: Vec<String> = if is_unanimous {
            vec![NO_CONTEXT[0].to_owned()]
        } else {
            self.actions.iter().map(|action| format!("rewards.{action}")).collect()
        };
        let mut table = Writer::from_writer(Vec::new());
        let names = columns.context.iter().map(|at| header[*at].to_owned());
        let weight = [NO_CONTEXT[1].to_owned()];
        table.write_record(names.chain(wanted).chain(weight)).ok()?;
        for (context, sum) in &self.contexts {
            let share = |action: usize| {
                let share = sum.wanted.get(&action).map(|value| value / sum.weight);
                share.map_or(String::new(), short)
            };
            let wanted: Vec<String> = if is_unanimous {
                sum.wanted.keys().map(|action| self.actions[*action].clone()).collect()
            } else {
                (0..self.actions.len()).map(share).collect()
            };
            let weight = [short(sum.weight)];
            table.write_record(context.iter().cloned().chain(wanted).chain(weight)).ok()?;
        }
        String::from_utf8(table.into_inner().ok()?).ok()
    }
}

/// A number to six digits behind the point at most.
fn short(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_who_agree_become_one_row_with_their_number() {
        let text = "city;preferred\nRome;tea\nOslo;ice\nRome;tea\n";
        let summed = by_context(text).unwrap();
        assert_eq!(summed.table, "city,preferred,weight\nRome,tea,2\nOslo,ice,1\n");
        assert_eq!((summed.contexts, summed.rows), (2, 3));
    }

    #[test]
    fn visitors_who_differ_become_the_shares_of_what_they_prefer() {
        let text =
            "city,preferred,weight\nRome,tea,1\nRome,\"ice, big\",2\nRome,tea,1\nOslo,tea,3\n";
        let expected = "city,rewards.tea,\"rewards.ice, big\",weight\nRome,0.5,0.5,4\nOslo,1,,3\n";
        assert_eq!(by_context(text).unwrap().table, expected);
    }

    #[test]
    fn rewards_become_their_means() {
        let text = "city,rewards.tea,rewards.ice\nRome,1,0\nRome,0,\nOslo,1,1\n";
        let expected = "city,rewards.tea,rewards.ice,weight\nRome,0.5,0,2\nOslo,1,1,1\n";
        assert_eq!(by_context(text).unwrap().table, expected);
    }

    #[test]
    fn what_cannot_be_summed_up_is_told_with_its_line() {
        for (text, said) in [
            ("city,preferred\nRome,tea,1\n", "line 2 has 3 fields, its header has 2"),
            (
                "city,preferred\nRome,tea\nRome,\n",
                "line 3: `` in column `preferred`, expected the name of an action",
            ),
            (
                "city,preferred,weight\nRome,tea,0\n",
                "line 2: `0` in column `weight`, expected a number above zero",
            ),
            (
                "city,rewards.a\nRome,much\n",
                "line 2: `much` in column `rewards.a`, expected a number",
            ),
            (
                "city,preferred,actions\nRome,tea,tea|ice\nRome,ice,ice\n",
                "1 of its 2 rows have the context of an earlier row",
            ),
        ] {
            assert_eq!(by_context(text).unwrap_err().to_string(), said);
        }
    }
}
