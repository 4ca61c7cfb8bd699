// Whether what a configuration names is there.
#pragma once

#include <string>
#include <vector>

#include "supervisor/config.h"

namespace arenad {

// A problem for each module that cannot be read, for each user or group that this machine does not know, and for the program
// arena-worker if it is none; `worker` is empty: it is not looked at.
// file: the configuration's, to be named.
std::vector<ConfigProblem> missing_files(const Config& config, const std::string& file, const std::string& worker);

}  // namespace arenad
