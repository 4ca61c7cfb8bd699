# Completion of arenactl(1) for bash, with bash-completion. shellcheck shell=bash
_arenactl() {
  local cur words cword kind word rest
  COMPREPLY=()
  # What bash breaks words at is part of them here: --option=VALUE, game:NAME.
  _get_comp_words_by_ref -n =: cur words cword || return
  {
    read -r kind
    if [[ $kind == files ]]; then
      compopt -o filenames 2>/dev/null
      local path=$cur
      [[ $cur != --*=* ]] || path=${cur#*=}
      mapfile -t COMPREPLY < <(compgen -f -- "$path")
      return
    fi
    while IFS=$'\t' read -r word rest; do
      # bash replaces only what stands behind the '='.
      [[ $cur != --*=* ]] || word=${word#"${cur%%=*}"=}
      [[ $word != *[!A-Za-z0-9_.,:=@%+/-]* ]] || printf -v word %q "$word"
      COMPREPLY+=("$word")
    done
  } < <("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1:cword-1}" "$cur" 2>/dev/null)
  __ltrim_colon_completions "$cur"
}
complete -F _arenactl arenactl
