//! Columns that line up.

/// Rows of cells; the columns line up when it is shown.
pub struct Table {
    rows: Vec<Vec<String>>,
    /// Columns from here on are set flush right.
    right_from: usize,
}

impl Table {
    /// A table with a header, whose columns from `right_from` on are numbers.
    pub fn new(header: &[&str], right_from: usize) -> Self {
        Self { rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()], right_from }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, without trailing blanks.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column| self.cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(width).collect();
        self.rows.iter().map(move |row| self.line(row, &widths))
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &String> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if column >= self.right_from {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        };
        let cells: Vec<_> = row.iter().enumerate().map(cell).collect();
        cells.join("   ").trim_end().to_owned()
    }
}
