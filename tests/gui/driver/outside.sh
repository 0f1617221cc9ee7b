#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# First process of a session's mount and pid namespaces: makes the live system
# of the session and moves into it.
# Arguments: overlay options, empty directory, directory of artefacts, devices.
set -eu
options=$1 root=$2 artefacts=$3
shift 3

mount -t overlay -o "$options" live "$root"
mount -t proc proc "$root/proc"
# Nothing in a session may change the host: no writing below /sys, and in /dev
# the session's own disks only.
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount --bind "$artefacts" "$root/opt/gui-test/artefacts"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mapper" "$root/run/host"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/mapper/control "$@"; do
    [ ! -e "$device" ] || cp -a "$device" "$root$device"
done

cd "$root"
pivot_root . run/host
exec chroot . /bin/sh /opt/gui-test/driver/inside.sh
