#include <cstring>
#include <elf.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"

namespace arenad::chaos {
namespace {

// What a loader begins with lies behind this; without what lies behind that, debug information for one, a module may do.
uint64_t begin_of_dynamic_section(const std::string& module) {
  Elf64_Ehdr head;
  std::memcpy(&head, module.data(), sizeof head);
  for (size_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr part;
    std::memcpy(&part, module.data() + head.e_phoff + i * head.e_phentsize, sizeof part);
    if (part.p_type == PT_DYNAMIC) return part.p_offset;
  }
  return 1;
}

}  // namespace

Fault code_is_truncated() {
  return {.name = "code.is_truncated",
          .does = "The arena gets a good module of which the end is missing",
          .holds = "it is refused, and the arena's own code goes on",
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto bytes = bytes_of_good_module();
            if (!bytes) return bytes.error();
            bytes->resize(1 + strike.draw % begin_of_dynamic_section(*bytes));
            return order_bytes(stage, strike, *bytes);
          },
          .plays_on = 10,
          .settled = order_is_answered,
          .check = order_was_refused};
}

}  // namespace arenad::chaos
