#!/usr/bin/env bash
# A short real run of arena-chaos with the faults that kill: it passes, its reports are there and agree, and the exit codes are those that are
# documented.
#
#     short_test.sh ARENA_CHAOS
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: ${0##*/} ARENA_CHAOS" >&2
  exit 2
fi
chaos=$(readlink -f -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# expect CODE ARG...: runs arena-chaos with its output in out.txt.
expect() {
  local code=$1 got=0
  shift
  "$chaos" "$@" >out.txt 2>&1 || got=$?
  [[ $got -eq $code ]] || { cat out.txt >&2; fail "arena-chaos $*: exit code $got instead of $code"; }
}
says() { grep -qF -- "$1" out.txt || { cat out.txt >&2; fail "it does not say: $1"; }; }

expect 2 frob
says "there is no verb 'frob'"

expect 0 run --seed 3 --faults 20 --arenas 4 --only '*.killed' --report report --json figures.json
says "verdict: PASSED"
says "of 20 faults"
grep -q '"chaos.violations": 0' figures.json || fail "no figures"
for file in report.html report.json junit.xml plan.json; do
  [[ -s report/$file ]] || fail "no $file"
done
grep -q '"schema": 1' report/report.json || fail "report.json has no schema"
if command -v xmllint >/dev/null; then xmllint --noout report/junit.xml || fail "junit.xml is not well-formed"; fi
[[ ! -e report/bundle-3 ]] || fail "a bundle without a failure"

# What was played is what the seed plans.
"$chaos" plan --seed 3 --faults 20 --arenas 4 --only '*.killed' | cmp - report/plan.json || fail "another plan was played"

# The same seed comes to the same end, whatever the processes' ids and the machine's load.
expect 0 run --seed 3 --faults 20 --arenas 4 --only '*.killed' --json again.json
for file in figures again; do grep -E '"chaos\.(verdict|final_states)"' "$file.json" >"$file.end"; done
[[ $(wc -l <figures.end) -eq 2 ]] || fail "verdict or final states are no figures"
cmp figures.end again.end || fail "the same seed came to another end"

# For a time instead of for a number; what it made is a plan that can be played.
expect 0 run --seed 4 --duration 2s --arenas 2 --only 'worker.killed' --report timed
says "verdict: PASSED"
grep -q '"fault": "worker.killed"' timed/plan.json || fail "the plan of a timed run is empty"

# Nothing had to recover.
expect 3 run --faults 2 --arenas 1 --only worker.stopped_for_a_moment
says "verdict: VACUOUS"

# A fault that does not exist never is there.
cat >unknown.json <<'JSON'
{"schema": 1, "seed": 1, "arenas": [{"name": "a", "hz": 20, "entries": 30}],
 "steps": [{"fault": "worker.killed", "arena": 0, "at": 5, "draw": 1}, {"fault": "worker.charmed", "arena": 0, "at": 8, "draw": 1}]}
JSON
expect 3 run --plan unknown.json
says "worker.charmed"

# Ctrl-C in the middle.
"$chaos" run --duration 5m --arenas 2 --only worker.killed >out.txt 2>&1 &
running=$!
for _ in $(seq 300); do
  grep -q "violations" out.txt && break
  sleep 0.1
done
kill -TERM "$running"
code=0
wait "$running" || code=$?
[[ $code -eq 4 ]] || { cat out.txt >&2; fail "cut short: exit code $code instead of 4"; }
says "verdict: CUT SHORT"

expect 2 run --faults none
expect 2 run --only 'nothing.*'
expect 2 run --duration 3s --faults 3
echo '{"schema": 7}' >bad.json
expect 2 run --plan bad.json
expect 2 replay report/nowhere
mkdir empty
expect 2 replay empty
expect 2 shrink empty
# It has violated nothing.
expect 4 shrink report
echo "arena-chaos: a short run, and exit codes 0, 2, 3, 4"
