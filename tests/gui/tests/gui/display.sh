#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Starts the medium's display in namespaces of its own, with Xvfb in the place of
# Xorg, and tells who gets in. The host's name is the namespace's own.
# Arguments: Debian root, empty directory, the medium's script.
set -eu
debian=$1 own=$2 script=$3

mkdir "$own/upper" "$own/work" "$own/root"
root=$own/root
mount -t overlay -o "lowerdir=$debian,upperdir=$own/upper,workdir=$own/work" live "$root"
mount -t proc proc "$root/proc"
for name in dev run tmp; do mount -t tmpfs -o mode=755 "$name" "$root/$name"; done
chmod 1777 "$root/tmp"
for name in null zero random urandom; do cp -a "/dev/$name" "$root/dev"; done
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/usr/libexec/installer"
cp "$script" "$root/usr/libexec/installer/display"

cat >"$root/usr/bin/Xorg" <<'END'
#!/bin/sh
# Xvfb has no terminal, and no background to leave out.
set -- "$@" end
while [ "$1" != end ]; do
    case $1 in
        vt1 | -keeptty) shift ;;
        -background) shift 2 ;;
        *) set -- "$@" "$1" && shift ;;
    esac
done
shift
exec Xvfb "$@"
END

cat >"$root/usr/libexec/installer/session" <<'END'
#!/bin/sh
tell() { # NAME COMMAND...: whether a program of that kind gets in
    name=$1
    shift
    if "$@" setxkbmap -display :0 -print >/tmp/out 2>&1; then
        echo "$name: in"
    else
        echo "$name: $(grep -o "annot open display" /tmp/out)"
    fi >>/tmp/told
}
other="setpriv --reuid=65534 --regid=65534 --clear-groups"
tell session env
hostname renamed
tell "session, host renamed" env
tell "another account" $other env -u XAUTHORITY
tell "another account, the file named" $other
tell "root without the file" env -u XAUTHORITY HOME=/none
echo "file: $(stat -c '%a %u' "$XAUTHORITY")" >>/tmp/told
# A file, since a pattern would be on a command line itself.
xauth list | awk '{ printf "%s", $NF }' >/tmp/cookie
echo "digits: $(wc -c </tmp/cookie), command lines with it: $(cat /proc/[0-9]*/cmdline | tr '\0' '\n' | grep -cFf /tmp/cookie)" >>/tmp/told
END
chmod 755 "$root/usr/bin/Xorg" "$root/usr/libexec/installer/session"

# Twice, as when the installer is started again.
for _ in 1 2; do
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        chroot "$root" /usr/libexec/installer/display >&2
    cat "$root/tmp/told"
    rm "$root/tmp/told"
done
