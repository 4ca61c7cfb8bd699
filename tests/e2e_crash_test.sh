#!/usr/bin/env bash
# Kills workers hundreds of times, at every place of their work and while they recover, and compares every output of every client,
# byte by byte, with the same frames run without a crash. arenad-demo does all of it and says in its last line what came out.
#
#     e2e_crash_test.sh BUILD_DIR [SEED [KILLS]]
set -euo pipefail

if [[ $# -lt 1 || $# -gt 3 ]]; then
  echo "usage: ${0##*/} BUILD_DIR [SEED [KILLS]]" >&2
  exit 2
fi
build_dir=$1
seed=${2:-$RANDOM$RANDOM}
kills=${3:-300}

echo "seed $seed; again with: $0 $build_dir $seed $kills"
exec "$build_dir/chaos/arenad-demo" --arenas 3 --bots 6 --kills "$kills" --kill-every 60 --aim everything --seed "$seed"
