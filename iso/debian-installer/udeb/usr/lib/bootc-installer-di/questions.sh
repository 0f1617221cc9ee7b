# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034 # used by those who read this file
# Which image, and the login that its registry wants. Whoever reads this file has
# debconf's functions and functions.sh.
# db_go is debconf's, and has no arguments.
# shellcheck disable=SC2119

log() {
	logger -t bootc-installer "$@"
}

value_of() {
	db_get "$1" && printf '%s' "$RET"
}

# The engine with the login, when there is one. It goes through a pipe as
# containers-auth.json(5), and is in no argument and in no file.
engine() {
	command=$1
	shift
	if [ -z "$username" ]; then
		bootc-installer "$command" "$@" </dev/null 3>&-
		return
	fi
	login=$(printf '%s:%s' "$username" "$password" | base64 -w 0)
	printf '{"auths":{"%s":{"auth":"%s"}}}' "${image%%/*}" "$login" |
		bootc-installer "$command" "$@" 9<&0 </dev/null 3>&-
}

# The option that goes with it.
auth_option() {
	[ -z "$username" ] || echo "--auth-fd 9"
}

# The engine's error, from a file with its answer, in a dialog.
show_error() {
	template=$1
	for pair in CODE=code WHAT=what WHY=why NEXT=next; do
		db_subst "$template" "${pair%=*}" "$(json_text "${pair#*=}" <"$2")"
	done
	log "$(json_text code <"$2"): $(json_text what <"$2")"
	db_fset "$template" seen false
	db_input critical "$template" || true
	db_go || true
}

check_image() {
	db_progress START 0 1 bootc-installer/progress/title
	db_progress INFO bootc-installer/progress/look
	code=
	# shellcheck disable=SC2046 # two words, or none
	if ! engine check $(auth_option) --config "$CONF" --image "$image" --format json \
		>"$STATE/check" 2>>"$LOG"; then
		code=$(json_text code <"$STATE/check")
		code=${code:-INTERNAL}
	fi
	db_progress STOP
	[ -z "$code" ]
}

# Asks until there is an image that can be installed; fails when the person goes
# back. A login stays until a registry refuses it or another one is asked.
choose_image() {
	priority=high
	registry=
	while :; do
		db_input "$priority" bootc-installer/image || true
		db_go || return 1
		image=$(value_of bootc-installer/image)
		image=$(echo "$image" | sed -e 's/^ *//' -e 's/ *$//')
		[ "${image%%/*}" = "${registry:-${image%%/*}}" ] || forget_login
		registry=${image%%/*}
		username=$(value_of bootc-installer/username)
		password=$(value_of bootc-installer/password)
		check_image && return 0
		# Whoever has been asked for a login and gave none knows why.
		knows=
		if [ "$code" = REGISTRY_AUTH_REQUIRED ]; then
			if ask_login; then
				check_image && return 0
			else
				knows=yes
			fi
		fi
		case "$code" in
		REGISTRY_AUTH*) forget_login ;;
		esac
		[ -n "$knows" ] || show_error bootc-installer/image-failed "$STATE/check"
		db_fset bootc-installer/image seen false
		priority=critical
	done
}

forget_login() {
	forget bootc-installer/username bootc-installer/password
}

ask_login() {
	for question in username password; do
		db_subst "bootc-installer/$question" REGISTRY "${image%%/*}"
		db_fset "bootc-installer/$question" seen false
		db_input critical "bootc-installer/$question" || true
	done
	db_go || return 1
	username=$(value_of bootc-installer/username)
	password=$(value_of bootc-installer/password)
	[ -n "$username" ]
}

# Answers that must not stay anywhere.
forget() {
	for question in "$@"; do
		db_set "$question" "" || true
	done
}
