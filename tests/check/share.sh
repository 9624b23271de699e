#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is shipped beside the programs agrees with them: manual, completion, units.
set -u
cd "$(dirname "$0")/../.." || exit 1

PORCH=$PWD/build/porch PORCHD=$PWD/build/porchd MAN=user/share/man
passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); echo "ok $((passed + failed + skipped)) - $1"; }
not_ok() {	# WHAT DETAIL
	failed=$((failed + 1))
	echo "not ok $((passed + failed + skipped)) - $1"
	sed 's/^/#   /' <<<"$2"
}
skip() { skipped=$((skipped + 1)); echo "ok $((passed + failed + skipped)) - $1 # SKIP $2"; }
empty() { if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$2"; fi; }	# WHAT WHAT-IS-LEFT-OVER
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

[ -x "$PORCH" ] && [ -x "$PORCHD" ] || { echo '# build/ is not there: make'; echo '0 passed, 1 failed'; exit 1; }

# --- verbs and options: --help is what the program knows ---
verbs() { "$PORCH" --help | sed -n 's/^  porch \([a-z-]*\).*/\1/p' | sort -u; }
long_options() { "$1" --help | grep -oE -- '--[a-z-]+' | sort -u; }
complete_words() {	# WORD...: what bash would offer for the last
	bash -c '
		. user/share/completion/porch
		compopt() { :; }
		COMP_WORDS=(porch "$@") COMP_CWORD=$#
		_porch
		printf "%s\n" "${COMPREPLY[@]}"' complete "$@" | sort -u
}
empty 'completion: every verb, and no other' "$(comm -3 <(verbs) <(complete_words '' | grep '^[a-z]'))"
empty 'completion: every option that stands before a verb' \
	"$(comm -3 <("$PORCH" --help | sed '/^  porch/d' | grep -oE -- '(^|[ ,])--?[a-zA-Z]+' | tr -d ' ,' | sort -u) <(complete_words '' | grep '^-'))"
empty 'porch(8): a synopsis of every verb' "$(for v in $(verbs); do grep -Eq "^\.(It )?Cm $v( |\$)" $MAN/porch.8 || echo "$v"; done)"
mentions() { grep -Eq -- "Fl -${2#--}( |\$)" "$1"; }	# PAGE --OPTION
empty 'porch(8): every option' "$(for o in $(long_options "$PORCH"); do mentions $MAN/porch.8 "$o" || echo "$o"; done)"
empty 'porchd(8): every option' "$(for o in $(long_options "$PORCHD"); do
	case $o in --help | --usage | --version) ;; *) mentions $MAN/porchd.8 "$o" || echo "$o" ;; esac; done)"
keys() { "$PORCH" --help | sed -n 's/.*keys: //p' | tr ' ' '\n' | sort; }
empty 'completion: every key of a listener' "$(comm -3 <(keys) <(complete_words listen s0 add '*:80' '' | grep '=$' | tr -d =))"
empty 'porch(8): every key of a listener' "$(for k in $(keys); do grep -Eq "^\.It (Cm|Ar) $k" $MAN/porch.8 $MAN/porch.conf.5 || echo "$k"; done)"

# --- every function of the API has a manual page that it is named in, and no page names another ---
functions() { grep -oE '\bporch_[a-z_]+\(' include/porch/porch.h | tr -d '(' | sort -u; }
documented() { sed -n 's/^\.\(Fn\|Fo\) \(porch_[a-z_]*\).*/\2/p' $MAN/*.[37] | sort -u; }
empty 'manual: every function of porch.h, and no other' "$(comm -3 <(functions) <(documented))"

# --- manual pages are well-formed ---
if command -v mandoc >/dev/null; then
	empty 'manual: mandoc has nothing to complain of' "$(mandoc -T lint -W warning $MAN/* 2>&1)"
else
	skip 'manual: mandoc has nothing to complain of' 'there is no mandoc'
fi
empty 'completion: bash can read it' "$(bash -n user/share/completion/porch 2>&1)"

# --- units, as if installed ---
if command -v systemd-analyze >/dev/null; then
	mkdir "$dir/units"
	for unit in user/share/systemd/*.service; do
		name=${unit##*/}
		sed -E "s#^(Exec[A-Za-z]*=)porchd( |\$)#\1$PORCHD\2#; s#^(Exec[A-Za-z]*=)porch( |\$)#\1$PORCH\2#" "$unit" >"$dir/units/${name/@./@s0.}"
	done
	# what it says of others' units is theirs
	empty 'units: systemd-analyze has nothing to complain of' \
		"$(systemd-analyze verify --man=no "$dir"/units/*.service 2>&1 | grep porch)"
else
	skip 'units: systemd-analyze has nothing to complain of' 'there is no systemd-analyze'
fi
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
