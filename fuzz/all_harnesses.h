// Every harness by its name.
#pragma once

#include <span>
#include <string_view>

#include "fuzz/harness.h"

namespace arenad::fuzz {

struct NamedHarness {
  std::string_view name;
  const Harness* harness;
};
std::span<const NamedHarness> all_harnesses();

}  // namespace arenad::fuzz
