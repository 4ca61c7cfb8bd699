#!/usr/bin/env bash
# Runs the fuzzers, two at a time, and says how much they have tried and what they have found:
#
#   run.sh BUILD [--runs N | --seconds N] [--only NAME]... [--json FILE]
#
#   BUILD         where the preset fuzz was built
#   --runs N      at least so many executions of all of them together: rounds, until there are so many. After the first, in which each has the
#                 same time, half of the time goes to all alike, and half to each by its speed: so the slow ones are not left out, and
#                 the many executions do not take for ever
#   --seconds N   one round of so many seconds each (10 if nothing is said)
#
# What they have learned stays in BUILD/work and is gone on from; an input that has found something is kept there, and its name is printed. The
# exit code is 1 if anything was found, or if it was interrupted.
set -euo pipefail

at_a_time=2
first_round_s=10
# A round is no larger, so that one sees how far it is.
most_in_round=20000000
interrupted_code=72 # of libFuzzer

die() {
  echo "fuzz: $*" >&2
  exit 2
}

check_number() { [[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1: '$2' is no number"; }

[[ $# -gt 0 ]] || die "usage: run.sh BUILD [--runs N | --seconds N] [--only NAME]... [--json FILE]"
sources=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
build=$1
shift
wanted_runs=0
seconds=0
json=''
only=()
while [[ $# -gt 0 ]]; do
  [[ $# -gt 1 ]] || die "$1 needs a value"
  case $1 in
    --runs)
      check_number "$@"
      wanted_runs=$2
      ;;
    --seconds)
      check_number "$@"
      seconds=$2
      ;;
    --only) only+=("$2") ;;
    --json) json=$2 ;;
    *) die "unknown argument '$1'" ;;
  esac
  shift 2
done
[[ $wanted_runs -eq 0 || $seconds -eq 0 ]] || die "either --runs or --seconds"
[[ $seconds -ne 0 ]] || seconds=$first_round_s

work=$build/work
"$build/fuzz/arenad-fuzz-corpus" "$work"
mkdir -p "$work/findings" "$work/logs"
names=()
for options in "$work"/*.options; do
  name=$(basename "$options" .options)
  # One that there is no more.
  [[ -x $build/fuzz/fuzz_$name ]] || continue
  [[ ${#only[@]} -eq 0 || " ${only[*]} " == *" $name "* ]] || continue
  names+=("$name")
done
[[ ${#names[@]} -ne 0 && (${#only[@]} -eq 0 || ${#names[@]} -eq ${#only[@]}) ]] || die "there is no fuzzer of one of these names: ${only[*]}"

# NAME SECONDS: one fuzzer for so long.
run_one() {
  local name=$1 options folders
  mapfile -t options <"$work/$name.options"
  folders=("$work/corpus/$name" "$work/seeds/$name")
  [[ ! -d $sources/corpus/$name ]] || folders+=("$sources/corpus/$name")
  mkdir -p "${folders[0]}"
  local code=0
  # One that does not stop of itself is a finding too.
  UBSAN_OPTIONS=print_stacktrace=1 "$build/fuzz/fuzz_$name" "${options[@]}" -dict="$work/$name.dict" -max_total_time="$2" -timeout=20 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/findings/$name-" "${folders[@]}" >"$work/logs/$name.log" 2>&1 || code=$?
  case $code in
    0 | "$interrupted_code") rm -f "$work/logs/$name.failed" ;;
    *) touch "$work/logs/$name.failed" ;;
  esac
}
export -f run_one
export build sources work interrupted_code

declare -A executions=() # of each, in all
declare -A speed=()      # of each, in the last round: executions a second
total=0
rm -f "$work"/logs/*.failed

cut_short=0
trap 'cut_short=1' INT TERM

# Lines of NAME SECONDS: each for so long. Who takes longest begins.
round() {
  local plan name count time
  plan=$(sort -k2,2nr)
  xargs -P "$at_a_time" -L1 bash -c 'run_one "$@"' run <<<"$plan" || cut_short=1
  while read -r name time; do
    # One that has leaked says it twice.
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/logs/$name.log" | tail -1 || true)
    executions[$name]=$((${executions[$name]:-0} + ${count:-0}))
    speed[$name]=$((${count:-0} / time))
    total=$((total + ${count:-0}))
  done <<<"$plan"
}

# Of those who have found nothing: who has is not asked again.
speeds() {
  local name
  for name in "${names[@]}"; do
    [[ -f $work/logs/$name.failed ]] || echo "$name ${speed[$name]}"
  done
}

# Lines of NAME SPEED become NAME SECONDS, of which so many executions are to be expected.
plan_for() {
  awk -v missing="$1" '
    { name[NR] = $1; speed[NR] = $2 + 1; sum += $2 + 1 }
    END {
      for (i = 1; i <= NR; ++i) { share[i] = (1 + speed[i] * NR / sum) / 2; each_s += share[i] * speed[i] }
      for (i = 1; i <= NR; ++i) print name[i], int(missing / each_s * share[i]) + 1
    }'
}

round < <(printf "%s $seconds\n" "${names[@]}")
while [[ $total -lt $wanted_runs && $cut_short -eq 0 ]]; do
  missing=$((wanted_runs - total))
  plan=$(speeds | plan_for $((missing < most_in_round ? missing : most_in_round)))
  [[ -n $plan ]] || break
  echo "fuzz: $total of $wanted_runs executions after $SECONDS s"
  round <<<"$plan"
done

findings=0
for name in "${names[@]}"; do
  printf '%-20s %15d executions\n' "$name" "${executions[$name]}"
  [[ -f $work/logs/$name.failed ]] || continue
  findings=$((findings + 1))
  found=$(sed -n 's/.*Test unit written to //p' "$work/logs/$name.log" | tail -1)
  echo "  FOUND ${found:-something without an input}; what it is: $work/logs/$name.log; again: $build/fuzz/fuzz_$name $found"
done
echo "fuzz: $total executions in $SECONDS s, $findings findings"
[[ -z $json ]] || printf '{\n  "fuzz.executions": %d,\n  "fuzz.findings": %d\n}\n' "$total" "$findings" >"$json"
[[ $cut_short -eq 0 ]] || echo "fuzz: it was interrupted"
[[ $findings -eq 0 && $cut_short -eq 0 ]]
