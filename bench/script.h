// Runs a script of bench/python/ in Debian's Python, with Arenad's package and the benchmarks' games on its path.
#pragma once

#include <string>
#include <vector>

#include "arenad/result.h"

namespace arenad::bench {

// What it prints. An error unless it ends well.
Result<std::string> run_script(const std::string& name, const std::vector<std::string>& arguments);

}  // namespace arenad::bench
