#!/usr/bin/env bash
# What a failed run leaves, and what can be made of it: a planted fault fails a run; its bundle is replayed, and shrunk to the planted fault.
#
#     bundle_test.sh ARENA_CHAOS
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
expect() {
  local code=$1 got=0
  shift
  "$chaos" "$@" >out.txt 2>&1 || got=$?
  [[ $got -eq $code ]] || { cat out.txt >&2; fail "arena-chaos $*: exit code $got instead of $code"; }
}
says() { grep -qF -- "$1" out.txt || { cat out.txt >&2; fail "it does not say: $1"; }; }

# Through a file: grep ends at the first hit, and whoever still writes to it then fails.
"$chaos" list >list.txt
grep -q planted list.txt && fail "a planted fault is listed among the real ones"
"$chaos" list --with-planted >list.txt
grep -q planted.loses_an_entry list.txt || fail "the planted fault is not listed"

# Five steps, of which one is planted.
cat >plan.json <<'JSON'
{"schema": 1, "seed": 77, "arenas": [{"name": "a", "hz": 20, "entries": 40}, {"name": "b", "hz": 0, "entries": 40}],
 "steps": [{"fault": "worker.killed", "arena": 0, "at": 3, "draw": 1},
           {"fault": "planted.loses_an_entry", "arena": 0, "at": 8, "draw": 2},
           {"fault": "worker.killed", "arena": 0, "at": 12, "draw": 3},
           {"fault": "arenad.killed", "arena": 1, "at": 4, "draw": 4},
           {"fault": "worker.killed", "arena": 1, "at": 9, "draw": 5}]}
JSON
expect 1 run --plan plan.json --report out
says "verdict: FAILED"
says "violation of lost"
bundle=out/bundle-77
for file in plan.json report.json history.jsonl stage/arenad.log stage/arenad.toml; do
  [[ -s $bundle/$file ]] || fail "the bundle has no $file"
done
[[ -n $(find "$bundle/stage/state" -name '*.db' -size +0) ]] || fail "the bundle has no database"
grep -q '"what":"violation"' "$bundle/history.jsonl" || fail "the history has no violation"
grep -q '<failure' out/junit.xml || fail "junit.xml has no failure"

expect 1 replay "$bundle" --report again
says "the same verdict as in the bundle: failed (lost)"

expect 0 shrink "$bundle" --tries 20
says "1 of 5 steps still fail, and none of them can be left out"
grep -q planted.loses_an_entry "$bundle/smaller-plan.json" || fail "another step was kept"
[[ $(grep -c '"fault"' "$bundle/smaller-plan.json") -eq 1 ]] || fail "more than one step was kept"

# The smaller plan fails as well.
expect 1 run --plan "$bundle/smaller-plan.json" --report smaller
# With a single try there is nothing but the whole.
expect 0 shrink "$bundle" --tries 1 --output whole.json
says "the tries were used up"
[[ $(grep -c '"fault"' whole.json) -eq 5 ]] || fail "a step is gone without a try"
echo "arena-chaos: bundle, replay and shrink"
