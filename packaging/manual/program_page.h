// The manual page of a program: its own command line, in the order of a manual.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace arenad::manual {

struct ProgramPage {
  int section;
  std::string more;      // in the notation of scdoc: sections that the command line knows nothing of
  std::string see_also;  // the same
};

// What help repeats below each verb is left out.
std::string program_page(const CLI::App& program, const ProgramPage& page);

}  // namespace arenad::manual
