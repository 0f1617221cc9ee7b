// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of passwd(5).

/// A user that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
}

/// The first line about `name`.
pub(super) fn find(text: &str, name: &str) -> Option<Account> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let mut fields = fields.skip(1);
        let uid = fields.next()?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let home = fields.nth(1)?.to_owned();
        home.starts_with('/').then_some(Account { uid, gid, home })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines() {
        let text = "root:x:0:0:root:/root:/bin/bash\n# x\nann:x:1000:100:Ann, A:/home/ann:/bin/sh\n\
                    bad:x:y:1::/:\nshort:x:1\nnone:x:7:7::nowhere:/bin/sh\n";
        let ann = find(text, "ann").unwrap();
        assert_eq!(
            (ann.uid, ann.gid, ann.home.as_str()),
            (1000, 100, "/home/ann")
        );
        assert_eq!(find(text, "root").unwrap().home, "/root");
        for name in ["an", "bad", "short", "none", ""] {
            assert_eq!(find(text, name), None, "{name}");
        }
    }
}
