//! What did it cost?

mod cells;
mod column;
mod costs;
mod cube;
mod exact;
mod group;
mod intern;
mod layout;
mod port;
mod read;
mod record;

pub use column::{Column, ColumnKind, FocusVersion};
pub use costs::{CostKind, CostSum, Costs};
pub use cube::{Cube, Dimension, Group, TooManyDimensions};
pub use exact::{Exact, ExactError, ExactSum, MAX_SCALE, RoundedSum};
pub use group::CostGroup;
pub use port::{
    BoxError, CostSource, CostStore, PartitionInfo, PartitionKey, Scan, SourceError, StoreError,
};
pub use read::{
    BillReader, FileProblem, Folded, Format, ReadError, ReadOptions, RejectReason, RejectedRow, Row,
};
pub use record::{ChargeCategory, CommitmentStatus, CostRecord, Period};

mod quotient;
mod series;

pub use series::{Closing, DailySeries, DateRange, SeriesError};
