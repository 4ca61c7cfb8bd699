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
  return change_to_file_refused("code.is_truncated", "The arena gets a good module of which the end is missing",
                                [](const Strike& strike) {
                                  auto bytes = bytes_of_good_module();
                                  if (bytes) bytes->resize(1 + strike.draw % begin_of_dynamic_section(*bytes));
                                  return bytes;
                                });
}

}  // namespace arenad::chaos
