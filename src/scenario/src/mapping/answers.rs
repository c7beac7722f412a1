//! Where answers give what, from what a scenario says.

use super::build::Builder;
use super::offer::lookup;
use crate::format::{Misread, Placed};
use crate::model::{ActionFile, ItemFile, RankingFile, SourceFile, TakeFile};
use diagnostic::Diagnostic;
use plan::mapping::path::SingularPath;
use plan::mapping::ranking::{Item, Pick, Ranking};
use plan::mapping::source::ValueSource;
use plan::mapping::take::{Choice, Take};
use plan::mapping::value::Probability;

impl Builder<'_, '_> {
    pub(super) fn take(&mut self, file: &TakeFile) -> Option<Take> {
        let action = file.action.as_ref().map(|file| self.choice(file).ok_or(Misread));
        let ranking = file.ranking.as_ref();
        let ranking = ranking.map(|of| self.ranking(of, file.action.is_some()).ok_or(Misread));
        let probability = file.probability.as_ref().map(|of| {
            let source =
                self.source(&of.source).map(|source| Probability { source, scale: of.scale });
            source.ok_or(Misread)
        });
        let mut source = |file: Option<&SourceFile>| {
            file.map(|file| self.source(file).ok_or(Misread)).transpose()
        };
        let (event, echo) = (source(file.event.as_ref()), source(file.echo.as_ref()));
        Some(Take {
            action: action.transpose().ok()?,
            ranking: ranking.transpose().ok()?,
            probability: probability.transpose().ok()?,
            event: event.ok()?,
            echo: echo.ok()?,
        })
    }

    pub(super) fn source(
        &mut self,
        SourceFile { path, header, cookie }: &SourceFile,
    ) -> Option<ValueSource> {
        match (path, header, cookie) {
            (Some(path), None, None) => Some(ValueSource::Path(path.clone())),
            (None, Some(header), None) => {
                Some(ValueSource::Header { header: header.value.clone() })
            }
            (None, None, cookie) => {
                Some(ValueSource::Cookie { cookie: cookie.as_ref()?.value.clone() })
            }
            (_, first, second) => {
                let last = second.as_ref().or(first.as_ref())?;
                let message = "a value has one of `path`, `header` and `cookie`";
                let mistake = Diagnostic::error(message).at(&last.key);
                self.compiler.report.push(mistake.help("leave the others out"));
                None
            }
        }
    }

    fn choice(&mut self, ActionFile { source, by }: &ActionFile) -> Option<Choice> {
        let source = self.source(source)?;
        let actions = self.world?.actions;
        let lookup = lookup(by.as_ref(), actions, &self.ids, self.compiler.report)?;
        Some(Choice { source, lookup })
    }

    /// `is_chosen`: the answer says which of the actions is chosen.
    fn ranking(&mut self, file: &RankingFile, is_chosen: bool) -> Option<Ranking> {
        let RankingFile { path, action, probability, score, cost, choose, by } = file;
        self.check_choice(file, is_chosen)?;
        let actions = self.world?.actions;
        let lookup = lookup(by.as_ref(), actions, &self.ids, self.compiler.report)?;
        let action = match action.as_deref() {
            Some(ItemFile::Path(path)) => Item::Path(path.clone()),
            Some(ItemFile::Key) => Item::Key { is_place: by.is_none() },
            None => Item::Path(SingularPath::whole()),
        };
        let probability =
            probability.as_ref().map(|of| Probability { source: of.path.clone(), scale: of.scale });
        let (path, score, cost) =
            (path.clone(), score.clone(), cost.as_ref().map(|cost| cost.value.clone()));
        let choose = choose.as_ref().map_or(Pick::Best, |choose| choose.value);
        Some(Ranking { path, action, probability, score, cost, choose, lookup })
    }

    /// Reports what cannot be chosen from a ranking.
    fn check_choice(&mut self, file: &RankingFile, is_chosen: bool) -> Option<()> {
        if let (Some(_), Some(cost)) = (&file.score, &file.cost) {
            let mistake = Diagnostic::error("a ranking has a `score` or a `cost`, not both");
            self.compiler.report.push(mistake.at(&cost.key).help("leave one of them out"));
            return None;
        }
        let has_score = file.score.is_some() || file.cost.is_some();
        let has_probability = file.probability.is_some();
        let is_drawn = |choose: &&Placed<Pick>| choose.value == Pick::Draw;
        let draw = file.choose.as_ref().filter(is_drawn);
        let key = file.action.as_ref().filter(|item| matches!(item.value, ItemFile::Key));
        let (message, place, help) = match (draw, key) {
            (Some(draw), _) if is_chosen => (
                "the answer says which action is chosen, so none is drawn",
                &draw.place,
                "leave out `choose: draw`, or the `action` beside `ranking`",
            ),
            (Some(draw), _) if !has_probability => (
                "a draw needs the probabilities",
                &draw.place,
                "say where an item has its probability: `probability: $.p`",
            ),
            (None, Some(key)) if !has_probability && !has_score => (
                "names and places have no order",
                &key.place,
                "say what an item is ranked by: `score: $`, or `probability: $`",
            ),
            (None, Some(key)) if !has_score && !is_chosen && file.choose.is_none() => (
                "nothing says which of the actions is chosen",
                &key.place,
                "`choose: draw` where the service leaves the choice to its caller, `choose: best` \
                 where the most probable action is meant, or `action` beside `ranking`",
            ),
            _ => return Some(()),
        };
        self.compiler.report.push(Diagnostic::error(message).at(place).help(help));
        None
    }
}
