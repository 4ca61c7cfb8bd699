// arenad's board (ipc/board.h), as a worker and a client map it.
#include "ipc/board.h"

#include "fuzz/harness.h"
#include "fuzz/regions.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  static WrittenRegion region(kPageBytes);
  region.put(0, input);
  const auto board = BoardView::map(region.fd());
  if (!board) return;
  ARENAD_ASSERT(input.size() > sizeof kBoardMagic);
  (void)board.value().bell();
  (void)board.value().durable_frame();
  (void)board.value().results_committed();
}

std::vector<std::string> seeds() {
  return {Input().number(kBoardMagic).number(kBoardLayoutVersion).bytes(std::string(180, '\x01')).text()};
}

}  // namespace

extern const Harness board_harness;
const Harness board_harness{run, seeds, {}, 192};

}  // namespace arenad::fuzz
