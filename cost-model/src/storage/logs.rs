//! Which log files are archived, under which keys, and what does that save?

use bursar_units::{Money, MoneyError};
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::archive::ArchiveMachine;
use super::lifecycle::StorageClass;
use super::prices::{S3Prices, by_gigabyte, by_thousand};
use super::{EbsPrices, StorageError};

/// How log files are archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSettings {
    /// What the names of files look like; `*` stands for any characters and `?` for one.
    pub pattern: String,
    /// Files that were last written fewer days ago stay.
    pub min_age_days: u32,
    /// What the keys begin with, before `YYYY/MM/DD/`.
    pub key_prefix: String,
    /// The class that they are kept in.
    pub class: StorageClass,
    /// How many times smaller files are expected to become; `None` leaves the saving unknown, for
    /// only compressing tells.
    pub expected_ratio: Option<Decimal>,
    /// A gigabyte a month of the volume that they are on; `None` where that is not known.
    pub local_gb: Option<Money>,
    /// What objects cost.
    pub prices: S3Prices,
}

impl Default for ArchiveSettings {
    /// `*.log` of seven days and more, to `archived-logs/` in Standard-IA, from gp3 in
    /// `us-east-1`; the ratio is not known beforehand.
    fn default() -> ArchiveSettings {
        let gp3 = EbsPrices::us_east_1().general.gp3_gb;
        let prices = S3Prices::us_east_1();
        ArchiveSettings {
            pattern: "*.log".to_owned(),
            min_age_days: 7,
            key_prefix: "archived-logs/".to_owned(),
            class: StorageClass::StandardIa,
            expected_ratio: None,
            local_gb: gp3.to_decimal().map(|gb| Money::new(gb, prices.currency())),
            prices,
        }
    }
}

/// A folder with log files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogFolder {
    /// Where it is.
    pub path: String,
    /// Its files, those of folders below it included.
    pub files: Vec<LogFile>,
}

/// A file as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogFile {
    /// Its path below the folder, with `/` between names.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The day on which it was last written.
    pub modified: Date,
    /// Whether a program has it open; `None` when that is not known.
    pub open: Option<bool>,
}

impl ArchiveSettings {
    /// What a month costs less for files of so many bytes that were compressed to so many: what they
    /// took of the volume, by its price, less what the archive takes. `None` where a price is not
    /// known.
    ///
    /// ```
    /// use bursar_cost_model::storage::ArchiveSettings;
    ///
    /// // 10 GB of gp3 at 0.08 against 1 GB of Standard-IA at 0.0125.
    /// let saving = ArchiveSettings::default().saving(10 << 30, 1 << 30)?;
    /// assert_eq!(saving.map(|money| money.to_string()).as_deref(), Some("0.787500 USD"));
    /// # Ok::<(), bursar_units::MoneyError>(())
    /// ```
    ///
    /// # Errors
    /// [`MoneyError`] for prices of two currencies, or out of range.
    pub fn saving(&self, bytes: u64, packed_bytes: u64) -> Result<Option<Money>, MoneyError> {
        let (Some(class), Some(local_gb)) = (self.prices.classes.get(&self.class), self.local_gb)
        else {
            return Ok(None);
        };
        let archived = by_gigabyte(class.storage_gb, packed_bytes)?;
        let local = by_gigabyte(local_gb, bytes)?;
        local.checked_sub(archived).map(Some)
    }
}

impl LogFolder {
    /// What is archived of it.
    ///
    /// # Errors
    /// [`StorageError::Ratio`] for an expected ratio under 1, and amounts out of range.
    pub fn plan(
        &self,
        settings: &ArchiveSettings,
        today: Date,
    ) -> Result<ArchivePlan, StorageError> {
        if let Some(ratio) = settings
            .expected_ratio
            .filter(|ratio| *ratio < Decimal::ONE)
        {
            return Err(StorageError::Ratio(ratio));
        }
        let mut plan = ArchivePlan {
            folder: self.path.clone(),
            items: Vec::new(),
            skipped: Vec::new(),
            bytes: 0,
            class: settings.class,
            monthly_saving: None,
            upload_cost: Money::zero(settings.prices.currency()),
        };
        for file in &self.files {
            match skip_reason(file, settings, today) {
                Some(reason) => plan.skipped.push(SkippedFile {
                    path: file.path.clone(),
                    reason,
                }),
                None => {
                    plan.bytes = plan.bytes.saturating_add(file.bytes);
                    plan.items.push(ArchiveItem {
                        path: file.path.clone(),
                        bytes: file.bytes,
                        key_stem: key_stem(file, settings),
                    });
                }
            }
        }
        plan.price(settings)?;
        Ok(plan)
    }
}

fn skip_reason(file: &LogFile, settings: &ArchiveSettings, today: Date) -> Option<SkipReason> {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    if !matches(&settings.pattern, name) {
        return Some(SkipReason::OtherName);
    }
    match file.open {
        Some(true) => return Some(SkipReason::Open),
        None => return Some(SkipReason::OpenUnknown),
        Some(false) => {}
    }
    if file.bytes == 0 {
        return Some(SkipReason::Empty);
    }
    let age = today.duration_since(file.modified).as_hours() / 24;
    (age < i64::from(settings.min_age_days)).then_some(SkipReason::TooYoung)
}

/// `archived-logs/2026/11/20/web/access.log`.
fn key_stem(file: &LogFile, settings: &ArchiveSettings) -> String {
    let day = file.modified;
    format!(
        "{}{:04}/{:02}/{:02}/{}",
        settings.key_prefix,
        day.year(),
        day.month(),
        day.day(),
        file.path
    )
}

/// Whether a name looks like a pattern of `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` is, and how much of the name it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || Some(&c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

/// The files of a folder that are archived, and those that are not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ArchivePlan {
    /// The folder.
    pub folder: String,
    /// What is archived, in the order of the description.
    pub items: Vec<ArchiveItem>,
    /// What is not.
    pub skipped: Vec<SkippedFile>,
    /// Bytes that become free.
    pub bytes: u64,
    /// The class that the copies are kept in.
    pub class: StorageClass,
    /// What storing them costs less a month: what they take of the volume, by its price, less the
    /// archive. A volume charges for its size, so this is saved when it shrinks, or does not have
    /// to grow. `None` without an expected ratio or a price.
    pub monthly_saving: Option<Money>,
    /// What the uploads cost once.
    pub upload_cost: Money,
}

impl ArchivePlan {
    fn price(&mut self, settings: &ArchiveSettings) -> Result<(), MoneyError> {
        let class = settings.prices.classes.get(&settings.class);
        let Some(class) = class else {
            return Ok(());
        };
        let n_items = u64::try_from(self.items.len()).unwrap_or(u64::MAX);
        self.upload_cost = by_thousand(class.put_per_1000, n_items)?;
        if let Some(ratio) = settings.expected_ratio {
            // A ratio is 1 or more, so this is at most the bytes there are.
            let packed = Decimal::from(self.bytes).checked_div(ratio);
            let packed = packed.and_then(|bytes| bytes.ceil().to_u64());
            self.monthly_saving = match packed {
                Some(packed) => settings.saving(self.bytes, packed)?,
                None => None,
            };
        }
        Ok(())
    }
}

/// A file that is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ArchiveItem {
    /// Its path below the folder.
    pub path: String,
    /// Its size when it was described.
    pub bytes: u64,
    /// Its key without the checksum and `.gz`, which follow when it is compressed.
    pub key_stem: String,
}

impl ArchiveItem {
    /// What leads it through compression, upload, verification and removal.
    #[must_use]
    pub fn machine(&self) -> ArchiveMachine {
        ArchiveMachine::new(self.path.clone(), self.key_stem.clone())
    }
}

/// A file that is not archived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SkippedFile {
    /// Its path below the folder.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file is not archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SkipReason {
    /// Its name does not look like the pattern.
    OtherName,
    /// A program has it open and may write to it.
    Open,
    /// It is not known whether a program has it open.
    OpenUnknown,
    /// There is nothing in it.
    Empty,
    /// It was written to in the last days, or after today.
    TooYoung,
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_matched_to_the_whole_name() {
        for (pattern, name, expected) in [
            ("*.log", "access.log", true),
            ("*.log", "access.log.1", false),
            ("*.log", ".log", true),
            ("app-?.log", "app-1.log", true),
            ("app-?.log", "app-12.log", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
            ("", "a", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
