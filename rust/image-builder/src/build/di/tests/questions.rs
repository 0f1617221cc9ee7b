// SPDX-License-Identifier: MIT OR Apache-2.0
//! The questions of our step, with a debconf and an engine that play along.

use std::fs;

use super::shell;

/// debconf, whose person answers from a file: one line for each question that is
/// shown. The engine writes down for which image it was asked, and with which login.
const AROUND: &str = r#"
STATE=.; LOG=log; CONF=conf; PATH="$PWD:$PATH"; mkdir -p db/bootc-installer
export PATH
exec 5<answers
log() { :; }
db_get() { RET=$(cat "db/$1" 2>/dev/null) || RET=; }
db_set() { printf '%s' "$2" >"db/$1"; }
db_subst() { :; }
db_fset() { :; }
db_progress() { :; }
db_input() { shown="$shown ${2#bootc-installer/}"; }
db_go() {
	now=$shown shown=
	for question in $now; do
		echo "$question"
		[ "$question" != image-failed ] || continue
		read -r answer <&5 || { echo 'no answer left'; exit 1; }
		[ "$answer" != back ] || return 30
		db_set "bootc-installer/$question" "$answer"
	done
}
if choose_image; then echo "chosen: $image"; else echo back; fi
"#;

/// A registry that shows nothing to strangers, and one that is open.
const ENGINE: &str = r#"#!/bin/sh
login=
image=
while [ $# != 0 ]; do
	case "$1" in
	--auth-fd) login=$(sed 's/.*"auth":"\([^"]*\)".*/\1/' <&"$2" | base64 -d); shift ;;
	--image) image=$2; shift ;;
	esac
	shift
done
echo "$image ${login:-nobody}" >>asked
refuse() {
	printf '{\n  "error": {\n    "code": "%s",\n    "what": "w"\n  }\n}\n' "$1"
	exit 4
}
case "$image $login" in
'closed.example/'*' ') refuse REGISTRY_AUTH_REQUIRED ;;
'closed.example/os:1 ann:right') ;;
'closed.example/'*' ann:right') refuse IMAGE_NOT_FOUND ;;
'closed.example/'*) refuse REGISTRY_AUTH ;;
open.example/os:1*) ;;
*) refuse IMAGE_NOT_FOUND ;;
esac
"#;

/// What was shown and chosen, and what the engine was asked.
fn asked(answers: &str) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let lines = super::SOURCES
        .get_file("udeb/usr/lib/bootc-installer-di/questions.sh")
        .unwrap();
    fs::write(path("questions.sh"), lines.contents()).unwrap();
    fs::write(path("answers"), answers).unwrap();
    testkit::program::write(&path("bootc-installer"), ENGINE).unwrap();
    let script = format!(". ./questions.sh; {AROUND}");
    let shown = shell(&script, dir.path());
    let engine = fs::read_to_string(path("asked")).unwrap_or_default();
    (
        shown.split_whitespace().collect::<Vec<_>>().join(" "),
        engine,
    )
}

#[test]
fn a_wrong_reference_is_said_and_asked_again() {
    let (shown, engine) = asked("open.example/gone:1\n  open.example/os:1 \n");
    assert_eq!(shown, "image image-failed image chosen: open.example/os:1");
    assert_eq!(
        engine,
        "open.example/gone:1 nobody\nopen.example/os:1 nobody\n"
    );
}

#[test]
fn a_refused_login_is_asked_again() {
    let (shown, engine) =
        asked("closed.example/os:1\nann\nwrong\nclosed.example/os:1\nann\nright\n");
    assert_eq!(
        shown,
        "image username password image-failed image username password \
         chosen: closed.example/os:1"
    );
    let logins: Vec<_> = engine
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(logins, ["nobody", "ann:wrong", "nobody", "ann:right"]);
}

#[test]
fn a_login_is_for_one_registry() {
    let (shown, engine) = asked("closed.example/gone:1\nann\nright\nclosed.example/os:1\n");
    assert_eq!(
        shown,
        "image username password image-failed image chosen: closed.example/os:1"
    );
    assert!(
        engine.ends_with("closed.example/os:1 ann:right\n"),
        "{engine}"
    );
    let (_, engine) = asked("closed.example/gone:1\nann\nright\nopen.example/os:1\n");
    assert!(engine.ends_with("open.example/os:1 nobody\n"), "{engine}");
}

#[test]
fn back_leads_from_the_login_to_the_image_and_from_there_to_the_menu() {
    let (shown, _) = asked("closed.example/os:1\nback\nback\n");
    assert_eq!(shown, "image username image back");
}
