#!/usr/bin/env bash
# The manual pages have no warnings and tell of every verb, option and key that the programs have; the example of a configuration is
# one that arenad takes, as it is and with all of its defaults set.
#
#     manual_test.sh BUILD_DIR
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: ${0##*/} BUILD_DIR" >&2
  exit 2
fi
build=$(cd -- "$1" && pwd)
pages=$build/packaging/manual
arenactl=$build/cli/arenactl
arenad=$build/supervisor/arenad
if ! command -v man >/dev/null || [[ ! -f $pages/arenactl.1 ]]; then
  echo "skipped: man or scdoc is missing"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# As a reader sees it, in lines that nothing is broken over.
render() {
  MANWIDTH=20000 MANROFFSEQ='' GROFF_NO_SGR=1 man --warnings -E UTF-8 -l "$pages/$1" 2>"$work/warnings" | col -b >"$work/$1"
  [[ ! -s $work/warnings ]] || fail "$1: $(head -n 3 "$work/warnings")"
}

has() {
  grep -qF -- "$2" "$work/$1" || fail "$1 does not have: $2"
}

[[ ! -f $pages/arenad-python.1 ]] || render arenad-python.1
for page in arenactl.1 arena-chaos.1 arenad.8 arena-keeper.8 arena-worker.8 arenad.toml.5; do
  render "$page"
  for section in NAME SYNOPSIS DESCRIPTION "SEE ALSO"; do
    grep -qx -- "$section" "$work/$page" || fail "$page has no section $section"
  done
done

# What there is, asked of the programs.
verbs=$("$arenactl" __complete -- '' | sed 1d | cut -f 1)
[[ $(wc -l <<<"$verbs") -gt 20 ]] || fail "the verbs are not known: $verbs"
for verb in $verbs; do
  grep -qx -- " *arenactl $verb" "$work/arenactl.1" || fail "arenactl.1 has no section on $verb"
  for option in $("$arenactl" __complete -- "$verb" -- | sed 1d | cut -f 1); do
    has arenactl.1 "$option"
  done
done
for program in arenad:supervisor/arenad arena-keeper:keeper/arena-keeper arena-worker:worker/arena-worker; do
  for option in $("$build/${program#*:}" --help | grep -oE '^  (-h,)?--[a-z-]+' | sed 's/.*--/--/'); do
    has "${program%:*}.8" "$option"
  done
done
chaos=$build/chaos/arena-chaos
for verb in $("$chaos" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
  grep -qx -- " *arena-chaos $verb" "$work/arena-chaos.1" || fail "arena-chaos.1 has no section on $verb"
  for option in $("$chaos" "$verb" --help | grep -oE '^  --[a-z-]+' | tr -d ' '); do
    has arena-chaos.1 "$option"
  done
done
for code in 0 1 2 3 4 5 6 7; do
  grep -qE "^ +$code\$" "$work/arenactl.1" || fail "arenactl.1 does not have exit code $code"
done
"$arenad" --print-default-config >"$work/printed.toml"
keys=$(sed -n 's/^#\([a-z_]*\) = .*/\1/p' "$work/printed.toml")
[[ $(wc -l <<<"$keys") -gt 20 ]] || fail "the keys are not known: $keys"
for key in $keys; do
  grep -qx -- " *$key" "$work/arenad.toml.5" || fail "arenad.toml.5 does not have $key"
done

cmp "$work/printed.toml" "$pages/arenad.toml" || fail "the example is not what arenad prints"
"$arenad" --check-config --config "$pages/arenad.toml" >/dev/null || fail "arenad does not take the example as it is"
sed -e 's/^#\([a-z_]* = \|\[\)/\1/' -e "s|^module = .*|module = \"$build/games/tanks.so\"|" "$pages/arenad.toml" >"$work/all.toml"
grep -q '^module = ' "$work/all.toml" || fail "no default was set"
"$arenad" --check-config --config "$work/all.toml" >/dev/null || fail "arenad does not take the defaults"
sed 's/^log_level = .*/log_level = "loud"/' "$work/all.toml" >"$work/wrong.toml"
if "$arenad" --check-config --config "$work/wrong.toml" >/dev/null 2>&1; then fail "arenad takes what is wrong"; fi

[[ $failures -eq 0 ]] && echo "ok: the manual"
