// Where a run takes place, for whoever compares its figures with those of another machine.
#pragma once

#include <cstdint>
#include <string>

namespace arenad::chaos {

struct Environment {
  std::string kernel;
  std::string architecture;
  uint64_t processors = 0;  // that this process may use
  uint64_t memory_bytes = 0;
  std::string container;   // how it shows that this is one; empty: it does not
  std::string user;        // "root" or "user 1000"
  std::string namespaces;  // of the run's own (private_namespaces.h)
};

Environment look_around();

}  // namespace arenad::chaos
