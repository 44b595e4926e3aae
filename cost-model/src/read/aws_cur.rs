//! How does a row of an AWS-CUR file become a record?

use super::cell::{CellProblem, Memo};
use super::{FileProblem, ReadOptions};
use crate::CostRecord;
use crate::cells::Cells;
use crate::layout::Layout;

/// Whether the header has columns that only this dialect names so.
pub(crate) fn recognizes(_header: &[&str]) -> bool {
    false
}

#[derive(Debug)]
pub(crate) struct AwsCur {}

impl AwsCur {
    pub(crate) fn new(
        header: &[&str],
        _options: &ReadOptions,
    ) -> (Layout, AwsCur, Vec<FileProblem>) {
        (Layout::new(header, |_| None), AwsCur {}, Vec::new())
    }

    pub(crate) fn decode<'a>(
        &'a self,
        cells: Cells<'a>,
        layout: &'a Layout,
        _memo: &mut Memo,
    ) -> Result<CostRecord<'a>, CellProblem> {
        Ok(CostRecord::of_row(
            bursar_units::Currency::XXX,
            cells,
            layout,
        ))
    }
}
