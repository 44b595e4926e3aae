//! How do the three headers of the report spell a column, and the keys of its maps?

use crate::read::native::{Header, push_json};

/// How a header spells the words of a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelling {
    /// `lineItem/UnblendedCost`
    Legacy,
    /// `line_item_unblended_cost`
    Snake,
    /// `lineitem_unblendedcost`
    Athena,
}

impl Spelling {
    pub(super) fn of(header: &Header<'_>) -> Spelling {
        let has = |word: &str| header.names().any(|(_, name)| name.starts_with(word));
        if has("lineItem/") {
            Spelling::Legacy
        } else if has("line_item_") {
            Spelling::Snake
        } else {
            Spelling::Athena
        }
    }

    /// A column of the legacy header in this spelling.
    pub(super) fn spell(self, legacy: &str) -> String {
        let mut name = String::new();
        for c in legacy.chars() {
            match self {
                Spelling::Legacy => name.push(c),
                _ if c == '/' => name.push('_'),
                Spelling::Snake if c.is_ascii_uppercase() && !name.ends_with('_') => {
                    name.push('_');
                    name.push(c.to_ascii_lowercase());
                }
                _ => name.push(c.to_ascii_lowercase()),
            }
        }
        name
    }
}

/// The key of a column of tags: `resourceTags/user:Team`, `resource_tags_user_team`.
///
/// Keys that users chose have no prefix in FOCUS, those that AWS chose have one.
pub(super) fn tag_key(name: &str) -> Option<String> {
    let mut rest = name;
    for expected in "resourcetags".chars() {
        rest = rest.trim_start_matches('_');
        let first = rest.chars().next()?;
        if !first.eq_ignore_ascii_case(&expected) {
            return None;
        }
        rest = &rest[first.len_utf8()..];
    }
    let key = rest.strip_prefix(['/', '_'])?;
    (!key.is_empty()).then(|| plain_key(key))
}

/// A tag's key without the prefix of users, and with the one of AWS as FOCUS writes it.
fn plain_key(key: &str) -> String {
    let user = key
        .strip_prefix("user:")
        .or_else(|| key.strip_prefix("user_"));
    match (user, key.strip_prefix("aws_")) {
        (Some(user), _) if !user.is_empty() => user.to_owned(),
        (_, Some(aws)) if !aws.is_empty() => format!("aws:{aws}"),
        _ => key.to_owned(),
    }
}

/// The map `resource_tags` of CUR 2.0 with plain keys, in their order; `None` if it is no JSON
/// object, so that the cell stays as it is.
pub(super) fn tags_of_map(map: &str) -> Option<String> {
    let map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(map).ok()?;
    let mut tags: Vec<(String, serde_json::Value)> = map
        .into_iter()
        .map(|(key, value)| (plain_key(&key), value))
        .collect();
    tags.sort_by(|a, b| a.0.cmp(&b.0));
    let distinct = tags.windows(2).all(|pair| pair[0].0 != pair[1].0);
    if !distinct {
        return None;
    }
    let mut json = String::from("{");
    for (key, value) in tags {
        if json.len() > 1 {
            json.push(',');
        }
        push_json(&mut json, &key);
        json.push(':');
        match value {
            serde_json::Value::String(value) => push_json(&mut json, &value),
            other => json.push_str(&other.to_string()),
        }
    }
    json.push('}');
    Some(json)
}

/// `product_name` in the map `product` of CUR 2.0, without reading the rest of the map.
pub(super) fn product_name(map: &str) -> Option<String> {
    const KEY: &str = "\"product_name\"";
    let at = memchr::memmem::find(map.as_bytes(), KEY.as_bytes())?;
    let value = map.get(at + KEY.len()..)?.trim_start().strip_prefix(':')?;
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
    values.next()?.ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_key_of_a_tag_in_every_spelling() {
        for (name, key) in [
            ("resourceTags/user:Team", Some("Team")),
            ("resource_tags_user_team", Some("team")),
            ("resourcetags_user_team", Some("team")),
            ("resourceTags/aws:createdBy", Some("aws:createdBy")),
            ("resource_tags_aws_created_by", Some("aws:created_by")),
            ("resourceTags/user:", Some("user:")),
            ("resource_tags", None),
            ("resourceTags/", None),
            ("résource_tags_user_x", None),
            ("lineItem/ResourceId", None),
        ] {
            assert_eq!(tag_key(name).as_deref(), key, "{name}");
        }
    }

    #[test]
    fn spells_a_column_as_the_header_does() {
        for (spelling, name) in [
            (Spelling::Legacy, "pricing/publicOnDemandCost"),
            (Spelling::Snake, "pricing_public_on_demand_cost"),
            (Spelling::Athena, "pricing_publicondemandcost"),
        ] {
            assert_eq!(spelling.spell("pricing/publicOnDemandCost"), name);
        }
        let snake = Spelling::Snake.spell("lineItem/UnblendedCost");
        assert_eq!(snake, "line_item_unblended_cost");
    }

    #[test]
    fn reads_one_name_out_of_the_product_map() {
        for (map, name) in [
            (
                r#"{"a":"b","product_name" : "Amazon \"S3\"","z":1}"#,
                Some("Amazon \"S3\""),
            ),
            (r#"{"product_name":""}"#, None),
            (r#"{"x":"product_name"}"#, None),
            (r#"{"product_name":"#, None),
            ("{}", None),
        ] {
            assert_eq!(product_name(map).as_deref(), name, "{map}");
        }
    }

    #[test]
    fn leaves_a_tag_map_alone_that_is_no_json() {
        assert_eq!(tags_of_map("{user_env=prod}"), None);
        assert_eq!(
            tags_of_map(r#"{"user_env":"prod","aws_x":"1"}"#).as_deref(),
            Some(r#"{"aws:x":"1","env":"prod"}"#)
        );
        // Two keys that would become one.
        assert_eq!(tags_of_map(r#"{"user_a":"1","a":"2"}"#), None);
    }
}
