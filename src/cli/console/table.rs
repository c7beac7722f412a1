//! Columns that line up.

use unicode_width::UnicodeWidthStr;

use super::paint::Paint;

/// A text and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    paint: Paint,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, paint: Paint::Plain }
    }
}

impl Cell {
    /// A text in a colour.
    pub fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Self { text: text.into(), paint }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

/// On which side a column lines up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells; the columns line up when it is shown.
pub struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<Cell>>,
}

const GAP: &str = "  ";

impl Table {
    /// A table of these columns, without rows.
    pub fn new(columns: &[(&str, Side)]) -> Self {
        let header = columns.iter().map(|(name, _)| Cell::painted(*name, Paint::Faint));
        Self {
            sides: columns.iter().map(|(_, side)| *side).collect(),
            rows: vec![header.collect()],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, each with its end; nothing without rows.
    pub fn text(&self) -> String {
        if self.rows.len() == 1 {
            return String::new();
        }
        let widths = self.widths();
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(Cell::width).max().unwrap_or(0)
        };
        (0..self.sides.len()).map(width).collect()
    }

    /// A line without blanks at its end.
    fn line(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        let mut blanks = 0;
        for ((cell, side), width) in row.iter().zip(&self.sides).zip(widths) {
            let padding = width - cell.width();
            let (before, after) = if *side == Side::Right { (padding, 0) } else { (0, padding) };
            if cell.text.trim().is_empty() {
                blanks += width + GAP.len();
                continue;
            }
            line.push_str(&" ".repeat(blanks + before));
            line.push_str(&cell.paint.over(&cell.text));
            blanks = after + GAP.len();
        }
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let mut table =
            Table::new(&[("name", Side::Left), ("n", Side::Right), ("why", Side::Left)]);
        table.row([
            Cell::from("喫茶".to_owned()),
            Cell::painted("7", Paint::Bad),
            "x".to_owned().into(),
        ]);
        table.row([Cell::from("a".to_owned()), "1234".to_owned().into(), String::new().into()]);
        let text = strip_str(&table.text()).to_string();
        assert_eq!(text, "name     n  why\n喫茶     7  x\na     1234\n");
    }

    #[test]
    fn a_header_alone_is_nothing() {
        assert_eq!(Table::new(&[("name", Side::Left)]).text(), "");
    }
}
