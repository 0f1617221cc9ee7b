#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Makes sure that there is a Rust toolchain (1.95 or newer) and a C compiler,
# on Debian 12 and 13. As root it installs what is missing and says what;
# otherwise it prints the command to run. Everything else that a test or the
# demo needs is installed by `buildroot` (rust/buildroot/src/apt.rs) when it needs it.
set -eu

MSRV_MINOR=95

rust_is_new_enough() {
    command -v cargo >/dev/null 2>&1 || return 1
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge "$MSRV_MINOR" ]
}

missing=""
command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v git >/dev/null 2>&1 || missing="$missing git"
if ! rust_is_new_enough; then
    # Debian 12 and 13 carry a recent compiler under the name rustc-web.
    # shellcheck source=/dev/null
    case "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" in
    bookworm | trixie) missing="$missing cargo-web rustc-web" ;;
    *) missing="$missing cargo rustc" ;;
    esac
fi

[ -z "$missing" ] && exit 0

# shellcheck disable=SC2086 # a list of package names
if [ "$(id -u)" = 0 ]; then
    echo "Installing Debian packages:$missing"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
else
    echo "Missing:$missing" >&2
    echo "Run: sudo apt-get install$missing" >&2
    exit 1
fi

rust_is_new_enough || {
    echo "The Rust compiler is older than 1.$MSRV_MINOR. Install a newer one, for example with rustup." >&2
    exit 1
}
