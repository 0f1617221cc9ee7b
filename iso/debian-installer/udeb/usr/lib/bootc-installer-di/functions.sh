# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034 # used by those who read this file
# What the scripts of bootc-installer-di share. Nothing here asks a question.

# What a step leaves for the next one: in memory, and for root only.
STATE=/run/bootc-installer-di
# Goes to /var/log/installer of the installed system, with the other logs.
LOG=/var/log/bootc-installer.log
CONF=/usr/share/bootc-installer-di/bootc.conf
DEPLOYMENT=/run/bootc-installer/deployment

# The value of a key in JSON that the engine wrote: of the first line that has it.
# Only texts; escapes of JSON become what they stand for, and line ends blanks.
json_text() {
	sed -n "s/.*\"$1\": *\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p" |
		sed -e 's/\\n/ /g' -e 's/\\t/ /g' -e 's/\\\([\\"/]\)/\1/g' -e q
}

# A number in a line of JSON; 0 when it is not there.
json_number() {
	case "$2" in
	*"\"$1\":"*) ;;
	*)
		echo 0
		return
		;;
	esac
	number=${2#*"\"$1\":"}
	number=${number%%[!0-9]*}
	echo "${number:-0}"
}

# A text as JSON has it between quotation marks.
json_quoted() {
	printf '%s' "$1" | tr '\n\t' '  ' | sed -e 's/[\\"]/\\&/g'
}

# How far everything is, in thousandths, when a task begins and when it ends.
span_of() {
	case "$1" in
	check) echo "0 20" ;;
	prepare) echo "20 30" ;;
	pull) echo "30 400" ;;
	unpack) echo "200 500" ;;
	deploy) echo "500 850" ;;
	boot) echo "850 920" ;;
	configure) echo "920 960" ;;
	handover) echo "960 1000" ;;
	*) return 1 ;;
	esac
}

# Thousandths of everything for a line of progress; nothing when it has no total.
position() {
	task=$(printf '%s\n' "$1" | json_text task)
	span=$(span_of "$task") || return 1
	total=$(json_number bytesTotal "$1")
	so_far=$(json_number bytes "$1")
	if [ "$total" = 0 ]; then
		total=$(json_number stepsTotal "$1")
		so_far=$(json_number steps "$1")
	fi
	[ "$total" -gt 0 ] && [ "$so_far" -le "$total" ] || return 1
	from=${span% *}
	to=${span#* }
	echo $((from + (to - from) * so_far / total))
}

# Swap of partman's fstab as entries of a plan, with commas between them.
swap_entries() {
	comma=
	sed -n 's/^\([^# ][^ ]*\)  *[^ ]*  *swap  .*/\1/p' "$1" |
		while read -r source; do
			# As fstab writes blanks and backslashes, which no source has here.
			case "$source" in
			*[\\\"]*) continue ;;
			esac
			printf '%s{"source":"%s","mountPoint":"none","fsType":"swap","options":["sw"],"pass":0}' \
				"$comma" "$source"
			comma=,
		done
}

# A plan for this target, from the engine's own: it is handed over, and has
# people, a name and swap. Arguments: keys for `deployment`, entries for its fstab.
completed_plan() {
	deployment=$1
	fstab=$2
	sed -e 's/^  "finish": {$/&\n    "handOver": true,/' |
		if [ -n "$deployment" ]; then
			completed "$deployment"
		else
			cat
		fi |
		if [ -z "$fstab" ]; then
			cat
		else
			completed_fstab "$fstab"
		fi
}

completed() {
	while IFS= read -r line; do
		printf '%s\n' "$line"
		[ "$line" != '  "deployment": {' ] || printf '    %s,\n' "$1"
	done
}

completed_fstab() {
	plan=$(cat)
	case "$plan" in
	*'    "fstab": ['*)
		printf '%s\n' "$plan" | while IFS= read -r line; do
			printf '%s\n' "$line"
			[ "$line" != '    "fstab": [' ] || printf '      %s,\n' "$1"
		done
		;;
	*) printf '%s\n' "$plan" | completed "\"fstab\": [$1]" ;;
	esac
}

# What partman leaves in the target, and the engine refuses: an fstab, which the
# plan has by then, and directories for removable media.
clear_leftovers() {
	root=$1
	if [ -f "$root/etc/fstab" ]; then
		cp "$root/etc/fstab" "$STATE/fstab"
		rm "$root/etc/fstab"
	fi
	for entry in "$root"/media/*; do
		if [ -L "$entry" ]; then
			rm "$entry"
		elif [ -d "$entry" ]; then
			rmdir "$entry" 2>/dev/null || true
		fi
	done
	for dir in etc media; do
		[ ! -d "$root/$dir" ] || rmdir "$root/$dir" 2>/dev/null || true
	done
}
