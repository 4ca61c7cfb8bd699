# Writes a header with the commit of the sources, with "-dirty" if they are not as committed; only if it has changed. Run by cmake -P at each
# build:
#
#     cmake -DSOURCE=DIR -DOUTPUT=FILE -P WriteCommit.cmake
execute_process(COMMAND git -c safe.directory=${SOURCE} -C ${SOURCE} describe --always --abbrev=12 --exclude=* --dirty
  OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit)
  set(commit unknown)
endif()
set(text "// Which commit this was built from. Made by cmake/WriteCommit.cmake.
#pragma once

namespace arenad {
inline constexpr char kArenadCommit[] = \"${commit}\";
}
")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
