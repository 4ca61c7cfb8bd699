#!/usr/bin/env bash
# The report of a short real run in a real browser (chromium, headless): the figures of report.json stand in the page, nothing is logged as an
# error, nothing is loaded, and it can be drawn in both colour schemes.
#
#     browser_test.sh ARENA_CHAOS [FOLDER_FOR_SCREENSHOTS]
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 ]]; then
  echo "usage: ${0##*/} ARENA_CHAOS [FOLDER_FOR_SCREENSHOTS]" >&2
  exit 2
fi
chaos=$(readlink -f -- "$1")
skip() {
  echo "skipped: $*"
  exit 77
}
command -v chromium >/dev/null || skip "there is no chromium"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
pictures=${2:-$work}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# No sandbox: it cannot be set up as root or in a container, and the page is our own.
browse() {
  HOME=$work timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" \
    --enable-logging=stderr --v=0 "$@"
}
echo '<!doctype html><title>t</title><p id="here">here</p>' >"$work/try.html"
browse --dump-dom "file://$work/try.html" 2>"$work/log" | grep -q 'id="here"' || skip "chromium does not run here: $(tail -n 1 "$work/log")"

"$chaos" run --seed 3 --faults 12 --arenas 3 --only '*.killed' --report "$work/report" >"$work/out.txt" 2>&1 || {
  cat "$work/out.txt" >&2
  fail "the run failed"
}
page="file://$work/report/report.html"
browse --dump-dom "$page" >"$work/dom.html" 2>"$work/log" || fail "chromium ended with an error"
if grep -E 'CONSOLE|Refused to|Content Security Policy' "$work/log"; then fail "the page has logged something"; fi

# number NAME: of report.json.
number() { sed -n "s/^ \"$1\": \([0-9]*\),\{0,1\}\$/\1/p" "$work/report/report.json"; }
# shows ID TEXT: in the element's own text.
shows() { grep -qE "id=\"$1\"[^>]*>[^<]*$2" "$work/dom.html" || fail "the page does not show $2 as $1"; }
for pair in entries:entries frames:frames_compared worker-ends:worker_ends arenad-ends:arenad_ends; do
  value=$(number "${pair#*:}")
  [[ -n $value ]] || fail "report.json has no ${pair#*:}"
  shows "${pair%:*}" "$value"
done
shows verdict passed
shows violations 0
shows faults 12
[[ $(grep -o 'class="bar c[0-9]*"[^>]* y=' "$work/dom.html" | wc -l) -ge 12 ]] || fail "the timeline does not show every fault"
grep -q "seed 3" "$work/dom.html" || grep -q "Seed 3" "$work/dom.html" || fail "the page does not show the seed"

mkdir -p "$pictures"
for scheme in light dark; do
  picture=$pictures/report-$scheme.png
  dark=()
  # chromium takes it for what the reader prefers.
  [[ $scheme == light ]] || dark=(--blink-settings=preferredColorScheme=0)
  browse "${dark[@]}" --window-size=1280,3000 --hide-scrollbars --screenshot="$picture" "$page" 2>"$work/log" || fail "no screenshot"
  [[ -s $picture ]] || fail "the screenshot is empty"
done
! cmp -s "$pictures/report-light.png" "$pictures/report-dark.png" || fail "the page looks the same in both colour schemes"
echo "arena-chaos: the report in chromium, light and dark"
