// What a run starts and loads: arenad with its processes, the game that is played with its versions, and the disk and the clock that obey. It is found
// from where this program lies, in the build tree or installed (cmake/ArenadInstall.cmake).
//
//   in the build tree                             | installed
//   ----------------------------------------------+-----------------------------
//   supervisor/, worker/, keeper/: the programs   | bin/, beside this one
//   games/: the modules; chaos/: disk and clock   | lib/arenad/chaos/
//   beside this one: folders of runs              | /var/tmp, which is on a disk
#pragma once

#include <filesystem>

#include "arenad/result.h"

namespace arenad::chaos {

struct Equipment {
  std::filesystem::path arenad;
  std::filesystem::path worker;
  std::filesystem::path keeper;
  std::filesystem::path games;  // the folder with the modules
  std::filesystem::path disk;   // the library; empty: there is none
  std::filesystem::path clock;  // the same
  std::filesystem::path calls;  // the same: what makes system calls fail
  std::filesystem::path room;   // for the folders of runs, if $TMPDIR names none
};

// An error names what was not found, and where it was looked for.
Result<Equipment> find_equipment();

}  // namespace arenad::chaos
