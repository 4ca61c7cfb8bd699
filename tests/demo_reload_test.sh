#!/usr/bin/env bash
# New code for playing arenas, good and bad, by arenactl as an operator types it: arenad-demo goes through all of it, judges every output,
# and says in its last line what came out. Then the same is ended by Ctrl-C at some moment: what was played is right, and nothing is left.
#
#     demo_reload_test.sh BUILD_DIR [SEED]
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 ]]; then
  echo "usage: ${0##*/} BUILD_DIR [SEED]" >&2
  exit 2
fi
demo=$1/chaos/arenad-demo
seed=${2:-$RANDOM$RANDOM}
echo "seed $seed; again with: $0 $1 $seed"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
log=$work/whole.log
export TMPDIR=$work/runs
mkdir "$TMPDIR"

fail() {
  echo "FAILED: $*" >&2
  cat "$log" >&2
  exit 1
}

# Every process of a run has a path in its private folder among its arguments: the configuration, the socket, a module.
processes_of_runs() {
  local file arguments
  for file in /proc/[0-9]*/cmdline; do
    arguments=$(tr '\0' ' ' 2>/dev/null <"$file") || continue
    [[ $arguments != *"$TMPDIR/"* ]] || echo "$file: $arguments"
  done
}

nothing_is_left() {
  local processes
  [[ -z $(ls -A "$TMPDIR") ]] || fail "a folder is left: $(ls "$TMPDIR")"
  processes=$(processes_of_runs 2>/dev/null)
  [[ -z $processes ]] || fail "processes are left: $processes"
}

run=("$demo" reload --arenas 2 --bots 4 --seconds 0.3 --seed "$seed")
"${run[@]}" >"$log" 2>&1 || fail "it ended with $?"
grep -q '^result: ok commands=10 as_expected=10 lost=0 missing=0 repeated=0 different=0$' "$log" || fail "another result"
nothing_is_left

log=$work/interrupted.log
: >"$log"
"${run[@]}" >"$log" 2>&1 &
pid=$!
# Amid the first rollout that a bad version goes wrong in, with an arena on probation.
for ((i = 0; i < 600; ++i)); do
  grep -q 'tanks_bad_later' "$log" && break
  sleep 0.05
done
[[ -n $(processes_of_runs 2>/dev/null) ]] || fail "no processes of the run are seen while it runs"
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[[ $code -eq 130 ]] || fail "interrupted, it ended with $code instead of 130"
grep -q '^result: ok ' "$log" || fail "interrupted, what was played is not right"
nothing_is_left
