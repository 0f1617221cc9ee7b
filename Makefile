# SPDX-License-Identifier: MIT OR Apache-2.0
# Thin: every line is a command that one could type.

CARGO ?= cargo
# `dev` compiles in half the time: what the tests have compiled serves.
PROFILE ?= release
# Features of crates are those that all members want together, so that nothing is
# compiled a second time with fewer: hence no `-p` here.
RUN = $(CARGO) run --locked --profile $(PROFILE) --bin
# Tests share the machine's mounts and loop devices, but each makes its own.
TEST_FLAGS ?=
BENCH_FLAGS ?=
# For example --seconds 600 tar unpack.
FUZZ_FLAGS ?=
# For example --firmware uefi --keep-disk.
DEMO_FLAGS ?=
# For example --iso out/installer.iso --way bios.
E2E_FLAGS ?=
SCRIPTS = tests/toolchain.sh .ci/run calamares-module/config/calamares-bootc $(wildcard tests/gui/driver/*.sh tests/gui/tests/gui/*.sh iso/hooks/* iso/includes.chroot_after_packages/usr/libexec/installer/* iso/debian-installer/udeb/DEBIAN/postinst iso/debian-installer/udeb/DEBIAN/isinstallable iso/debian-installer/udeb/usr/lib/bootc-installer-di/* iso/debian-installer/udeb/usr/lib/finish-install.d/* iso/debian-installer/udeb/usr/lib/partman/init.d/*)
# For example --suite forky.
DEB_FLAGS ?=
# For example --config my/distro.yaml registry.example/os/debian:13.
ISO_FLAGS ?=

.PHONY: help toolchain build test generate fuzz demo e2e bench bench-pull benchiso check deb plugin iso msrv image docs clean

help:            ## print this list
	@grep -E '^[a-z0-9-]+: .*## ' Makefile | sed 's/:[^#]*##/\t/' | expand -t 12

toolchain:       ## a Rust toolchain and a C compiler, installed when root
	@tests/toolchain.sh

build: toolchain ## the programs, into target/release
	$(CARGO) build --locked --profile $(PROFILE) --bin bootc-installer

test: toolchain  ## every test; root and loop-device tests run when root
	$(CARGO) test --locked --no-fail-fast $(TEST_FLAGS)

generate: toolchain ## write the files that are printed from the code
	$(CARGO) run --locked --bin generate

fuzz: toolchain  ## the fuzz targets; FUZZ_FLAGS: --seconds N, names of targets
	$(CARGO) run --locked -p fuzz -- $(FUZZ_FLAGS)

demo: build      ## image, registry, guest, install, boot under BIOS and UEFI
	$(RUN) demo -- $(DEMO_FLAGS)

e2e: toolchain   ## the installer medium in a virtual machine, up to the booted disk
	$(RUN) iso-e2e -- $(E2E_FLAGS)

bench: build     ## ours against podman; BENCH_FLAGS: --small --big --runs N
	$(CARGO) run --locked --release -p bench-install -- $(BENCH_FLAGS)

bench-pull: toolchain ## a pull against skopeo and podman; BENCH_FLAGS: --small --runs N
	$(CARGO) run --locked --release -p bench-pull -- $(BENCH_FLAGS)

benchiso: toolchain ## building the ISO against plain live-build
	$(CARGO) run --locked --release -p bench-iso

image: toolchain ## only make (or find) the test image and print its path
	$(CARGO) run --locked --bin test-image -- build

check: toolchain ## format, lints, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check licenses bans sources; else echo "cargo-deny is not installed: the tests of tests/house look at deny.toml"; fi
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); else echo "shellcheck is not installed: scripts not checked"; fi

deb: toolchain   ## the Debian packages, into out/debs, and lintian over them
	$(CARGO) run --locked --bin debs -- build $(DEB_FLAGS)
	$(CARGO) run --locked --bin debs -- lint $(DEB_FLAGS)

plugin: toolchain ## the Calamares plugin and the programs as a tree, into out/plugin
	$(CARGO) run --locked --bin debs -- plugin $(DEB_FLAGS)

iso: toolchain   ## the installer's ISO, into out/
	$(RUN) debian-bootc-image-builder -- build $(ISO_FLAGS)

msrv: toolchain  ## compile with trixie's own rustc, in a trixie root
	$(CARGO) run --locked --bin debs -- rust $(DEB_FLAGS)

clean:           ## remove what cargo built (caches outside the tree stay)
	$(CARGO) clean
