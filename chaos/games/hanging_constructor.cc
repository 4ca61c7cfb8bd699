// A module that never ends being loaded.
#include <unistd.h>

#include "arenad/module_abi.h"

namespace {

int hang() {
  for (;;) ::pause();
}
const int kHang = hang();

}  // namespace

extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t) {
  return kHang == 0 ? nullptr : nullptr;
}
