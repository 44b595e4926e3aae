//! Is a tags cell one flat JSON object of distinct keys?

use std::borrow::Cow;
use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::InvariantChecks;
use super::rule::Rule;
use super::shown::Shown;
use crate::{Column, CostRecord};

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_tags(&mut self, record: &CostRecord<'_>) {
        let Some(tags) = self.text(record, Column::Tags) else {
            return;
        };
        let fault = self.tags.fault(tags);
        let shown = || {
            let fault = fault.as_ref().map(TagFault::to_string);
            Shown::values([("Tags", fault.unwrap_or_default())])
        };
        let is_object = !matches!(fault, Some(TagFault::NoObject(_)));
        self.check(Rule::TagsAreObject, record, is_object, shown);
        if is_object {
            let is_flat = !matches!(fault, Some(TagFault::Nested(_)));
            self.check(Rule::TagsAreFlat, record, is_flat, shown);
            let is_unique = !matches!(fault, Some(TagFault::Duplicate(_)));
            self.check(Rule::TagKeysAreUnique, record, is_unique, shown);
        }
    }
}

/// What is wrong with a tags cell. Says keys at most, never values: those may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TagFault {
    /// It is no JSON object.
    NoObject(String),
    /// The value of this key is an object or an array.
    Nested(String),
    /// This key stands twice.
    Duplicate(String),
}

impl fmt::Display for TagFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TagFault::NoObject(problem) => f.write_str(problem),
            TagFault::Nested(key) => write!(f, "the value of key `{key}` is nested"),
            TagFault::Duplicate(key) => write!(f, "key `{key}` stands twice"),
        }
    }
}

/// Judges tags cells; rows repeat them, so those found good are remembered by hash.
#[derive(Debug, Clone)]
pub(crate) struct TagJudge {
    /// One hash a slot, 0 where nothing was remembered; bounded, and the last one stays.
    good: Vec<u64>,
    hasher: FixedState,
}

/// 32 KiB a thread: the tags of thousands of resources.
const SLOTS: usize = 4096;

/// More keys than this are compared by sorting.
const FEW_KEYS: usize = 24;

impl Default for TagJudge {
    fn default() -> TagJudge {
        TagJudge {
            good: Vec::new(),
            // The same in every thread and run: a result must not depend on it.
            hasher: FixedState::with_seed(0x8f4c_1d2b_a6e3_5907),
        }
    }
}

impl TagJudge {
    /// What is wrong with this cell; nothing, most of the time.
    #[inline]
    fn fault(&mut self, tags: &str) -> Option<TagFault> {
        let hash = self.hasher.hash_one(tags).max(1);
        let slot = (hash % SLOTS as u64) as usize;
        if self.good.get(slot) == Some(&hash) {
            return None;
        }
        let fault = judge(tags);
        if fault.is_none() {
            self.good.resize(SLOTS, 0);
            self.good[slot] = hash;
        }
        fault
    }
}

fn judge(tags: &str) -> Option<TagFault> {
    match Object::scan(tags) {
        Some(object) => {
            // What the scan does not decide (escapes, numbers) the parser does.
            if !object.is_plain && serde_json::from_str::<serde_json::Value>(tags).is_err() {
                return Some(no_object(tags));
            }
            object.nested().or_else(|| object.duplicate())
        }
        None => Some(no_object(tags)),
    }
}

fn no_object(tags: &str) -> TagFault {
    TagFault::NoObject(match serde_json::from_str::<serde_json::Value>(tags) {
        // The parser's message names a place and what is expected there, not what stands there.
        Err(error) => error.to_string(),
        Ok(_) => "JSON, but no object".to_owned(),
    })
}

/// The keys of an object, raw between their quotes, and whether the values are nested.
struct Object<'a> {
    keys: Vec<(&'a str, bool)>,
    /// Whether the text is valid JSON for certain: no escapes, no numbers, nothing nested.
    is_plain: bool,
}

impl<'a> Object<'a> {
    /// Finds the keys of what looks like an object; `None` where it does not.
    fn scan(tags: &'a str) -> Option<Object<'a>> {
        let mut scan = Scan { tags, at: 0 };
        let mut object = Object {
            keys: Vec::with_capacity(8),
            is_plain: true,
        };
        scan.expect(b'{')?;
        if scan.accept(b'}') {
            return scan.is_at_end().then_some(object);
        }
        loop {
            scan.skip_blanks();
            let key = scan.text(&mut object.is_plain)?;
            scan.expect(b':')?;
            scan.skip_blanks();
            let is_nested = scan.value(&mut object.is_plain)?;
            object.keys.push((key, is_nested));
            if scan.accept(b'}') {
                return scan.is_at_end().then_some(object);
            }
            scan.expect(b',')?;
        }
    }

    fn nested(&self) -> Option<TagFault> {
        let (key, _) = self.keys.iter().find(|(_, is_nested)| *is_nested)?;
        Some(TagFault::Nested(unescaped(key).into_owned()))
    }

    fn duplicate(&self) -> Option<TagFault> {
        let is_escaped = self.keys.iter().any(|(key, _)| key.contains('\\'));
        if self.keys.len() <= FEW_KEYS && !is_escaped {
            let twice = |at: &usize| self.keys[..*at].iter().any(|(k, _)| *k == self.keys[*at].0);
            let at = (1..self.keys.len()).find(twice)?;
            return Some(TagFault::Duplicate(self.keys[at].0.to_owned()));
        }
        let mut keys: Vec<_> = self.keys.iter().map(|(key, _)| unescaped(key)).collect();
        keys.sort_unstable();
        let pair = keys.windows(2).find(|pair| pair[0] == pair[1])?;
        Some(TagFault::Duplicate(pair[0].clone().into_owned()))
    }
}

fn unescaped(key: &str) -> Cow<'_, str> {
    if !key.contains('\\') {
        return Cow::Borrowed(key);
    }
    match serde_json::from_str(&format!("\"{key}\"")) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(key),
    }
}

struct Scan<'a> {
    tags: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn byte(&self) -> Option<u8> {
        self.tags.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn accept(&mut self, wanted: u8) -> bool {
        self.skip_blanks();
        let found = self.byte() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.accept(wanted).then_some(())
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_blanks();
        self.at == self.tags.len()
    }

    /// A text, from quote to quote.
    fn text(&mut self, is_plain: &mut bool) -> Option<&'a str> {
        if self.byte()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let bytes = self.tags.as_bytes();
        let mut at = start;
        loop {
            match *bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    *is_plain = false;
                    at += 2;
                }
                control if control < 0x20 => return None,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        self.tags.get(start..at)
    }

    /// A value; whether it is nested.
    fn value(&mut self, is_plain: &mut bool) -> Option<bool> {
        match self.byte()? {
            b'"' => self.text(is_plain).map(|_| false),
            b'{' | b'[' => {
                *is_plain = false;
                self.nested(is_plain).map(|()| true)
            }
            _ => {
                let rest = self.tags.get(self.at..)?;
                let end = rest.find([',', '}', ' ', '\t', '\n', '\r'])?;
                if !matches!(&rest[..end], "true" | "false" | "null") {
                    *is_plain = false;
                }
                self.at += end;
                Some(false)
            }
        }
    }

    /// Skips to the end of an object or array; the parser decides whether it is well formed.
    fn nested(&mut self, is_plain: &mut bool) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.byte()? {
                b'"' => {
                    self.text(is_plain)?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &str, expected: Option<&str>) {
        let mut judge = TagJudge::default();
        for _ in 0..2 {
            let fault = judge.fault(tags).map(|fault| match fault {
                TagFault::NoObject(_) => "no object".to_owned(),
                other => other.to_string(),
            });
            assert_eq!(fault.as_deref(), expected, "{tags}");
        }
    }

    #[test]
    fn accepts_flat_objects() {
        for tags in [
            "{}",
            " { } ",
            r#"{"team": "search"}"#,
            r#"{"env": "prod", "org": "trey", " org": "trey", "Project": "Foo"}"#,
            r#"{"a":true,"b":false,"c":null,"d":-1.5e3,"e":"\"q\" \u00e9 {","f":"}"}"#,
            "{\"Kostenträger\":\"Süd\"}",
        ] {
            check(tags, None);
        }
    }

    #[test]
    fn refuses_what_is_no_object() {
        for tags in [
            "team=search",
            r#""team": "search""#,
            r#"{"team": "search""#,
            r#"{"team": "search",}"#,
            r#"{"team": "search"} x"#,
            r#"{team: "search"}"#,
            r#"{'team': 'search'}"#,
            r#"{"team": search}"#,
            r#"{"team": 01}"#,
            r#"{"team": "\x"}"#,
            r#"{"team" "search"}"#,
            r#"["search"]"#,
            "{\"team\": \"a\nb\"}",
            "{\"team\":\"\\",
            "{\"team\":[1}",
            "{",
            "true",
            "é",
        ] {
            check(tags, Some("no object"));
        }
    }

    #[test]
    fn names_the_key_that_is_nested_or_stands_twice() {
        check(r#"{"a":{"b":1}}"#, Some("the value of key `a` is nested"));
        check(
            r#"{"x":"1","a":["]",{}]}"#,
            Some("the value of key `a` is nested"),
        );
        check(r#"{"a":"1","b":"2","a":"3"}"#, Some("key `a` stands twice"));
        check(r#"{"a":"1","\u0061":"3"}"#, Some("key `a` stands twice"));
        let many: Vec<String> = (0..40).map(|n| format!("\"k{}\":1", n % 39)).collect();
        let many = format!("{{{}}}", many.join(","));
        check(&many, Some("key `k0` stands twice"));
    }
}
