#!/usr/bin/env bash
# arenactl top in a real terminal (tmux) with a real arenad: what is shown, keys, another size, an arenad that goes and comes back, and a
# terminal that is as it was when top has ended, however it ended. And the tables where there is no terminal.
#
#     top_test.sh BUILD_DIR
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: ${0##*/} BUILD_DIR" >&2
  exit 2
fi
build=$(cd -- "$1" && pwd)
command -v tmux >/dev/null || {
  echo "skipped: there is no tmux"
  exit 77
}
work=$(mktemp -d)
daemon=
failures=0
in_tmux() { tmux -S "$work/tmux" -f /dev/null "$@"; }

stop_arenad() {
  [[ -z $daemon ]] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || true
  daemon=
}
clean_up() {
  in_tmux kill-server 2>/dev/null || true
  stop_arenad
  rm -rf -- "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

mkdir "$work/state" "$work/run"
cat >"$work/arenad.toml" <<END
[daemon]
directory = "$work/state"
runtime_directory = "$work/run"
[games.echo]
module = "$build/games/echo.so"
[games.tanks]
module = "$build/games/tanks.so"
END
export ARENAD_SOCKET=$work/run/arenad.sock PATH=$build/cli:$PATH HOME=$work TERM=screen
unset TMUX NO_COLOR
echo "PS1='ready> '" >"$work/bashrc"
start_arenad() {
  "$build/supervisor/arenad" --config "$work/arenad.toml" 2>>"$work/arenad.log" &
  daemon=$!
  for ((i = 0; i < 300; ++i)); do
    arenactl version >/dev/null 2>&1 && return
    sleep 0.1
  done
  fail "arenad does not answer"
}
start_arenad
arenactl start tanks --name tank-1 >/dev/null
arenactl start tanks --name tank-2 >/dev/null
arenactl start echo --name echo-1 >/dev/null

# Where there is no terminal.
arenactl top -n 2 --interval 300ms --sort arena game:tanks >"$work/tables"
[[ $(grep -c '^ARENA\* *GAME *STATE *TICK/S' "$work/tables") -eq 2 ]] || fail "two looks are not two tables"
grep -qE '^tank-1 +tanks +running +[0-9]+\.[0-9] ' "$work/tables" || fail "no rate in the first table: $(cat "$work/tables")"
grep -q echo-1 "$work/tables" && fail "an arena that was not selected is shown"
grep -q $'\033' "$work/tables" && fail "escape sequences in a file"
arenactl top -n 1 --interval 100ms --json | grep -q '^{"schema":1,.*"arenas":' || fail "--json"
code=0
arenactl top -n 1 --socket "$work/nowhere" >"$work/none" 2>/dev/null || code=$?
[[ $code -eq 7 && ! -s $work/none ]] || fail "without arenad: $code"
code=0
arenactl top --sort speed 2>/dev/null || code=$?
[[ $code -eq 2 ]] || fail "a wrong column: $code"

await() {
  local i
  for ((i = 0; i < ${ARENAD_TEST_POLLS:-400}; ++i)); do
    in_tmux capture-pane -p -t main >"$work/screen"
    grep -qE -- "$1" "$work/screen" && return
    sleep 0.05
  done
  fail "the screen does not show: $1"
  sed -n 's/^\(.*[^ ].*\)$/  | \1/p' "$work/screen" >&2
}
press() { in_tmux send-keys -t main "$@"; }
# Back at the shell, which is what it was: it echoes, and a line ends with the key for it.
await_shell() {
  await '^ready> *$'
  press -l "stty -a | grep -q ' icanon.* echo ' && echo back=\$((20 + $1))"
  press Enter
  await "^back=$((20 + $1)) *\$"
  press -l "clear"
  press Enter
  await '^ready> *$'
}
run_top() {
  press -l "arenactl top --interval 200ms"
  press Enter
  await 'ARENA.* STATE'
}

in_tmux new-session -d -s main -x 120 -y 20 "bash --noprofile --rcfile $work/bashrc -i"
await '^ready> *$'

run_top
await '^tank-1 +tanks +running'
await 'arenad .* 3 running'
await 'q quit'
press n
await 'sorted by arena'
[[ $(grep -oE '^(echo|tank)-[0-9]' "$work/screen" | tr '\n' ' ') == 'echo-1 tank-1 tank-2 ' ]] || fail "not in the order of names"
press r
await 'sorted by arena, the other way round'
await '^tank-2'
press /
press -l tank
await 'filter: tank_'
press Enter
await '2 of 3 arenas'
press Escape
await '3 of 3 arenas'
press h
await 'go through the list'
press h
await '^tank-1'
in_tmux resize-window -t main -x 40 -y 10
await '^ARENA.* STATE'
[[ $(awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }' "$work/screen") -le 40 ]] || fail "too wide"
grep -q 'PLAYERS' "$work/screen" && fail "columns that do not fit are shown"
in_tmux resize-window -t main -x 120 -y 20
await 'PLAYERS'
stop_arenad
await 'arenad is away'
await '^tank-1'
start_arenad
await '3 of 3 arenas'
await '^tank-1 +tanks +running'
press q
await_shell 1

run_top
press C-c
await_shell 2
run_top
press C-z
await 'Stopped'
press -l fg
press Enter
await '3 of 3 arenas'
top_pid=$(in_tmux list-panes -t main -F "#{pane_pid}" | xargs ps -o pid= --ppid)
# shellcheck disable=SC2086 # a number with spaces before it
kill -TERM $top_pid
await_shell 3

[[ $failures -eq 0 ]] && echo "ok: top"
