#!/usr/bin/env bash
# calls_test.sh ARENA-CHAOS: a bounded part of the sweep over system calls, whose calls were once the end of matches and players; and that
# a sweep in which nothing goes wrong does not pass.
set -u
chaos=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed() { echo "FAILED: $*"; exit 1; }

# arenad's memfd_create and bind at each hit: it dies, or has no descriptor or no address, while it is killed and the next one takes everything up.
"$chaos" sweep --calls --scenario adoption --pace still --only 'arenad.[bm]*[de]' --way '[kE]*[lE]' --pairs 4 --seed 1 --json "$folder/calls.json" ||
  failed "the sweep ended with $?"
cases=$(sed -n 's/.*"prove.calls": \([0-9]*\).*/\1/p' "$folder/calls.json")
((cases >= 15)) || failed "only $cases calls went wrong"

# No process makes such a call.
"$chaos" sweep --calls --scenario play --pace still --only 'arenad.nothing' --pairs 0 --seed 1 >"$folder/out"
code=$?
((code == 3)) || failed "a sweep of no call ended with $code instead of 3"
grep -q '^result: vacuous$' "$folder/out" || failed "a sweep of no call does not say that it is vacuous"

# One call alone, which is not made so often.
"$chaos" sweep --scenario play --pace still --at 'arenad.bind#99=EADDRINUSE' >"$folder/out"
code=$?
((code == 3)) || failed "a run whose call was not made ended with $code instead of 3"
