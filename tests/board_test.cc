// Boards: what arenad tells, and the bell that wakes everyone who sleeps.
#include "ipc/board.h"

#include <new>
#include <sched.h>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "tests/support/child.h"

namespace {

using namespace arenad;
using arenad::test::Child;
using arenad::test::kChildFine;
using arenad::test::kDeadlineNs;
using arenad::test::Shared;

Board new_board() {
  auto board = Board::create();
  REQUIRE(board.ok());
  return std::move(*board);
}

BoardView view_of(const Board& board) {
  auto fd = board.fd().duplicate();
  REQUIRE(fd.ok());
  auto view = BoardView::map(std::move(*fd));
  REQUIRE(view.ok());
  return std::move(*view);
}

}  // namespace

TEST_CASE("board: new, it says nothing") {
  const Board board = new_board();
  const BoardView view = view_of(board);
  CHECK(view.bell() == 0);
  CHECK(view.durable_frame() == 0);
  CHECK(view.results_committed() == 0);
}

TEST_CASE("board: everyone sees what arenad writes") {
  Board board = new_board();
  const BoardView first = view_of(board);
  const BoardView second = view_of(board);
  board.set_durable_frame(41);
  board.set_results_committed(UINT64_MAX);
  for (const BoardView* view : {&first, &second}) {
    CHECK(view->durable_frame() == 41);
    CHECK(view->results_committed() == UINT64_MAX);
    CHECK(view->bell() == 0);
  }
  Board moved = std::move(board);
  moved.ring();
  CHECK(first.bell() == 1);
  CHECK(second.bell() == 1);
}

TEST_CASE("board: its bell counts on") {
  Board board = new_board();
  const BoardView view = view_of(board);
  for (uint32_t i = 1; i <= 1000; ++i) {
    board.ring();
    REQUIRE(view.bell() == i);
  }
}

TEST_CASE("board: whoever sleeps until the bell rings is woken") {
  Board board = new_board();
  const BoardView view = view_of(board);
  struct Heard {
    std::atomic<uint32_t> by[2];
  };
  const Shared<Heard> heard;
  constexpr uint32_t kRings = 300;
  const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
  auto listen = [&](int who) {
    uint32_t seen = 0;
    while (seen < kRings) {
      const FutexWait wait = view.bell_wait(seen);
      futex_wait_any({&wait, 1}, deadline_ns);
      if (monotonic_ns() > deadline_ns) return 1;
      seen = view.bell();
      heard->by[who].store(seen);
    }
    return kChildFine;
  };
  Child first([&] { return listen(0); });
  Child second([&] { return listen(1); });
  for (uint32_t i = 1; i <= kRings; ++i) {
    board.ring();
    while ((heard->by[0] < i || heard->by[1] < i) && monotonic_ns() < deadline_ns) ::sched_yield();
  }
  CHECK(first.fine());
  CHECK(second.fine());
}

TEST_CASE("hostile board: a region that is none") {
  auto mapped = [](auto&& change, uint64_t bytes = sizeof(BoardLayout)) {
    auto region = Region::create("arenad-test", bytes);
    REQUIRE(region.ok());
    auto* layout = new (region->data()) BoardLayout{};
    layout->magic = kBoardMagic;
    layout->layout_version = kBoardLayoutVersion;
    change(*layout);
    REQUIRE(region->seal().ok());
    auto fd = region->fd().duplicate();
    REQUIRE(fd.ok());
    return BoardView::map(std::move(*fd));
  };
  CHECK(mapped([](BoardLayout&) {}).ok());
  const auto magic = mapped([](BoardLayout& layout) { layout.magic ^= 1; });
  REQUIRE_FALSE(magic.ok());
  CHECK(magic.error().code == ErrorCode::corrupt);
  CHECK_FALSE(mapped([](BoardLayout& layout) { layout.layout_version = 0; }).ok());
  CHECK_FALSE(mapped([](BoardLayout& layout) { layout.layout_version = 2; }).ok());
  CHECK_FALSE(BoardView::map(Fd()).ok());
}
