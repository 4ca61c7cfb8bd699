// What an arena's cage lets through (docs/the-cage.md): arenad writes it into the environment of a template, which reads it there. Not
// into its arguments, because a worker program from before there were cages would refuse those, and be no way back any more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"

namespace arenad {

enum class CageMode {
  kill,  // whoever does what it must not is ended
  log,   // system calls that would end it are let through, and the kernel's audit log names them
  off,
};

struct CageOptions {
  CageMode mode = CageMode::off;
  uint64_t memory_bytes = 0;  // private memory of a worker; 0: no limit
  bool network = false;
  bool threads = false;
  bool core_dumps = false;
  std::vector<std::string> readable;  // paths, beside the module's folder and the system's libraries
  std::vector<std::string> writable;
  std::vector<std::string> system_calls;  // by name, beside those that every worker needs

  // A line for each value.
  [[nodiscard]] std::string text() const;
  static Result<CageOptions> parse(std::string_view text);
  bool operator==(const CageOptions&) const = default;
};

inline constexpr const char* kCageVariable = "ARENAD_CAGE";

}  // namespace arenad
