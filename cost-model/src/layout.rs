//! In which cell of a row is which column?

use crate::Column;
use crate::record::is_plain_text;

/// The places of the columns of one file.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    positions: [Option<u16>; Column::COUNT],
    extras: Vec<(String, usize)>,
    names: Vec<String>,
    texts: Vec<u16>,
}

impl Layout {
    /// A layout from the header's names and, for each, the column that it holds.
    ///
    /// Where two cells claim one column the first keeps it; the other stays under its own name.
    pub(crate) fn new(names: &[&str], column_of: impl Fn(&str) -> Option<Column>) -> Layout {
        let mut layout = Layout {
            positions: [None; Column::COUNT],
            extras: Vec::new(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            texts: Vec::new(),
        };
        for (at, name) in names.iter().enumerate() {
            let place = column_of(name).map(|column| &mut layout.positions[column as usize]);
            match (place, u16::try_from(at)) {
                (Some(place @ None), Ok(at)) => *place = Some(at),
                _ => layout.extras.push(((*name).to_owned(), at)),
            }
        }
        let texts = Column::ALL.iter().filter(|column| is_plain_text(**column));
        layout.texts = texts
            .filter_map(|&column| layout.positions[column as usize])
            .collect();
        layout
    }

    /// The layout without these among its extras: what they hold is read in another way.
    pub(crate) fn without_extras(mut self, places: &[usize]) -> Layout {
        self.extras.retain(|(_, at)| !places.contains(at));
        self
    }

    /// The cell that holds a column.
    #[inline]
    pub(crate) fn position(&self, column: Column) -> Option<usize> {
        self.positions[column as usize].map(usize::from)
    }

    /// The cells of the columns that are [plain text](is_plain_text), in the order of columns.
    #[inline]
    pub(crate) fn texts(&self) -> &[u16] {
        &self.texts
    }

    /// The column that a cell holds.
    pub(crate) fn column(&self, place: u16) -> Option<Column> {
        let holds = |column: &&Column| self.positions[**column as usize] == Some(place);
        Column::ALL.iter().find(holds).copied()
    }

    /// The cells that no FOCUS column claims, with their names.
    pub(crate) fn extras(&self) -> impl Iterator<Item = (&str, usize)> {
        self.extras.iter().map(|(name, at)| (name.as_str(), *at))
    }

    /// How many cells a row has.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// The header's name of a cell; past the header, its number from 1.
    pub(crate) fn name(&self, at: usize) -> String {
        self.names
            .get(at)
            .cloned()
            .unwrap_or_else(|| format!("#{}", at + 1))
    }
}
