#!/usr/bin/env bash
# Builds a game and a client the way a user of an installed Arenad does: in a folder of their own, with nothing but
# find_package(Arenad); and what arenactl new-game makes, with the commands of its README. Everything happens in a private folder that is removed
# at the end.
#
#     out_of_tree_test.sh BUILD_DIR SOURCE_DIR
set -euo pipefail

if [[ $# -ne 2 ]]; then
  echo "usage: ${0##*/} BUILD_DIR SOURCE_DIR" >&2
  exit 2
fi
build_dir=$(cd -- "$1" && pwd)
source_dir=$(cd -- "$2" && pwd)

work=$(mktemp -d)
keeper=
clean_up() {
  # In order, so that its workers end with it.
  if [[ -n $keeper ]]; then
    kill "$keeper" 2>/dev/null || true
    wait "$keeper" || true
  fi
  rm -rf -- "$work"
}
trap clean_up EXIT
prefix=$work/prefix

# Runs a step; shows its output only if it fails.
step() {
  local name=$1
  shift
  if ! "$@" >"$work/log" 2>&1; then
    echo "FAILED: $name: $*" >&2
    cat "$work/log" >&2
    exit 1
  fi
  echo "ok: $name"
}

# A variable of the build that is tested, from its cache.
cached() {
  sed -n "s/^$1:[A-Z]*=//p" "$build_dir/CMakeCache.txt"
}

# What is installed must be linked with the sanitizers that it was compiled with.
compiler_flags() {
  local sanitizers
  sanitizers=$(cached ARENAD_SANITIZE)
  [[ -z $sanitizers ]] || echo "-fsanitize=$sanitizers"
}

configure_and_build() {
  local name=$1
  step "$name: configure" cmake -S "$work/$name" -B "$work/$name/build" -G Ninja \
    -DCMAKE_BUILD_TYPE="$(cached CMAKE_BUILD_TYPE)" -DCMAKE_CXX_FLAGS="$(compiler_flags)" \
    -DCMAKE_CXX_COMPILER="$(cached CMAKE_CXX_COMPILER)" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
  step "$name: build" cmake --build "$work/$name/build" --parallel 2
  step "$name: uses nothing of Arenad's tree" uses_only_what_is_installed "$work/$name/build"
}

uses_only_what_is_installed() {
  ! grep -nF -e "$source_dir/" -e "$build_dir/" "$1/compile_commands.json" "$1/build.ninja"
}

exports_game() {
  nm -D --defined-only "$1" | grep -E ' T arenad_game_module$'
}

write_client() {
  mkdir "$work/client"
  cat >"$work/client/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(client LANGUAGES CXX)
find_package(Arenad 0.1 REQUIRED)
add_executable(client client.cc)
# All of the library, so that nothing it needs can be missing unseen.
target_link_libraries(client PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,Arenad::client>)
END
  # All public headers, in a program as in a module.
  {
    (cd "$prefix/include/arenad" && printf '#include "arenad/%s"\n' *.h)
    cat <<'END'
int main() {
  const auto id = arenad::ArenaId::make(1, 2, 3);
  return arenad::ArenaId::parse(id.text()) == id ? 0 : 1;
}
END
  } >"$work/client/client.cc"
}

# The sh block of this number in a file.
block() {
  awk -v wanted="$1" '/^```sh$/ { inside = ++count == wanted; next } /^```$/ { inside = 0 } inside' "$2"
}

# These commands of a README, as somebody types them in its folder. In the place of this process.
typed() {
  cd "$1"
  exec env ARENAD="$prefix" CMAKE_GENERATOR=Ninja CMAKE_BUILD_TYPE="$(cached CMAKE_BUILD_TYPE)" CXX="$(cached CMAKE_CXX_COMPILER)" \
    CXXFLAGS="$(compiler_flags)" bash -euo pipefail -c "$2"
}

typed_and_done() {
  (typed "$@")
}

answers() {
  for ((i = 0; i < 300; ++i)); do
    ! "$prefix/bin/arenactl" --socket "$1/run/arenad.sock" version >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  return 1
}

# A game that is begun is played by the commands of its own README. module: where these leave it.
play_new_game() {
  local language=$1 name=$2 module=$3 folder=$work/$2 build run
  step "new-game --$language" "$prefix/bin/arenactl" new-game "--$language" "$name" --directory "$folder"
  # Its last line runs arenad, until somebody ends it.
  build=$(block 1 "$folder/README.md" | head -n -1)
  run=$(block 1 "$folder/README.md" | sed -n '1p;$p')
  step "new-game --$language: build and test, as its README says" typed_and_done "$folder" "$build"
  step "$module is a game module" exports_game "$folder/$module"
  (typed "$folder" "${run/arena-keeper/exec arena-keeper}") >"$work/keeper.log" 2>&1 &
  keeper=$!
  step "new-game --$language: arenad answers" answers "$folder"
  step "new-game --$language: play, as its README says" typed_and_done "$folder" "$(block 2 "$folder/README.md")"
  cp "$work/log" "$work/played"
  step "new-game --$language: results by the names of their fields" grep -E '^WHEN +ARENA +SEAT +HITS +SHOTS$' "$work/played"
  kill "$keeper"
  wait "$keeper" || true
  keeper=
}

step "install" cmake --install "$build_dir" --prefix "$prefix"
for program in arenad arena-worker arenactl; do
  step "bin/$program" test -x "$prefix/bin/$program"
done
step "schemas" test -f "$prefix/share/arenad/schema/control.capnp"
step "the schema for results" test -f "$prefix/share/arenad/schema/arenad/results.capnp"

cp -r "$source_dir/examples/tanks" "$work/tanks"
configure_and_build tanks
step "tanks.so is a game module" exports_game "$work/tanks/build/games/tanks.so"

write_client
configure_and_build client
step "the client runs" "$work/client/build/client"

# A game in Python: packed by what is installed, from a folder of its own, and by CMake.
if [[ -e $prefix/bin/arenad-python ]]; then
  mkdir -p "$work/examples"
  cp -r "$source_dir/examples/tanks" "$source_dir/examples/tanks_py" "$work/examples/"
  step "tanks_py: pack" "$prefix/bin/arenad-python" pack "$work/examples/tanks_py" -o "$work/tanks_py.so"
  step "tanks_py.so is a game module" exports_game "$work/tanks_py.so"
  step "tanks_py: desk" "$prefix/bin/arenad-python" desk "$work/examples/tanks_py" --ticks 20
  step "tanks_py: configure" cmake -S "$work/examples/tanks_py" -B "$work/examples/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
  step "tanks_py: build" cmake --build "$work/examples/build"
  step "tanks_py: the same file" cmp "$work/tanks_py.so" "$work/examples/build/games/tanks_py.so"
  step "no bytecode is left where Arenad is installed" test -z "$(find "$prefix" "$work/examples/tanks_py" -name __pycache__)"
fi
play_new_game cpp my_duel build/games/my_duel.so
# Where Arenad was built with Python.
if [[ -x $prefix/bin/arenad-python ]]; then
  play_new_game python my_python_duel games/my_python_duel.so
fi
