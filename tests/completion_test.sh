#!/usr/bin/env bash
# What bash, zsh and fish complete behind arenactl: the real shells, each in a terminal, with the scripts as they are installed and a
# real arenad; and with none, when they must say nothing.
#
#     completion_test.sh BUILD_DIR
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: ${0##*/} BUILD_DIR" >&2
  exit 2
fi
build=$(cd -- "$1" && pwd)
for program in tmux bash zsh fish; do
  command -v "$program" >/dev/null || {
    echo "skipped: there is no $program"
    exit 77
  }
done
if [[ ! -f /usr/share/bash-completion/bash_completion ]]; then
  echo "skipped: there is no bash-completion"
  exit 77
fi

work=$(mktemp -d)
daemon=
failures=0
in_tmux() { tmux -S "$work/tmux" -f /dev/null "$@"; }

clean_up() {
  in_tmux kill-server 2>/dev/null || true
  [[ -z $daemon ]] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || true
  rm -rf -- "$work"
}
trap clean_up EXIT

cmake --install "$build/packaging/completion" --prefix "$work/prefix" >/dev/null
cat >"$work/arenad.toml" <<END
[daemon]
directory = "$work/state"
runtime_directory = "$work/run"
[games.echo]
module = "$build/games/echo.so"
END
mkdir "$work/state" "$work/run" "$work/files"
touch "$work/files/recording-of-monday"
"$build/supervisor/arenad" --config "$work/arenad.toml" 2>"$work/arenad.log" &
daemon=$!
export ARENAD_SOCKET=$work/run/arenad.sock PATH=$build/cli:$PATH HOME=$work XDG_CONFIG_HOME=$work/config
export XDG_DATA_HOME=$work/data XDG_DATA_DIRS=$work/prefix/share:/usr/share INPUTRC=$work/inputrc TERM=xterm PS1='ready> '
unset XDG_RUNTIME_DIR TMUX
echo 'set show-all-if-ambiguous on' >"$INPUTRC"
for ((i = 0; i < 200; ++i)); do
  arenactl version >/dev/null 2>&1 && break
  sleep 0.1
done
arenactl start echo --name duel-1 >/dev/null
arenactl start echo --name duel-2 >/dev/null
arenactl start echo --name ladder >/dev/null

cat >"$work/bashrc" <<'END'
. /usr/share/bash-completion/bash_completion
PS1='ready> '
END
cat >"$work/zshrc" <<'END'
fpath=($XDG_DATA_DIRS[(ws.:.)1]/zsh/vendor-completions $fpath)
autoload -Uz compinit && compinit -u -D
unsetopt list_ambiguous
PS1='ready> '
END
mkdir -p "$work/config/fish"
cat >"$work/config/fish/config.fish" <<'END'
set fish_greeting
set fish_autosuggestion_enabled 0
function fish_prompt
    echo 'ready> '
end
END

# The server ends with its last session.
in_tmux new-session -d -s keep cat

screen() { in_tmux capture-pane -p -t main; }

# Waits until the screen has a line that matches.
await() {
  local i
  for ((i = 0; i < ${ARENAD_TEST_POLLS:-400}; ++i)); do
    screen >"$work/screen" 2>/dev/null || true
    grep -qE -- "$1" "$work/screen" && return
    sleep 0.05
  done
  echo "FAILED: $shell: '$typed' did not show: $1" >&2
  sed -n 's/^\(.*[^ ].*\)$/  | \1/p' "$work/screen" >&2
  failures=$((failures + 1))
}

open_shell() {
  shell=$1 typed=
  local command
  case $shell in
    bash) command="bash --noprofile --rcfile $work/bashrc -i" ;;
    zsh) command="zsh -f -i" ;;
    fish) command="fish -i" ;;
  esac
  in_tmux new-session -d -s main -e ARENAD_SOCKET="$ARENAD_SOCKET" -x 160 -y 40 "$command"
  if [[ $shell == zsh ]]; then in_tmux send-keys -t main -l ". $work/zshrc" && in_tmux send-keys -t main Enter; fi
  await '^ready> *$'
}

close_shell() { in_tmux kill-session -t main; }

# complete TYPED PATTERN...: each must be shown after Tab.
complete_to() {
  typed=$1
  shift
  in_tmux send-keys -t main -l "$typed"
  in_tmux send-keys -t main Tab
  local pattern
  for pattern; do await "$pattern"; done
  # Its list of candidates takes the keys that would clear the line.
  if [[ $shell == fish ]]; then
    close_shell
    open_shell fish
    return
  fi
  # Keys, which the shell takes one after the other. An interrupt could strike what still completes, and leave the line.
  in_tmux send-keys -t main C-e C-u C-l
  typed="C-l" await '^ready> *$'
}

for shell in bash zsh fish; do
  open_shell "$shell"
  complete_to 'arenactl statu' 'arenactl status( |$)'
  complete_to 'arenactl sta' '(^| )start( |$)' '(^| )status( |$)'
  complete_to 'arenactl crashes sh' 'arenactl crashes show( |$)'
  complete_to 'arenactl status --fin' 'arenactl status --finished( |$)'
  complete_to 'arenactl status --soc' 'arenactl status --socket( |$)'
  complete_to 'arenactl stop du' '(^| )duel-1( |$)' '(^| )duel-2( |$)'
  complete_to 'arenactl stop duel-1 lad' 'arenactl stop duel-1 ladder( |$)'
  complete_to 'arenactl --quiet stop lad' 'arenactl --quiet stop ladder( |$)'
  complete_to 'arenactl status game:e' 'arenactl status game:echo( |$)'
  complete_to 'arenactl start ec' 'arenactl start echo( |$)'
  complete_to 'arenactl status -o arena,sta' 'arenactl status -o arena,state( |$)'
  complete_to 'arenactl reload echo --on-failure=rol' 'arenactl reload echo --on-failure=rollback-all( |$)'
  complete_to "arenactl export duel-1 $work/files/rec" 'recording-of-monday( |$)'
  complete_to 'arenactl help undr' 'arenactl help undrain( |$)'
  close_shell

  # What is typed behind it shows that the shell is through with it.
  socket=$ARENAD_SOCKET
  export ARENAD_SOCKET=$work/nowhere.sock
  open_shell "$shell"
  in_tmux send-keys -t main -l 'arenactl stop du'
  in_tmux send-keys -t main Tab
  in_tmux send-keys -t main -l 'XX'
  typed='arenactl stop du, without arenad' await 'arenactl stop duXX *$'
  if grep -v 'ready> arenactl stop duXX' "$work/screen" | grep -q '[^ ]' && grep -q 'nowhere\|arenactl: ' "$work/screen"; then
    echo "FAILED: $shell says something without arenad" >&2
    sed 's/^/  | /' "$work/screen" >&2
    failures=$((failures + 1))
  fi
  close_shell
  export ARENAD_SOCKET=$socket
  echo "ok: $shell"
done

[[ $failures -eq 0 ]]
