// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a registry wants to see before it answers: the `WWW-Authenticate`
//! header (RFC 9110, section 11.6.1). Nothing here does I/O.

/// One way to log in that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// In lower case, such as `basic` or `bearer`.
    pub(crate) scheme: String,
    /// Names in lower case, values without their quotes.
    params: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter, by its name in lower case; none when empty.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(n, _)| n == name);
        found.map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// Removes a parameter.
    pub(crate) fn forget(&mut self, name: &str) {
        self.params.retain(|(n, _)| n != name);
    }
}

/// A header that does not follow the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("WWW-Authenticate is malformed at byte {at}")]
pub(crate) struct Malformed {
    /// Offset in the header's value.
    pub(crate) at: usize,
}

/// The challenges in the value of one header, in its order.
pub(crate) fn parse(header: &str) -> Result<Vec<Challenge>, Malformed> {
    let mut cursor = Cursor { header, at: 0 };
    let mut found: Vec<Challenge> = Vec::new();
    loop {
        cursor.skip(|c| c == ',' || is_space(c));
        if cursor.peek().is_none() {
            return Ok(found);
        }
        let word = cursor.token()?;
        let spaces = cursor.skip(is_space);
        match found.last_mut() {
            // A name and a value belong to the challenge before.
            Some(challenge) if cursor.peek() == Some('=') => {
                cursor.at += 1;
                cursor.skip(is_space);
                let value = cursor.value()?;
                challenge.params.push((word.to_ascii_lowercase(), value));
            }
            _ => {
                found.push(Challenge {
                    scheme: word.to_ascii_lowercase(),
                    params: Vec::new(),
                });
                if spaces > 0 {
                    cursor.skip_token68();
                }
            }
        }
    }
}

struct Cursor<'a> {
    header: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.header.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips characters; gives their number of bytes.
    fn skip(&mut self, which: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        let length = rest.find(|c| !which(c)).unwrap_or(rest.len());
        self.at += length;
        length
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let rest = self.rest();
        match self.skip(is_token) {
            0 => Err(Malformed { at: self.at }),
            length => Ok(&rest[..length]),
        }
    }

    /// A token or a quoted string.
    fn value(&mut self) -> Result<String, Malformed> {
        if self.peek() != Some('"') {
            // Some servers leave out the quotes around an address.
            let rest = self.rest();
            let length = self.skip(|c| c != ',' && c != '"' && !is_space(c));
            return Ok(rest[..length].to_owned());
        }
        let start = self.at;
        let mut text = String::new();
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => {
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(Malformed { at: start })
    }

    /// Skips what some schemes have instead of parameters, such as
    /// `Negotiate YII=`. Nothing of it is of use here.
    fn skip_token68(&mut self) {
        let rest = self.rest();
        let end = rest.find(|c| c == ',' || is_space(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        let core = word.trim_end_matches('=');
        let is68 = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
        let followed = rest[end..].trim_start();
        let alone = followed.is_empty() || followed.starts_with(',');
        if !core.is_empty() && core.chars().all(is68) && alone {
            self.at += end;
        }
    }
}

fn is_space(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `scheme name=value|name=value` for each.
    fn shown(header: &str) -> Vec<String> {
        let show = |c: &Challenge| {
            let params: Vec<String> = c.params.iter().map(|(n, v)| format!("{n}={v}")).collect();
            format!("{} {}", c.scheme, params.join("|"))
                .trim()
                .to_owned()
        };
        parse(header).unwrap().iter().map(show).collect()
    }

    #[test]
    fn challenges_of_many_forms() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            (" , ,", &[]),
            ("Basic", &["basic"]),
            ("Basic realm=\"a b\"", &["basic realm=a b"]),
            ("BASIC Realm = \"x\"", &["basic realm=x"]),
            (
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",\
                 scope=\"repository:library/debian:pull\"",
                &[
                    "bearer realm=https://auth.docker.io/token|service=registry.docker.io\
                   |scope=repository:library/debian:pull",
                ],
            ),
            // a comma and an equals sign within quotes
            (
                "Bearer realm=\"https://a/?x=1,2\" , scope=\"repository:a:pull,push\"",
                &["bearer realm=https://a/?x=1,2|scope=repository:a:pull,push"],
            ),
            (
                "Basic realm=\"say \\\"hi\\\" \\\\ \"",
                &["basic realm=say \"hi\" \\ "],
            ),
            (
                "Basic realm=\"\", charset=\"UTF-8\"",
                &["basic realm=|charset=UTF-8"],
            ),
            ("Basic realm=plain", &["basic realm=plain"]),
            (
                "Bearer realm=https://a/t,service=b",
                &["bearer realm=https://a/t|service=b"],
            ),
            (
                "Negotiate, Basic realm=\"a\", Bearer realm=\"b\",service=c",
                &["negotiate", "basic realm=a", "bearer realm=b|service=c"],
            ),
            (
                "Negotiate YIIabc/+==, Basic realm=\"a\"",
                &["negotiate", "basic realm=a"],
            ),
            ("Custom abc, Basic", &["custom", "basic"]),
            ("Basic realm=\"ü\"", &["basic realm=ü"]),
        ];
        for (header, expected) in table {
            let expected: Vec<&str> = expected.iter().map(|e| e.trim()).collect();
            assert_eq!(shown(header), expected, "{header}");
        }
    }

    #[test]
    fn what_is_no_challenge() {
        for (header, at) in [
            ("=", 0),
            ("Basic realm=\"open", 12),
            ("Basic realm=\"a\\", 12),
            ("Basic \"x\"", 6),
            ("(a)", 0),
            ("Bearer realm=\"a\" ;", 17),
        ] {
            assert_eq!(parse(header), Err(Malformed { at }), "{header}");
        }
    }

    #[test]
    fn parameters_that_are_missing_or_empty() {
        let all = parse("Bearer realm=\"r\",service=\"\"").unwrap();
        assert_eq!(all[0].param("realm"), Some("r"));
        assert_eq!(all[0].param("service"), None);
        assert_eq!(all[0].param("scope"), None);
        let mut one = all[0].clone();
        one.forget("realm");
        assert_eq!(one.param("realm"), None);
    }
}
