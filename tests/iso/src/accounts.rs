// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who could log in to the medium's system with a password.

/// Of the text of `/etc/shadow`, the accounts that have a password, also an
/// empty or a locked one.
pub(crate) fn with_password(shadow: &str) -> Vec<&str> {
    shadow
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let (name, hash) = (fields.next()?, fields.next()?);
            // What no password ever hashes to.
            let none = !hash.is_empty() && hash.chars().all(|c| "!*".contains(c));
            (!none).then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nothing_hashes_to_is_no_password() {
        let shadow = "root:!*:1::::::\ndaemon:*:1::::::\nempty::1::::::\n\
                      set:$y$j9T$abc:1::::::\nlocked:!$6$abc:1::::::\nnew:!:1::::::\n";
        assert_eq!(with_password(shadow), ["empty", "set", "locked"]);
    }
}
