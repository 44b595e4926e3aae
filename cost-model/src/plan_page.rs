//! How is a plan written once and read on a terminal and in Markdown?

use bursar_units::Money;
use unicode_width::UnicodeWidthStr;

use crate::report::{escape, number};
use crate::{Cell, Exact, ExactSum, Table};

/// Columns that words are wrapped to on a terminal.
const WIDTH: usize = 80;

/// A page of headings, words, lists and tables, from which both renderings are made.
#[derive(Debug, Default)]
pub(crate) struct PlanPage {
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    Heading(u8, String),
    Paragraph(String),
    /// Items under a number, where they are steps in an order, or under a dash.
    Item(Option<usize>, String),
    /// An item inside the item above.
    SubItem(String),
    Table(Table),
}

impl PlanPage {
    pub(crate) fn title(&mut self, words: impl Into<String>) {
        self.blocks.push(Block::Heading(1, words.into()));
    }

    pub(crate) fn heading(&mut self, words: impl Into<String>) {
        self.blocks.push(Block::Heading(2, words.into()));
    }

    pub(crate) fn paragraph(&mut self, words: impl Into<String>) {
        self.blocks.push(Block::Paragraph(words.into()));
    }

    pub(crate) fn item(&mut self, words: impl Into<String>) {
        self.blocks.push(Block::Item(None, words.into()));
    }

    pub(crate) fn numbered(&mut self, number: usize, words: impl Into<String>) {
        self.blocks.push(Block::Item(Some(number), words.into()));
    }

    pub(crate) fn sub_item(&mut self, words: impl Into<String>) {
        self.blocks.push(Block::SubItem(words.into()));
    }

    /// The table without its title; nothing for a table without rows.
    pub(crate) fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut last: Option<&Block> = None;
        for block in &self.blocks {
            if last.is_some_and(|last| apart(last, block)) {
                text.push('\n');
            }
            match block {
                Block::Heading(level, words) => {
                    let words = escape::plain(words);
                    let rule = if *level == 1 { "═" } else { "─" };
                    text.push_str(&format!("{words}\n{}\n", rule.repeat(words.width())));
                }
                Block::Paragraph(words) => text.push_str(&wrapped(words, "", "")),
                Block::Item(number, words) => {
                    let mark = number.map_or("- ".to_owned(), |number| format!("{number:>2}. "));
                    text.push_str(&wrapped(words, &mark, &" ".repeat(mark.len())));
                }
                Block::SubItem(words) => text.push_str(&wrapped(words, "    - ", "      ")),
                Block::Table(table) => text.push_str(&table.to_text()),
            }
            last = Some(block);
        }
        text
    }

    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::new();
        let mut last: Option<&Block> = None;
        for block in &self.blocks {
            if last.is_some_and(|last| apart(last, block) || matches!(last, Block::Heading(..))) {
                text.push('\n');
            }
            match block {
                Block::Heading(level, words) => {
                    let marks = "#".repeat(usize::from(*level));
                    text.push_str(&format!("{marks} {}\n", escape::markdown(words)));
                }
                Block::Paragraph(words) => {
                    text.push_str(&format!("{}\n", escape::markdown(words)));
                }
                Block::Item(number, words) => {
                    let mark = number.map_or("-".to_owned(), |number| format!("{number}."));
                    text.push_str(&format!("{mark} {}\n", escape::markdown(words)));
                }
                Block::SubItem(words) => {
                    text.push_str(&format!("    - {}\n", escape::markdown(words)));
                }
                Block::Table(table) => text.push_str(&table.to_markdown()),
            }
            last = Some(block);
        }
        text
    }
}

/// Whether an empty line stands between two blocks: not inside a list, and not under a heading.
fn apart(above: &Block, below: &Block) -> bool {
    let listed = |block: &Block| matches!(block, Block::Item(..) | Block::SubItem(_));
    let under_heading = matches!(above, Block::Heading(..));
    let in_list = listed(above) && listed(below);
    !(under_heading || in_list)
}

/// The words on lines of at most [`WIDTH`] columns; a longer word has a line of its own.
fn wrapped(words: &str, first: &str, next: &str) -> String {
    let mut text = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in escape::plain(words).split_whitespace() {
        if !empty && line.width() + 1 + word.width() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = next.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

/// An amount of money as a cell; unknown where it is not known.
pub(crate) fn money_cell(money: Option<Money>) -> Cell {
    let Some(money) = money else {
        return Cell::Unknown;
    };
    Cell::amount(exact(money), money.currency())
}

/// `USD 1,234.57`, or `unknown`.
pub(crate) fn shown(money: Option<Money>) -> String {
    let known = money.and_then(|money| Some((exact(money)?, money.currency())));
    known.map_or("unknown".to_owned(), |(sum, currency)| {
        number::money(&sum, currency)
    })
}

fn exact(money: Money) -> Option<ExactSum> {
    Exact::try_from(money.amount()).ok().map(ExactSum::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_to_the_width_and_none_is_lost() {
        let words = "all that is said ".repeat(20);
        let text = wrapped(&words, "- ", "  ");
        assert!(text.lines().all(|line| line.width() <= WIDTH));
        let said: Vec<&str> = text.trim_start_matches("- ").split_whitespace().collect();
        assert_eq!(said, words.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn lists_stay_together_and_stand_apart_from_paragraphs() {
        let mut page = PlanPage::default();
        page.title("A | B");
        page.paragraph("Words.");
        page.numbered(1, "one");
        page.sub_item("inside");
        page.numbered(2, "two");
        page.paragraph("More.");
        assert_eq!(
            page.to_text(),
            "A | B\n═════\nWords.\n\n 1. one\n    - inside\n 2. two\n\nMore.\n"
        );
        assert_eq!(
            page.to_markdown(),
            "# A \\| B\n\nWords.\n\n1. one\n    - inside\n2. two\n\nMore.\n"
        );
    }
}
