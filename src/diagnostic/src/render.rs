use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::source::{Excerpt, floor};
use super::{Diagnostic, Place, Report, Severity};

/// Lines longer than this are cut before they are rendered: a data set may be a single
/// line of megabytes, on which the renderer takes seconds.
const LONG_LINE: usize = 4000;

/// How much of a long line is kept before and after what is meant.
const AROUND: usize = 80;

impl Report {
    /// The report for a person, one mistake after the other, in colours or plain.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        self.rendered(&renderer(coloured))
    }

    /// The report in colours for a terminal of so many columns: a line of a file that is longer is cut
    /// around what is meant.
    #[must_use]
    pub fn render_within(&self, columns: usize) -> String {
        self.rendered(&renderer(true).term_width(columns))
    }

    fn rendered(&self, renderer: &Renderer) -> String {
        let texts = self.diagnostics().iter().map(|diagnostic| diagnostic.rendered(renderer));
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl Diagnostic {
    /// The mistake for a person: message, place, line, caret and help. Ends with a line
    /// break.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        self.rendered(&renderer(coloured))
    }

    fn rendered(&self, renderer: &Renderer) -> String {
        let level = match self.parts.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let main = Group::with_title(level.primary_title(&self.parts.message));
        let main = match &self.parts.place {
            Some(place) => self.show(main, place),
            None => main,
        };
        let help = self.parts.help.as_deref().map(|help| Level::HELP.secondary_title(help));
        let groups: Vec<_> = [main].into_iter().chain(help.map(Group::with_title)).collect();
        let text = renderer.render(&groups);
        let is_shown = |line: &&str| !self.is_empty(line);
        text.split('\n').filter(is_shown).collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Whether a line of the renderer says nothing: the separator between a place and a part cut out
    /// of a long line; and, if there is no place, the margin above the help.
    fn is_empty(&self, line: &str) -> bool {
        let plain = anstream::adapter::strip_str(line).to_string();
        plain.trim() == ":::" || plain.trim() == "|" && self.parts.place.is_none()
    }

    fn show<'a>(&'a self, group: Group<'a>, place: &'a Place) -> Group<'a> {
        let nearby: Vec<_> =
            self.parts.context.iter().filter(|(other, _)| same(other, place)).collect();
        let spans = nearby.iter().map(|(other, _)| &other.span).chain([&place.span]);
        let excerpt = place.source.excerpt(&spans.cloned().collect::<Vec<_>>());
        if excerpt.text.len() > LONG_LINE {
            return self.show_cut(group, place, &excerpt);
        }
        let others = nearby.into_iter().map(|(other, label)| {
            AnnotationKind::Context.span(shift(&other.span, excerpt.offset)).label(label)
        });
        let snippet = Snippet::source(excerpt.text).line_start(excerpt.line);
        let primary = self.caret(shift(&place.span, excerpt.offset));
        group.element(snippet.path(place.source.path()).annotation(primary).annotations(others))
    }

    /// Shows a stretch of long lines. The place is written out, because a column of the
    /// stretch is no column of the line.
    fn show_cut<'a>(&'a self, group: Group<'a>, place: &'a Place, excerpt: &Excerpt) -> Group<'a> {
        let (line, column) = place.line_and_column();
        let lines = &excerpt.text;
        let at = place.span.start - excerpt.offset;
        let line_start = lines[..at].rfind('\n').map_or(0, |at| at + 1);
        let line_end = lines[at..].find('\n').map_or(lines.len(), |end| at + end);
        let from = floor(lines, at.saturating_sub(AROUND).max(line_start));
        let to = floor(lines, (at + AROUND).min(line_end));
        let span = at - from..(place.span.end - excerpt.offset).min(to) - from;
        let snippet = Snippet::source(lines[from..to].to_owned()).line_start(line);
        let origin = Origin::path(place.source.path()).line(line).char_column(column);
        group.element(origin).element(snippet.annotation(self.caret(span)))
    }

    fn caret(&self, span: Range<usize>) -> Annotation<'_> {
        AnnotationKind::Primary.span(span).label(self.parts.label.as_deref())
    }
}

fn renderer(coloured: bool) -> Renderer {
    if coloured { Renderer::styled() } else { Renderer::plain() }
}

fn same(one: &Place, other: &Place) -> bool {
    Arc::ptr_eq(&one.source, &other.source)
}

fn shift(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start - by..span.end - by
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{Diagnostic, Place, Report, Source};

    fn find(source: &Arc<Source>, word: &str) -> Place {
        let start = source.text().find(word).unwrap();
        Place::new(source, start..start + word.len())
    }

    #[test]
    fn a_mistake_shows_its_place_its_line_and_its_help() {
        let source = Source::new("a/b.yaml", "one: 1\ntwo: 2\n  three: é3\nfour: 4\n");
        let diagnostic = Diagnostic::error("`three` is there twice").at(&find(&source, "3"));
        let diagnostic = diagnostic.label("here").context(&find(&source, "one"), "and here");
        let expected = "\
error: `three` is there twice
 --> a/b.yaml:3:11
  |
1 | one: 1
  | --- and here
2 | two: 2
3 |   three: é3
  |           ^ here
  |
help: leave one out
";
        assert_eq!(diagnostic.help("leave one out").render(false), expected);
    }

    #[test]
    fn a_line_that_is_longer_than_the_terminal_is_cut_around_the_mistake() {
        let line =
            "  - iterate: { name: baseline, arrival: open, iteratons: 5000, concurrency: 8 }";
        let source = Source::new("a.yaml", line);
        let mut report = Report::new();
        report.push(Diagnostic::error("unknown key").at(&find(&source, "iteratons")));
        for columns in [30, 40, 60, 80] {
            let text = anstream::adapter::strip_str(&report.render_within(columns)).to_string();
            let is_narrow = |line: &str| line.chars().count() <= columns;
            assert!(text.lines().all(is_narrow), "{columns}: {text}");
            let lines: Vec<&str> = text.lines().collect();
            let at = lines.iter().position(|line| line.contains("iteratons")).unwrap();
            assert_eq!(lines[at].find("iteratons"), lines[at + 1].find("^^^^^^^^^"), "{text}");
        }
    }

    /// The carriage returns of another system are no part of a line.
    #[test]
    fn line_breaks_of_two_characters_are_not_shown() {
        let plain = Source::new("a.yaml", "one: 1\ntwo: 2\n");
        for text in ["one: 1\r\ntwo: 2\r\n", "one: 1\r\ntwo: 2\r"] {
            let source = Source::new("a.yaml", text);
            for word in ["one", "two", "2"] {
                let told = |source| Diagnostic::error("odd").at(&find(source, word)).render(false);
                assert_eq!(told(&source), told(&plain));
            }
        }
    }

    #[test]
    fn a_mistake_without_a_place_is_its_message() {
        assert_eq!(Diagnostic::warning("odd").render(false), "warning: odd\n");
        let helped = Diagnostic::error("odd").help("make it even").render(false);
        assert_eq!(helped, "error: odd\nhelp: make it even\n");
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        let source = Source::new("empty.csv", "");
        let text = Diagnostic::error("nothing there").within(&source, 7..9).render(false);
        assert!(text.contains("empty.csv:1:1"), "{text}");
    }

    #[test]
    fn a_line_of_megabytes_is_cut_and_its_column_kept() {
        let text = format!("1\n{}oops{}\n", "[1],".repeat(1_000_000), "[2],".repeat(1000));
        let source = Source::new("long.json", text);
        let text =
            Diagnostic::error("wrong").at(&find(&source, "oops")).label("this").render(false);
        assert!(text.contains("long.json:2:4000001"), "{text}");
        assert!(text.contains("oops") && text.contains("^^^^ this"), "{text}");
        assert!(text.len() < 500, "{text}");
    }

    #[test]
    fn hidden_text_is_starred_out() {
        let source = Source::new("a.yaml", "key: secret # secret\n");
        source.hide(5..11);
        let text = Diagnostic::error("a key").within(&source, 0..3).render(false);
        assert!(text.contains("key: ****** # secret"), "{text}");
    }
}
