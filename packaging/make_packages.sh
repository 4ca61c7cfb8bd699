#!/usr/bin/env bash
# Makes Debian packages of what was built: arenad, arenactl, arenad-chaos, arenad-python and libarenad-dev, and what goes with them.
#
#     make_packages.sh BUILD_DIR OUTPUT_DIR VERSION [CHANGE]
#
# CHANGE is the line of the changelog. The packages are named on standard output, one a line. Times are those of SOURCE_DATE_EPOCH, if
# that is set.
set -euo pipefail

if [[ $# -lt 3 ]]; then
  echo "usage: ${0##*/} BUILD_DIR OUTPUT_DIR VERSION [CHANGE]" >&2
  exit 2
fi
build_dir=$(cd -- "$1" && pwd)
mkdir -p -- "$2"
output_dir=$(cd -- "$2" && pwd)
version=$3
change=${4:-"Built from $version."}
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# debhelper wants a source tree: this one has nothing in it but debian/.
source_dir=$work/arenad-$version
mkdir "$source_dir"
cp -R -- "$here/debian" "$source_dir/debian"
cat >"$source_dir/debian/changelog" <<END_CHANGELOG
arenad ($version) unstable; urgency=medium

  * $change

 -- The Arenad developers <arenad@localhost>  $(LC_ALL=C date -R -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")
END_CHANGELOG

(cd -- "$source_dir" && ARENAD_BUILD_DIR=$build_dir dpkg-buildpackage --build=binary --no-sign) >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  echo "${0##*/}: dpkg-buildpackage failed" >&2
  exit 1
}
# Those of before would be installed along with these.
rm -f -- "$output_dir"/arenad_*.deb "$output_dir"/arenad-chaos_*.deb "$output_dir"/arenad-python_*.deb "$output_dir"/arenactl_*.deb "$output_dir"/libarenad-dev_*.deb "$output_dir"/arena*-dbgsym_*.deb
for package in "$work"/*.deb; do
  install -m 644 -- "$package" "$output_dir/"
  echo "$output_dir/${package##*/}"
done
