// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who on the network could speak to the medium's system.

/// Of the lines of `ss -tulpnH`, those that listen to more than this machine.
/// The ports on which an address is assigned have to be open.
pub fn open(listing: &str) -> Vec<&str> {
    listing.lines().filter(|line| is_open(line)).collect()
}

fn is_open(line: &str) -> bool {
    let mut fields = line.split_whitespace();
    let (kind, local) = (fields.next(), fields.nth(3));
    let Some((address, port)) = local.and_then(|local| local.rsplit_once(':')) else {
        return !line.trim().is_empty();
    };
    // "127.0.0.53%lo", "[fe80::1]%eth0".
    let host = address.split('%').next().unwrap_or(address);
    let host = host.trim_matches(['[', ']']);
    let own = host == "::1" || host.starts_with("127.") || host.starts_with("::ffff:127.");
    let dhcp = kind == Some("udp") && matches!(port, "68" | "546");
    !own && !dhcp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_reach_is_open() {
        let table = [
            (
                "udp UNCONN 0 0 10.0.2.15%ens4:68 0.0.0.0:* users:((\"NetworkManager\"))",
                false,
            ),
            ("udp UNCONN 0 0 [fe80::1]%ens4:546 [::]:*", false),
            ("udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*", false),
            ("tcp LISTEN 0 128 [::1]:631 [::]:*", false),
            (
                "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\"))",
                true,
            ),
            ("tcp LISTEN 0 128 *:80 *:*", true),
            ("tcp LISTEN 0 128 [::]:68 [::]:*", true),
            ("udp UNCONN 0 0 0.0.0.0:5353 0.0.0.0:*", true),
            ("nonsense", true),
            ("", false),
        ];
        for (line, want) in table {
            assert_eq!(!open(line).is_empty(), want, "{line}");
        }
    }
}
