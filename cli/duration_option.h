// An option whose value is a duration.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace arenad::cli {

// set gets milliseconds. What is no duration is an error of usage.
CLI::Option* add_duration_option(CLI::App& app, const std::string& name, std::function<void(uint64_t)> set,
                                 const std::string& description);

}  // namespace arenad::cli
