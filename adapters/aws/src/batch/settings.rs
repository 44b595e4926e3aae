//! Where are the files of batch jobs, and who may read them?

/// Where batch jobs have their files, and as whom Bedrock reads and writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct BedrockBatchSettings {
    pub(super) bucket: String,
    /// Without slashes at either end; may be empty.
    prefix: String,
    pub(super) role_arn: String,
    pub(super) encryption_key: Option<String>,
    pub(super) bucket_owner: Option<String>,
}

/// Why settings are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchSettingsError {
    /// The folder is none.
    #[error(
        "`{folder}` is no folder on S3 that Bedrock takes; write s3://BUCKET/FOLDER with letters, digits and \
         -_.!*'() in names, {LONGEST_FOLDER} characters at most"
    )]
    Folder {
        /// What was given.
        folder: String,
    },
    /// The role is none.
    #[error("`{role_arn}` is no role; write arn:aws:iam::ACCOUNT:role/NAME")]
    Role {
        /// What was given.
        role_arn: String,
    },
    /// The account is none.
    #[error("`{account}` is no account of AWS; write its 12 digits")]
    Account {
        /// What was given.
        account: String,
    },
}

/// Bedrock takes 1,024 characters for the address of a file; the longest name of a job takes 64 twice.
const LONGEST_FOLDER: usize = 850;

impl BedrockBatchSettings {
    /// Jobs whose files are in this folder, `s3://BUCKET/FOLDER` or `s3://BUCKET`, and which Bedrock runs
    /// as this role. The role has to be one that Bedrock may take on and that may read, write and list the
    /// folder; whoever creates jobs needs `iam:PassRole` for it.
    ///
    /// # Errors
    /// [`BatchSettingsError`].
    pub fn new(
        folder: impl Into<String>,
        role_arn: impl Into<String>,
    ) -> Result<Self, BatchSettingsError> {
        let (folder, role_arn) = (folder.into(), role_arn.into());
        let Some((bucket, prefix)) = parse(&folder) else {
            return Err(BatchSettingsError::Folder { folder });
        };
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        if !is_role(&role_arn) {
            return Err(BatchSettingsError::Role { role_arn });
        }
        Ok(Self {
            bucket,
            prefix,
            role_arn,
            encryption_key: None,
            bucket_owner: None,
        })
    }

    /// With this key of KMS, by which Bedrock encrypts the results.
    pub fn encryption_key(mut self, key: impl Into<String>) -> Self {
        self.encryption_key = Some(key.into());
        self
    }

    /// With this account as the owner of the bucket: calls fail if another one owns it.
    ///
    /// # Errors
    /// [`BatchSettingsError::Account`].
    pub fn bucket_owner(mut self, account: impl Into<String>) -> Result<Self, BatchSettingsError> {
        let account = account.into();
        if !is_account(&account) {
            return Err(BatchSettingsError::Account { account });
        }
        self.bucket_owner = Some(account);
        Ok(self)
    }

    /// The key of an object in the folder.
    pub(super) fn key(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    /// The address of an object of the bucket.
    pub(super) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

/// The bucket and the folder. Bedrock takes fewer characters than S3 does: its type `S3Uri` (botocore
/// 1.44.5, read 2026-11-27).
fn parse(folder: &str) -> Option<(&str, &str)> {
    let path = folder.strip_prefix("s3://")?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let is_bucket = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| is_bucket(byte) || matches!(byte, b'-' | b'.');
    let edges = [bucket.bytes().next()?, bucket.bytes().next_back()?];
    let bucket_fits = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(inner)
        && edges.into_iter().all(is_bucket);
    let name_fits = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-!_*'().".contains(&byte);
        !name.is_empty() && name.bytes().all(fits)
    };
    let prefix_fits = prefix.is_empty() || prefix.split('/').all(name_fits);
    let fits = bucket_fits && prefix_fits && folder.len() <= LONGEST_FOLDER;
    fits.then_some((bucket, prefix))
}

/// `arn:aws:iam::123456789012:role/NAME`: the type `RoleArn` (botocore 1.44.5, read 2026-11-27).
fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let is_aws = *partition == "aws" || partition.starts_with("aws-");
    let name = resource.strip_prefix("role/");
    (*scheme, *service, *region) == ("arn", "iam", "")
        && is_aws
        && is_account(account)
        && name.is_some_and(|name| !name.is_empty())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/batches";

    #[test]
    fn a_folder_is_a_bucket_and_names_that_bedrock_takes() {
        for (folder, key) in [
            ("s3://tickets", "x"),
            ("s3://tickets/", "x"),
            ("s3://tickets/a", "a/x"),
            ("s3://tickets/a/b.c/", "a/b.c/x"),
        ] {
            let settings = BedrockBatchSettings::new(folder, ROLE).unwrap();
            assert_eq!(settings.key("x"), key, "{folder}");
            assert_eq!(settings.uri("y"), "s3://tickets/y");
        }
        let long = format!("s3://tickets/{}", "a".repeat(900));
        for folder in [
            long.as_str(),
            "tickets",
            "https://tickets/a",
            "s3://",
            "s3://ab",
            "s3://Tickets",
            "s3://-tickets",
            "s3://tickets/a b",
            "s3://tickets//a",
            "s3://tickets/a//",
            "s3://tickets/ä",
        ] {
            let refused = BedrockBatchSettings::new(folder, ROLE);
            let folder = folder.to_owned();
            assert_eq!(refused, Err(BatchSettingsError::Folder { folder }));
        }
    }

    #[test]
    fn a_role_is_the_arn_of_one() {
        for role in [
            "arn:aws-cn:iam::123456789012:role/a",
            "arn:aws:iam::123456789012:role/service-role/a",
        ] {
            assert!(BedrockBatchSettings::new("s3://tickets", role).is_ok());
        }
        for role in [
            "batches",
            "arn:aws:iam::123456789012:user/me",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::1234:role/a",
            "arn:awsome:iam::123456789012:role/a",
            "arn:aws:sts::123456789012:role/a",
        ] {
            let refused = BedrockBatchSettings::new("s3://tickets", role);
            let role_arn = role.to_owned();
            assert_eq!(refused, Err(BatchSettingsError::Role { role_arn }));
        }
    }

    #[test]
    fn an_owner_is_an_account() {
        let settings = || BedrockBatchSettings::new("s3://tickets", ROLE).unwrap();
        assert!(settings().bucket_owner("123456789012").is_ok());
        let account = "me".to_owned();
        let refused = settings().bucket_owner("me");
        assert_eq!(refused, Err(BatchSettingsError::Account { account }));
    }
}
