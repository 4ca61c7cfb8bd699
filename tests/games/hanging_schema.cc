// The ledger, but for its schema: whoever asks for it a second time, to compare it with another one, waits for ever.
#include <unistd.h>

#define arenad_game_module ledger_game_module
#include "chaos/games/ledger_game.cc"
#undef arenad_game_module

extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t host_abi) {
  static const arenad_game* ledger = ledger_game_module(host_abi);
  static arenad_game table = *ledger;
  table.schema = [](size_t* bytes) {
    static int calls = 0;
    while (++calls > 1) ::pause();
    return ledger->schema(bytes);
  };
  return &table;
}
