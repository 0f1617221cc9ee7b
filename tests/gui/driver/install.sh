#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs packages into an overlay, in a mount namespace of its own.
# Arguments: overlay options, empty directory, packages.
set -eu
options=$1 root=$2
shift 2

mount -t overlay -o "$options" root "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmp "$root/tmp"
cp "$@" "$root/tmp"
DEBIAN_FRONTEND=noninteractive chroot "$root" sh -c 'dpkg --install /tmp/*.deb'
