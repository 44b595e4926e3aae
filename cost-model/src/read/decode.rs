//! Which dialect is a header, and how does a row of it become a record?

use super::cell::{CellProblem, Memo};
use super::{FileProblem, Format, ReadOptions, aws_cur, azure, focus, oci};
use crate::CostRecord;
use crate::cells::Cells;
use crate::layout::Layout;

/// The format that this header belongs to.
///
/// FOCUS comes last: the native dialects are told by columns that only they have, FOCUS by
/// having one of its own at all.
pub(crate) fn detect(header: &[&str]) -> Option<Format> {
    if aws_cur::recognizes(header) {
        Some(Format::AwsCur)
    } else if oci::recognizes(header) {
        Some(Format::Oci)
    } else if azure::recognizes(header) {
        Some(Format::Azure)
    } else if focus::recognizes(header) {
        Some(Format::Focus)
    } else {
        None
    }
}

/// Turns the rows of one file into records.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) format: Format,
    pub(crate) layout: Layout,
    dialect: Dialect,
}

#[derive(Debug)]
enum Dialect {
    Focus(focus::Focus),
    AwsCur(aws_cur::AwsCur),
    Azure(azure::Azure),
    Oci(oci::Oci),
}

impl Decoder {
    /// A decoder for rows under this header, and what is wrong with the header.
    pub(crate) fn new(
        format: Format,
        header: &[&str],
        options: &ReadOptions,
    ) -> (Decoder, Vec<FileProblem>) {
        let (layout, dialect, problems) = match format {
            Format::Focus => {
                let (layout, focus, problems) = focus::Focus::new(header, options);
                (layout, Dialect::Focus(focus), problems)
            }
            Format::AwsCur => {
                let (layout, cur, problems) = aws_cur::AwsCur::new(header, options);
                (layout, Dialect::AwsCur(cur), problems)
            }
            Format::Azure => {
                let (layout, azure, problems) = azure::Azure::new(header, options);
                (layout, Dialect::Azure(azure), problems)
            }
            Format::Oci => {
                let (layout, oci, problems) = oci::Oci::new(header, options);
                (layout, Dialect::Oci(oci), problems)
            }
        };
        (
            Decoder {
                format,
                layout,
                dialect,
            },
            problems,
        )
    }

    /// The record of one row that has as many cells as the header.
    #[inline]
    pub(crate) fn decode<'a>(
        &'a self,
        cells: Cells<'a>,
        memo: &mut Memo,
    ) -> Result<CostRecord<'a>, CellProblem> {
        match &self.dialect {
            Dialect::Focus(focus) => focus.decode(cells, &self.layout, memo),
            Dialect::AwsCur(cur) => cur.decode(cells, &self.layout, memo),
            Dialect::Azure(azure) => azure.decode(cells, &self.layout, memo),
            Dialect::Oci(oci) => oci.decode(cells, &self.layout, memo),
        }
    }
}
