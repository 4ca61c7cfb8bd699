#compdef arenactl
# Completion of arenactl(1) for zsh.
_arenactl() {
  local -a answer texts shown
  local line
  answer=("${(@f)$("${(Q)words[1]/#\~/$HOME}" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  if [[ $answer[1] == files ]]; then
    [[ $PREFIX != --*=* ]] || compset -P '*='
    _files
    return
  fi
  for line in "${(@)answer[2,-1]}"; do
    texts+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done
  compadd -l -d shown -a texts
}
_arenactl "$@"
