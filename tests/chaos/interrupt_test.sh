#!/usr/bin/env bash
# Ctrl-C in the middle of what keeps everybody from answering: a run of arena-chaos ends within seconds, and leaves no process behind. Nor
# does one that is killed, where it has namespaces of its own.
#
#     interrupt_test.sh ARENA_CHAOS
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: ${0##*/} ARENA_CHAOS" >&2
  exit 2
fi
chaos=$(readlink -f -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
# All of its processes have this in their environment.
export ARENAD_TEST_RUN=$work
longest_s=30

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

processes_of_the_run() {
  local environ
  for environ in /proc/[0-9]*/environ; do
    local pid=${environ#/proc/}
    pid=${pid%/environ}
    [[ $pid -eq $$ || $pid -eq ${BASHPID} ]] && continue
    if tr '\0' '\n' 2>/dev/null <"$environ" | grep -qx "ARENAD_TEST_RUN=$work" && [[ $(<"/proc/$pid/comm") =~ aren|template|spare|chaos ]]; then
      echo "$pid $(<"/proc/$pid/comm")"
    fi
  done 2>/dev/null || true
}

# steps FAULT...: one after the other in the first arena, each while the one before it is on its way.
steps() {
  local at=5 first=true fault
  for fault in "$@"; do
    $first || echo -n ","
    echo -n "{\"fault\": \"$fault\", \"arena\": 0, \"at\": $at, \"draw\": 1"
    $first || echo -n ", \"compound\": true"
    echo -n "}"
    first=false
  done
}

# interrupt NAME AFTER FAULT...
interrupt() {
  local name=$1 after=$2
  shift 2
  local arenas='{"name": "a", "hz": 20, "entries": 1000000}, {"name": "b", "hz": 0, "entries": 1000000}'
  echo "{\"schema\": 1, \"seed\": 1, \"arenas\": [$arenas, ${arenas//\"name\": \"/\"name\": \"c}], \"steps\": [$(steps "$@")]}" >"$name.json"
  "$chaos" run --plan "$name.json" >"$name.txt" 2>&1 &
  local running=$! began code=0
  sleep "$after"
  kill -INT "$running"
  began=$SECONDS
  while kill -0 "$running" 2>/dev/null; do
    if ((SECONDS - began > longest_s)); then
      kill -KILL "$running"
      cat "$name.txt" >&2
      fail "$name: it does not end within $longest_s s after Ctrl-C"
    fi
    sleep 0.1
  done
  wait "$running" || code=$?
  echo "$name: it ended $((SECONDS - began)) s after Ctrl-C, with exit code $code"
  [[ $code -eq 4 ]] || { cat "$name.txt" >&2; fail "$name: exit code $code instead of 4"; }
  local left
  left=$(processes_of_the_run)
  [[ -z $left ]] || fail "$name: processes are left: $left"
}

interrupt playing 2 worker.killed
interrupt arenad_stopped 1.2 arenad.stopped_while_a_worker_dies
interrupt everybody_stopped 1.5 everybody.stopped_for_a_moment
interrupt keeper_stopped 1.2 keeper.stopped_while_arenad_dies
interrupt no_arenad_comes 1.5 disk.reads_fail arenad.killed
interrupt worker_stopped 1.2 worker.stopped

as_who_it_is=()
[[ $EUID -eq 0 ]] || as_who_it_is=(--map-current-user)
if unshare "${as_who_it_is[@]}" --pid --ipc --net --fork --mount-proc true; then
  "$chaos" run --seed 1 --arenas 2 --duration 60s >killed.txt 2>&1 &
  running=$!
  # An arenad that is killed is not there at every look.
  has_begun=false
  for ((looks = 0; looks < 300; ++looks)); do
    if grep -q "[1-9][0-9]* workers and" killed.txt && [[ $(processes_of_the_run) == *arenad* ]]; then
      has_begun=true
      break
    fi
    sleep 0.1
  done
  $has_begun || fail "killed: it did not begin: $(<killed.txt)"
  kill -KILL "$running"
  wait "$running" || true
  for ((looks = 0; looks < 100; ++looks)); do
    left=$(processes_of_the_run)
    [[ -n $left ]] || break
    sleep 0.1
  done
  [[ -z $left ]] || fail "killed: processes are left: $left"
  echo "killed: nothing of it is left"
else
  echo "killed: not looked at: no namespaces are allowed here"
fi
echo "arena-chaos: Ctrl-C ends it, whatever it waits for"
