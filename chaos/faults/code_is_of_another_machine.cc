#include <cstring>
#include <elf.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"

namespace arenad::chaos {

Fault code_is_of_another_machine() {
  return change_to_file_refused("code.is_of_another_machine", "The arena gets a module that was made for another architecture",
                                [](const Strike& strike) {
                                  auto bytes = bytes_of_good_module();
                                  if (!bytes) return bytes;
                                  constexpr Elf64_Half kMachines[] = {EM_386, EM_ARM, EM_PPC64, EM_RISCV, EM_NONE};
                                  const Elf64_Half machine = kMachines[strike.draw % std::size(kMachines)];
                                  std::memcpy(bytes->data() + offsetof(Elf64_Ehdr, e_machine), &machine, sizeof machine);
                                  return bytes;
                                });
}

}  // namespace arenad::chaos
