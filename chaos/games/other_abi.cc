// A module of a later ABI: of its table nothing but the first field can be believed.
#include "arenad/module_abi.h"

extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t) {
  static const arenad_game table{.abi_version = ARENAD_ABI_VERSION + 1, .table_bytes = 8};
  return &table;
}
