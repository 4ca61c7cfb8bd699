#!/usr/bin/env bash
# Installs Arenad and its unit into a machine that lives for this test, with a real systemd (systemd_container.sh), and runs
# systemd_test.cc in it. Ends with 77, and says why, where no such machine can be had.
#
#     systemd_test.sh BUILD_DIR [DOCTEST-ARG...]
set -euo pipefail

if [[ $# -lt 1 ]]; then
  echo "usage: ${0##*/} BUILD_DIR [DOCTEST-ARG...]" >&2
  exit 2
fi
build_dir=$(cd -- "$1" && pwd)
shift
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)

# Not in a folder that TMPDIR may have put on another file system, or in a long path: sockets lie there.
work=$(mktemp -d /tmp/arenad-systemd.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
export SDC_DIR=$work/sdc
share=$SDC_DIR/share
mkdir -p "$share"

DESTDIR=$share/root cmake --install "$build_dir" --prefix /usr --strip >"$work/install.log" 2>&1 || {
  cat "$work/install.log" >&2
  exit 1
}
install "$build_dir/games/echo.so" "$share/root/usr/lib/arenad/games/"
install "$build_dir/tests/systemd/systemd_test" "$share/"

# What the machine does: the package's part of an installation, and then the cases.
cat >"$share/inside.sh" <<'END_INSIDE'
set -euo pipefail
cp -a --no-preserve=ownership /mnt/root/usr/. /usr/
systemd-sysusers arenad.conf 2>/dev/null
mkdir -p /etc/arenad
systemctl daemon-reload
code=0
timeout --kill-after=5 240 /mnt/systemd_test "$@" || code=$?
[[ $code -eq 0 ]] || journalctl -q -o short-precise -u arenad
exit "$code"
END_INSIDE

code=0
"$here/systemd_container.sh" run bash /mnt/inside.sh "$@" || code=$?
if [[ $code -eq 77 ]]; then echo "skipped: no systemd can be booted here"; fi
exit "$code"
