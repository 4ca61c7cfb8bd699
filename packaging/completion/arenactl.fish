# Completion of arenactl(1) for fish.
function __arenactl_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l program $words[1]
    set -e words[1]
    set -l answer ($program __complete -- $words "$typed" 2>/dev/null)
    if test "$answer[1]" = files
        __fish_complete_path (string replace --regex -- '^--[^=]*=' '' $typed)
    else if test (count $answer) -gt 1
        printf '%s\n' $answer[2..-1]
    end
end
complete --command arenactl --no-files --arguments '(__arenactl_complete)'
