//! What is run on the server?

use std::borrow::Cow;

use redis::Cmd;

/// A Lua script and the digest by which servers know it once they have seen it.
#[derive(Debug)]
pub(crate) struct Script {
    code: Cow<'static, str>,
    digest: String,
}

/// A script with its keys and arguments.
pub(crate) struct Call<'c> {
    pub(crate) script: &'c Script,
    pub(crate) keys: &'c [String],
    pub(crate) arguments: &'c [Vec<u8>],
    /// Whether running it twice does no more than running it once.
    pub(crate) may_repeat: bool,
}

impl Script {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        Self {
            digest: redis::Script::new(&code).get_hash().to_owned(),
            code,
        }
    }
}

impl Call<'_> {
    /// By digest, or with the whole script, which the server keeps from then on.
    pub(crate) fn command(&self, by_digest: bool) -> Cmd {
        let mut command = match by_digest {
            true => redis::cmd("EVALSHA"),
            false => redis::cmd("EVAL"),
        };
        command
            .arg(match by_digest {
                true => &*self.script.digest,
                false => &*self.script.code,
            })
            .arg(self.keys.len())
            .arg(self.keys);
        for argument in self.arguments {
            command.arg(argument.as_slice());
        }
        command
    }
}
