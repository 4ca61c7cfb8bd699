#!/usr/bin/env bash
# The alert rules on made-up numbers (rules_test.yml), by Prometheus' own tool. Ends with 77, and says why, where there is none.
#
#     rules_test.sh RULES_DIR
set -euo pipefail

if ! command -v promtool >/dev/null; then
  echo "skipped: no promtool here (Debian's package prometheus)"
  exit 77
fi
rules=$(cd -- "$1" && pwd)
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# The rules are named relative to the test.
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cp "$rules/arenad.rules.yml" "$here/rules_test.yml" "$work/"

promtool check rules "$work/arenad.rules.yml"
promtool test rules "$work/rules_test.yml"

# A test that cannot fail shows nothing: with another limit, and without a rule, it must.
refuses() {
  if promtool test rules "$work/rules_test.yml" >/dev/null 2>&1; then
    echo "the test of the rules passes though $1" >&2
    exit 1
  fi
}
sed -i 's/arenad_checkpoint_lag_seconds > 10/arenad_checkpoint_lag_seconds > 100/' "$work/arenad.rules.yml"
refuses "checkpoints may lag for 100 s"
sed 's/arenad_quarantined_events > 0/arenad_quarantined_events >= 0/' "$rules/arenad.rules.yml" >"$work/arenad.rules.yml"
refuses "an empty quarantine is an alert"
