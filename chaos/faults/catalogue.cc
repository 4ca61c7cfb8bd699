#include "chaos/faults/catalogue.h"

#include <algorithm>

namespace arenad::chaos {

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> faults = [] {
    std::vector<Fault> all{
#define FAULT(name) name(),
#include "chaos/faults/list.inc"
#undef FAULT
    };
    std::ranges::sort(all, {}, &Fault::name);
    return all;
  }();
  return faults;
}

const Fault* find_fault(const std::string& name) {
  const auto found = std::ranges::find(all_faults(), name, &Fault::name);
  return found == all_faults().end() ? nullptr : &*found;
}

}  // namespace arenad::chaos
