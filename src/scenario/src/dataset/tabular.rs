//! Tables in the formats in which they are found: CSV, ARFF (Weka's manual, "Attribute-Relation
//! File Format") and that of LIBSVM (its README, "Installation and Data Format").

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use csv::{Position, StringRecord};

use super::table;
use crate::model::DimensionKind;
use diagnostic::{Diagnostic, Report, Source, nearest};

/// So many cells a table of a sparse format may have once it is filled with zeros.
const MOST_CELLS: usize = 5_000_000;

/// The column of the class in the format of LIBSVM, which names none.
pub(crate) const LIBSVM_LABEL: &str = "label";

/// A table.
pub(crate) struct Table {
    pub(super) source: Arc<Source>,
    pub(super) layout: Layout,
    /// The header and the rows, unless they are read from the text as CSV.
    parsed: Option<Vec<StringRecord>>,
    /// What the values of a column are, where the file says it.
    kinds: HashMap<String, DimensionKind>,
}

/// Where the fields of a row stand in its line.
pub(super) enum Layout {
    /// Between separators, the names of the columns too.
    Csv,
    /// Between commas; the names of the columns where these are.
    Arff(Vec<Range<usize>>),
    /// Behind their numbers, if they are there.
    Sparse,
}

impl Table {
    /// A table, in the format that the name of its file says.
    pub fn of(source: &Arc<Source>, report: &mut Report) -> Self {
        let path = source.path().to_ascii_lowercase();
        let plain = [".gz", ".zst"].iter().find_map(|ending| path.strip_suffix(ending));
        let ending = plain.unwrap_or(&path).rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            "arff" => arff(source, report),
            "libsvm" | "svm" | "svmlight" => libsvm(source, report),
            _ => {
                table::check_quotes(source, report);
                check_is_csv(source, report);
                Self::csv(source)
            }
        }
    }

    /// A table in CSV.
    pub fn csv(source: &Arc<Source>) -> Self {
        Self::new(source, Layout::Csv, None)
    }

    fn new(source: &Arc<Source>, layout: Layout, parsed: Option<Vec<StringRecord>>) -> Self {
        Self { source: Arc::clone(source), layout, parsed, kinds: HashMap::new() }
    }

    /// The rows, the header first.
    pub fn records(&self) -> Box<dyn Iterator<Item = StringRecord> + '_> {
        match &self.parsed {
            Some(parsed) => Box::new(parsed.iter().cloned()),
            None => Box::new(table::lines(self.source.text())),
        }
    }

    /// What the values of a column are, if the file says it.
    pub fn kind(&self, column: &str) -> Option<DimensionKind> {
        self.kinds.get(column).copied()
    }
}

/// Refuses JSON, of which the first line would be taken for the names of columns.
fn check_is_csv(source: &Arc<Source>, report: &mut Report) {
    let text = source.text().trim_start();
    if text.starts_with(['{', '[']) {
        let at = source.text().len() - text.len();
        let message = "a table of classes is CSV, ARFF or LIBSVM, found JSON";
        let help = "write it as CSV: `pd.read_json(FILE, lines=True).to_csv(TABLE, index=False)`";
        report.push(Diagnostic::error(message).within(source, at..at + 1).help(help));
    }
}

/// A line of a file and where it begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

fn record(fields: impl IntoIterator<Item = String>, start: usize) -> StringRecord {
    let mut record: StringRecord = fields.into_iter().collect();
    let mut position = Position::new();
    position.set_byte(start as u64);
    record.set_position(Some(position));
    record
}

/// A number as JSON has it, where a text is a number of another notation, such as `+1` or `.5`.
fn number(text: &str) -> String {
    let is_json = serde_json::from_str::<serde_json::Number>(text).is_ok();
    match text.parse::<f64>() {
        Ok(value) if !is_json && value.is_finite() => value.to_string(),
        _ => text.to_owned(),
    }
}

/// What an attribute of ARFF is.
struct Attribute {
    name: String,
    kind: DimensionKind,
    /// What a sparse row has where it says nothing.
    absent: String,
    /// The values that it may have, where they are listed.
    values: Option<HashSet<String>>,
}

fn arff(source: &Arc<Source>, report: &mut Report) -> Table {
    let (mut attributes, mut names): (Vec<Attribute>, Vec<Range<usize>>) = Default::default();
    let mut rows = Vec::new();
    let mut is_data = false;
    for (start, line) in lines(source.text()) {
        let text = line.trim();
        let begins = start + line.len() - line.trim_start().len();
        if text.is_empty() || text.starts_with('%') {
            continue;
        }
        let span = begins..begins + text.len();
        if is_data {
            match arff_row(text, &attributes) {
                Ok(fields) => rows.push(record(fields, begins)),
                Err(message) => report.push(Diagnostic::error(message).within(source, span)),
            }
            continue;
        }
        let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match keyword.to_ascii_lowercase().as_str() {
            "@relation" => {}
            "@data" => is_data = true,
            "@attribute" => match attribute(rest.trim_start()) {
                Ok(attribute) => {
                    attributes.push(attribute);
                    names.push(span);
                }
                Err(message) => report.push(Diagnostic::error(message).within(source, span)),
            },
            _ => {
                let message = format!("expected `@attribute` or `@data`, found `{keyword}`");
                report.push(Diagnostic::error(message).within(source, span));
                break;
            }
        }
    }
    if !is_data && !report.has_errors() {
        let message = "the file has no `@data`";
        let help = "an ARFF file has a line `@attribute NAME TYPE` for each column, `@data`, and \
                    then its rows";
        report.push(Diagnostic::error(message).within(source, 0..0).help(help));
    }
    let header = record(attributes.iter().map(|attribute| attribute.name.clone()), 0);
    let kinds = attributes.into_iter().map(|attribute| (attribute.name, attribute.kind));
    let parsed = Some([header].into_iter().chain(rows).collect());
    Table { kinds: kinds.collect(), ..Table::new(source, Layout::Arff(names), parsed) }
}

/// `petal numeric` or `'the kind' {a, 'b c'}`.
fn attribute(text: &str) -> Result<Attribute, String> {
    let (name, rest) = arff_word(text, |letter| letter.is_whitespace() || letter == '{')?;
    let rest = rest.trim();
    let word = rest.split(char::is_whitespace).next().unwrap_or_default().to_ascii_lowercase();
    let mut listed = None;
    let (kind, absent) = match word.as_str() {
        "numeric" | "real" | "integer" => (DimensionKind::Number, "0".to_owned()),
        "string" | "date" => (DimensionKind::Text, String::new()),
        _ if rest.starts_with('{') => {
            let values = arff_list(&rest[1..])?;
            let first = values.first().cloned().unwrap_or_default();
            listed = Some(values.into_iter().collect());
            (DimensionKind::Text, first)
        }
        _ => {
            return Err(format!(
                "the type of `{name}` must be `numeric`, `string`, `date` or a list such as \
                 `{{a,b}}`, found `{rest}`"
            ));
        }
    };
    if name.is_empty() {
        return Err("an attribute has no name".to_owned());
    }
    Ok(Attribute { name, kind, absent, values: listed })
}

/// `a, 'b c'}`: the values of an attribute; a remark may follow.
fn arff_list(text: &str) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        let (value, more) = arff_word(rest.trim_start(), |letter| [',', '}'].contains(&letter))?;
        values.push(value);
        let more = more.trim_start();
        if let Some(behind) = more.strip_prefix('}') {
            let behind = behind.trim_start();
            let is_end = behind.is_empty() || behind.starts_with('%');
            return is_end.then_some(values).ok_or_else(|| {
                format!("expected nothing after the list of values, found `{behind}`")
            });
        }
        let next = more.strip_prefix(',');
        rest = next.ok_or_else(|| "a list of values ends with `}`".to_owned())?;
    }
}

fn arff_row(text: &str, attributes: &[Attribute]) -> Result<Vec<String>, String> {
    if let Some(weight) = arff_weight(text) {
        return Err(format!("the weight `{weight}` of a row is not read: leave it out"));
    }
    let fields = match text.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
        Some(Some(inner)) => arff_sparse(inner, attributes)?,
        Some(None) => return Err("a sparse row ends with `}`".to_owned()),
        None => arff_dense(text, attributes.len())?,
    };
    let normal = |(at, field): (usize, String)| match attributes.get(at) {
        Some(Attribute { kind: DimensionKind::Number, .. }) => Ok(number(&field)),
        Some(Attribute { name, values: Some(values), .. })
            if !field.is_empty() && !values.contains(&field) =>
        {
            let mut known: Vec<&str> = values.iter().map(String::as_str).collect();
            known.sort_unstable();
            let meant = match nearest(&field, known) {
                Some(near) => format!(": did you mean `{near}`?"),
                None => String::new(),
            };
            Err(format!("`{field}` is none of the values of `{name}`{meant}"))
        }
        _ => Ok(field),
    };
    fields.into_iter().enumerate().map(normal).collect()
}

/// What the row counts as, which may stand behind its values: `5.1,yes, {2}`.
fn arff_weight(text: &str) -> Option<&str> {
    let (before, weight) = text.rsplit_once('{')?;
    let is_behind = before.trim_end().ends_with([',', '\t', '}']);
    let number = weight.strip_suffix('}')?.trim();
    (is_behind && number.parse::<f64>().is_ok()).then_some(number)
}

/// A value of every column, between commas or, where that makes a row of them, between tabs.
fn arff_dense(text: &str, columns: usize) -> Result<Vec<String>, String> {
    let of_commas = arff_values(text, ',');
    if text.contains('\t')
        && of_commas.as_ref().map_or(true, |values| values.len() != columns)
        && let Ok(of_tabs) = arff_values(text, '\t')
        && of_tabs.len() == columns
    {
        return Ok(of_tabs);
    }
    of_commas
}

/// `1 0.5, 3 yes`: what is not named is zero, or the first value of its list.
fn arff_sparse(text: &str, attributes: &[Attribute]) -> Result<Vec<String>, String> {
    let mut fields: Vec<String> = attributes.iter().map(|of| of.absent.clone()).collect();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (index, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let at = index.parse().ok().filter(|at: &usize| *at < fields.len());
        let Some(at) = at else {
            let last = fields.len().saturating_sub(1);
            return Err(format!("expected the number of a column, 0 to {last}, found `{index}`"));
        };
        let (value, more) = arff_value(value.trim_start(), ',')?;
        fields[at] = value;
        rest = more.trim_start().strip_prefix(',').unwrap_or_default().trim_start();
    }
    Ok(fields)
}

/// Values between separators.
fn arff_values(text: &str, separator: char) -> Result<Vec<String>, String> {
    let is_blank = |letter: char| letter.is_whitespace() && letter != separator;
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        let (value, more) = arff_value(rest.trim_start_matches(is_blank), separator)?;
        values.push(value);
        match more.trim_start_matches(is_blank).strip_prefix(separator) {
            Some(more) => rest = more,
            None if more.trim().is_empty() => return Ok(values),
            None => {
                return Err(format!("expected `,` after a quoted value, found `{}`", more.trim()));
            }
        }
    }
}

/// A value, which is empty where it is missing (`?`), and what follows it.
fn arff_value(text: &str, separator: char) -> Result<(String, &str), String> {
    let (value, more) = arff_word(text, |letter| letter == separator)?;
    let is_missing = text.starts_with('?') && value == "?";
    Ok((if is_missing { String::new() } else { value }, more))
}

/// A word, which may be quoted, and what follows it.
fn arff_word(text: &str, ends: impl Fn(char) -> bool) -> Result<(String, &str), String> {
    let Some(quote) = text.chars().next().filter(|letter| ['\'', '"'].contains(letter)) else {
        let end = text.find(&ends).unwrap_or(text.len());
        return Ok((text[..end].trim().to_owned(), &text[end..]));
    };
    let (mut word, mut is_escaped) = (String::new(), false);
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => {
                word.push(letter);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            _ if letter == quote => return Ok((word, &text[at + quote.len_utf8()..])),
            _ => word.push(letter),
        }
    }
    Err(format!("the quote {quote} has no end"))
}

/// A row of the format of LIBSVM.
struct SparseRow {
    start: usize,
    label: String,
    /// What is not zero, by the number of the column.
    features: Vec<(u64, String)>,
}

fn libsvm(source: &Arc<Source>, report: &mut Report) -> Table {
    let rows = sparse_rows(source, report);
    let columns: BTreeSet<u64> =
        rows.iter().flat_map(|row| &row.features).map(|(index, _)| *index).collect();
    let is_small = is_small(source, rows.len(), columns.len(), report);
    let parsed = if rows.is_empty() || !is_small { Vec::new() } else { filled(rows, &columns) };
    let kinds = columns.iter().map(|column| (column.to_string(), DimensionKind::Number));
    Table { kinds: kinds.collect(), ..Table::new(source, Layout::Sparse, Some(parsed)) }
}

fn sparse_rows(source: &Arc<Source>, report: &mut Report) -> Vec<SparseRow> {
    let mut rows = Vec::new();
    for (start, line) in lines(source.text()) {
        let text = line.split('#').next().unwrap_or_default();
        let mut tokens = text.split_ascii_whitespace();
        let Some(token) = tokens.next() else { continue };
        let mut refuse = |token: &str, message: String| {
            // A token is a part of the text.
            let at = start + (token.as_ptr().addr() - line.as_ptr().addr());
            report.push(Diagnostic::error(message).within(source, at..at + token.len()));
        };
        let label = match libsvm_label(token) {
            Ok(label) => label,
            Err(message) => {
                refuse(token, message);
                continue;
            }
        };
        let mut features: Vec<(u64, String)> = Vec::new();
        for token in tokens.filter(|token| !token.starts_with("qid:")) {
            let last = features.last().map(|(index, _)| *index);
            match libsvm_feature(token, last) {
                Ok(feature) => features.push(feature),
                Err(message) => {
                    refuse(token, message);
                    break;
                }
            }
        }
        rows.push(SparseRow { start, label, features });
    }
    rows
}

fn is_small(source: &Arc<Source>, rows: usize, columns: usize, report: &mut Report) -> bool {
    let cells = rows.saturating_mul(columns);
    if cells > MOST_CELLS {
        let message =
            format!("{rows} rows of {columns} columns are {cells} cells, and {MOST_CELLS} may be");
        let help = "take a part of the rows, or of the columns";
        report.push(Diagnostic::error(message).within(source, 0..0).help(help));
    }
    cells <= MOST_CELLS
}

/// The header and the rows, with zeros for what they do not name.
fn filled(rows: Vec<SparseRow>, columns: &BTreeSet<u64>) -> Vec<StringRecord> {
    let names = columns.iter().map(ToString::to_string);
    let header = record([LIBSVM_LABEL.to_owned()].into_iter().chain(names), 0);
    let dense = |SparseRow { start, label, features }: SparseRow| {
        let mut features = features.into_iter().peekable();
        let values = columns.iter().map(|column| {
            let value = features.next_if(|(index, _)| index == column);
            value.map_or_else(|| "0".to_owned(), |(_, value)| value)
        });
        record([label].into_iter().chain(values), start)
    };
    [header].into_iter().chain(rows.into_iter().map(dense)).collect()
}

/// `+1`, `1.0` and `1` are the same class.
fn libsvm_label(token: &str) -> Result<String, String> {
    if token.contains(',') {
        return Err(format!("a row must have one label, found several: `{token}` (multi-label)"));
    }
    if token.contains(':') {
        return Err(format!("expected a label before the features, found `{token}`"));
    }
    let number = token.parse::<f64>().ok().filter(|number| number.is_finite());
    Ok(number.map_or_else(|| token.to_owned(), |number| (number + 0.0).to_string()))
}

/// `3:0.5`, of which the number is above `last`.
fn libsvm_feature(token: &str, last: Option<u64>) -> Result<(u64, String), String> {
    let parts = token.split_once(':').and_then(|(index, value)| {
        let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
        Some((index.parse::<u64>().ok()?, number(value))).filter(|_| is_number)
    });
    let Some((index, value)) = parts else {
        return Err(format!("expected a feature such as `3:0.5`, found `{token}`"));
    };
    if last.is_some_and(|last| index <= last) {
        return Err(format!("the numbers of features must rise, found `{token}`"));
    }
    Ok((index, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Result<Vec<Vec<String>>, String> {
        let mut report = Report::new();
        let table = Table::of(&Source::new(path, text), &mut report);
        if report.has_errors() {
            return Err(report.render(false));
        }
        let rows = table.records().map(|row| row.iter().map(str::to_owned).collect());
        Ok(rows.collect())
    }

    #[test]
    fn formats_say_the_same() {
        let csv = "kind,the size,soil\na,1,clay\n\"b, c\",0.5,sand\na,0,clay\n";
        let arff = "% made by hand\n@RELATION r\n@attribute kind {a, 'b, c'}\r\n\
                    @attribute 'the size' Numeric\n@attribute soil {clay,sand}\n\n@DATA\n\
                    a,+1,clay\n'b, c', .5 ,\"sand\"\n% nothing\n{ }\n";
        assert_eq!(read("x.csv", csv).unwrap(), read("x.arff", arff).unwrap());
        let csv = "label,2,7\n1,0.5,0\n-1,0,3\n1,0,0\n";
        let libsvm = "+1 2:.5 # a comment\n-1 qid:3 7:3\n\n1\n";
        assert_eq!(read("x.csv", csv).unwrap(), read("x.libsvm", libsvm).unwrap());
    }

    /// As `scipy.io.arff` and `sklearn.datasets.load_svmlight_file` read them; `?` is missing.
    #[test]
    fn odd_tables_are_read_as_others_read_them() {
        let csv = "the kind,size,day\n\"b, c\",,2026-01-03\na,-1.5,\n\"it's\",0.25,2026-01-04\n";
        let arff = "% a remark\n@RELATION 'odd one'\r\n@Attribute\t\"the kind\"{a, 'b, c' , \"it's\"} \
                    % kinds\r\n@attribute size REAL\n@attribute day date 'yyyy-MM-dd'\n\n@Data\n\
                    'b, c',?,2026-01-03\r\n  a , -1.5 , ?  \n\n% more\n'it\\'s'\t.25\t2026-01-04\n";
        assert_eq!(read("x.csv", csv).unwrap(), read("x.ARFF", arff).unwrap());
        let sparse =
            "@attribute a numeric\n@attribute k {no,'y s'}\n@data\n{0 ?, 1 'y s'}\n{1\t?}\n";
        assert_eq!(read("x.arff", sparse).unwrap(), [["a", "k"], ["", "y s"], ["0", ""]]);
        let csv = "label,1,3\n1,0.5,-2\n-1,0,1e2\n1,0,0\n2.5,1,0\n";
        let libsvm = "# made by hand\r\n+1 qid:1 1:.5 3:-2 # one\r\n-1.0\t3:1e2\n\n1.0\n2.5 1:1\n";
        assert_eq!(read("x.csv", csv).unwrap(), read("x.svm.gz", libsvm).unwrap());
    }

    #[test]
    fn sparse_rows_say_what_is_not_zero() {
        let text = "@attribute a numeric\n@attribute k {no,yes}\n@attribute 'b c' real\n@data\n\
                    {2 7, 1 yes}\n{0 1.5}\n";
        let rows = read("x.arff", text).unwrap();
        assert_eq!(rows, [["a", "k", "b c"], ["0", "yes", "7"], ["1.5", "no", "0"]]);
    }

    #[test]
    fn what_cannot_be_read_is_told_where_it_stands() {
        let cases = [
            (
                "x.arff",
                "@attribute a number\n@data\n1\n",
                "the type of `a` must be `numeric`",
                "1:1",
            ),
            (
                "x.arff",
                "@attribute a numeric\n1,2\n",
                "expected `@attribute` or `@data`, found `1,2`",
                "2:1",
            ),
            ("x.arff", "@attribute a numeric\n", "the file has no `@data`", "1:1"),
            ("x.arff", "@attribute a string\n@data\n 'x\n", "the quote ' has no end", "3:2"),
            (
                "x.arff",
                "@attribute a string\n@data\n'x'y,2\n",
                "expected `,` after a quoted value, found `y,2`",
                "3:1",
            ),
            (
                "x.arff",
                "@attribute a string\n@data\n{4 x}\n",
                "expected the number of a column, 0 to 0, found `4`",
                "3:1",
            ),
            (
                "x.arff",
                "@attribute a {yes,no}\n@data\nyes\n ye\n",
                "`ye` is none of the values of `a`: did you mean `yes`?",
                "4:2",
            ),
            ("x.arff", "@attribute a {yes,no\n@data\n", "a list of values ends with `}`", "1:1"),
            (
                "x.arff",
                "@attribute a {yes} no\n@data\n",
                "expected nothing after the list of values, found `no`",
                "1:1",
            ),
            (
                "x.arff",
                "@attribute a numeric\n@data\n1\n1, {2}\n",
                "the weight `2` of a row is not read",
                "4:1",
            ),
            ("x.csv", "\n {\"a\":1}\n", "found JSON", "2:2"),
            ("x.svm", "1 2:1\n1,2 2:1\n", "found several: `1,2` (multi-label)", "2:1"),
            ("x.svm", "1:2 2:1\n", "expected a label before the features, found `1:2`", "1:1"),
            ("x.svm", "1 2:1\n1 2:x\n", "expected a feature such as `3:0.5`, found `2:x`", "2:3"),
            ("x.svm", "1 3:1 2:1\n", "the numbers of features must rise, found `2:1`", "1:7"),
        ];
        for (path, text, message, place) in cases {
            let said = read(path, text).unwrap_err();
            assert!(said.contains(message), "{said}");
            assert!(said.contains(&format!("{path}:{place}")), "{said}");
        }
    }
}
