#!/usr/bin/env bash
# Makes the packages, and runs package_test.cc with them on a machine that lives for this test: a Debian with nothing in it but what the
# packages say that they need, and a real systemd (systemd_container.sh). Ends with 77, and says why, where no such machine can be had.
#
#     package_test.sh BUILD_DIR VERSION NEWER_VERSION [DOCTEST-ARG...]
set -euo pipefail

if [[ $# -lt 3 ]]; then
  echo "usage: ${0##*/} BUILD_DIR VERSION NEWER_VERSION [DOCTEST-ARG...]" >&2
  exit 2
fi
build_dir=$(cd -- "$1" && pwd)
version=$2
newer_version=$3
shift 3
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
tests=$build_dir/tests/systemd

skip() {
  echo "skipped: $*"
  exit 77
}

[[ $EUID -eq 0 ]] || skip "only root can make a machine"
for command in mmdebstrap dpkg-buildpackage; do
  command -v "$command" >/dev/null || skip "there is no $command: ./dev setup"
done

work=$(mktemp -d /tmp/arenad-package.XXXXXX)
trap 'rm -rf --one-file-system -- "$work"' EXIT
export SDC_DIR=$work/sdc
share=$SDC_DIR/share
packages=$share/packages
mkdir -p "$packages"

# ---- the packages ---------------------------------------------------------------------------------------------------

# The same packages with another arenad in them. debhelper has had its say already; what is new is the program and the number.
repack() {
  local from=$1 to=$2 arenad=$3 as_version=$4 package tree
  mkdir "$to"
  for package in "$from"/*.deb; do
    tree=$work/tree
    dpkg-deb --raw-extract "$package" "$tree"
    sed -i "s/^Version: .*/Version: $as_version/; s/(= $version)/(= $as_version)/" "$tree/DEBIAN/control"
    if [[ -e $tree/usr/bin/arenad ]]; then
      install "$arenad" "$tree/usr/bin/arenad"
      (cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    fi
    dpkg-deb -Znone --root-owner-group --build "$tree" "$to" >/dev/null
    rm -rf -- "$tree"
  done
}

DEB_BUILD_OPTIONS=noautodbgsym "$here/../../packaging/make_packages.sh" "$build_dir" "$packages/first" "$version" >/dev/null
repack "$packages/first" "$packages/newer" "$tests/arenad_newer" "$newer_version"
printf '#!/bin/sh\nexit 1\n' >"$work/broken"
repack "$packages/first" "$packages/broken" "$work/broken" "$newer_version+broken"
install "$build_dir/games/echo.so" "$tests/package_test" "$share/"

# ---- the machine ----------------------------------------------------------------------------------------------------

# What the packages depend on, and systemd; kept beside the build, as it takes a while and the network.
needed=$(for package in "$packages"/first/*.deb; do dpkg-deb --field "$package" Depends; done |
  tr ',' '\n' | sed 's/(.*)//; s/|.*//; s/ //g' | grep -v '^$\|^arena\|^libarenad' | sort -u | paste -sd ,)
root=$tests/clean-root
if [[ ! -e $root/made-for || $(cat "$root/made-for") != "$needed" ]]; then
  rm -rf --one-file-system -- "$root"
  # Not to the end in place: what is half made must not be taken for a machine.
  mmdebstrap --quiet --variant=minbase --include="$needed,systemd,systemd-sysv,procps" bookworm "$root.new" >"$work/mmdebstrap.log" 2>&1 || {
    tail -n 5 "$work/mmdebstrap.log"
    rm -rf --one-file-system -- "$root.new"
    skip "no clean Debian could be made, see above"
  }
  echo "$needed" >"$root.new/made-for"
  mv -- "$root.new" "$root"
fi
export SDC_ROOT=$root

cat >"$share/inside.sh" <<'END_INSIDE'
code=0
timeout --kill-after=5 200 /mnt/package_test "$@" || code=$?
[[ $code -eq 0 ]] || journalctl -q -o short-precise -u arenad
exit "$code"
END_INSIDE

code=0
"$here/systemd_container.sh" run bash /mnt/inside.sh "$@" || code=$?
if [[ $code -eq 77 ]]; then echo "skipped: no systemd can be booted here"; fi
exit "$code"
