#include <cstring>
#include <elf.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"

namespace arenad::chaos {

Fault code_is_of_another_machine() {
  return {.name = "code.is_of_another_machine",
          .does = "The arena gets a module that was made for another architecture",
          .holds = "it is refused, and the arena's own code goes on",
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto bytes = bytes_of_good_module();
            if (!bytes) return bytes.error();
            constexpr Elf64_Half kMachines[] = {EM_386, EM_ARM, EM_PPC64, EM_RISCV, EM_NONE};
            const Elf64_Half machine = kMachines[strike.draw % std::size(kMachines)];
            std::memcpy(bytes->data() + offsetof(Elf64_Ehdr, e_machine), &machine, sizeof machine);
            return order_bytes(stage, strike, *bytes);
          },
          .plays_on = 10,
          .settled = order_is_answered,
          .check = order_was_refused};
}

}  // namespace arenad::chaos
