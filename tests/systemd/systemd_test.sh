#!/usr/bin/env bash
# Installs Arenad and its unit into a machine that lives for this test, with a real systemd, and runs a test program in it. Ends with 77, and says
# why, where no such machine can be had.
#
#     systemd_test.sh container BUILD_DIR PROGRAM [DOCTEST-ARG...]   on this machine's kernel (systemd_container.sh)
#     systemd_test.sh kernel BUILD_DIR PROGRAM [DOCTEST-ARG...]      on one of its own, with control groups of version 2 (user_mode_machine.sh)
set -euo pipefail

if [[ $# -lt 3 || ($1 != container && $1 != kernel) ]]; then
  echo "usage: ${0##*/} container|kernel BUILD_DIR PROGRAM [DOCTEST-ARG...]" >&2
  exit 2
fi
machine=$1
build_dir=$(cd -- "$2" && pwd)
program=$3
shift 3
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)

# Not in a folder that TMPDIR may have put on another file system, or in a long path: sockets lie there.
work=$(mktemp -d /tmp/arenad-systemd.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
export SDC_DIR=$work/sdc
share=$SDC_DIR/share
[[ $machine = container ]] || share=$work/share
mkdir -p "$share"

DESTDIR=$share/root cmake --install "$build_dir" --prefix /usr --strip >"$work/install.log" 2>&1 || {
  cat "$work/install.log" >&2
  exit 1
}
install "$build_dir/games/echo.so" "$share/root/usr/lib/arenad/games/"
install "$build_dir/tests/systemd/$program" "$share/test"

# What the machine does: the package's part of an installation, and then the cases.
patience_s=240
[[ $machine = container ]] || patience_s=480
{
  echo "patience_s=$patience_s"
  cat <<'END_INSIDE'
set -euo pipefail
cp -a --no-preserve=ownership /mnt/root/usr/. /usr/
systemd-sysusers arenad.conf 2>/dev/null
mkdir -p /etc/arenad
systemctl daemon-reload
code=0
timeout --kill-after=5 "$patience_s" /mnt/test "$@" || code=$?
[[ $code -eq 0 ]] || journalctl -q -o short-precise -u arenad
exit "$code"
END_INSIDE
} >"$share/inside.sh"

code=0
case $machine in
  container) "$here/systemd_container.sh" run bash /mnt/inside.sh "$@" || code=$? ;;
  kernel) UMM_TIMEOUT=560 "$here/user_mode_machine.sh" "$share" bash /mnt/inside.sh "$@" || code=$? ;;
esac
if [[ $code -eq 77 ]]; then echo "skipped: no such machine can be had here"; fi
exit "$code"
