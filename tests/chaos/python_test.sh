#!/usr/bin/env bash
# arena-chaos plays the tanks in Python as it plays a studio's own game: with a driver beside it, under faults that kill.
#
#     python_test.sh ARENA_CHAOS GAME DRIVER
set -euo pipefail

if [[ $# -ne 3 ]]; then
  echo "usage: ${0##*/} ARENA_CHAOS GAME DRIVER" >&2
  exit 2
fi
chaos=$(readlink -f -- "$1")
game=$(readlink -f -- "$2")
driver=$(readlink -f -- "$3")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"

code=0
"$chaos" run --game "$game" --driver "$driver" --seed 3 --faults 25 --arenas 3 --only 'worker*.*' --report report >out.txt 2>&1 || code=$?
if [[ $code -ne 0 ]] || ! grep -qF "verdict: PASSED" out.txt; then
  cat out.txt >&2
  echo "FAILED: exit code $code" >&2
  exit 1
fi
tail -n 4 out.txt
