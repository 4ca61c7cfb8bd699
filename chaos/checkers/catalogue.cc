#include "chaos/checkers/catalogue.h"

namespace arenad::chaos {

std::vector<std::unique_ptr<Checker>> all_checkers() {
  std::vector<std::unique_ptr<Checker>> all;
#define CHECKER(name) all.push_back(name());
#include "chaos/checkers/list.inc"
#undef CHECKER
  return all;
}

}  // namespace arenad::chaos
