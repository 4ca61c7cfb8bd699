#include "ipc/board.h"

#include <new>

namespace arenad {

Result<Board> Board::create() {
  auto region = Region::create("arenad-board", sizeof(BoardLayout));
  if (!region) return region.error();
  Board board;
  board.region_ = std::move(*region);
  if (auto sealed = board.region_.seal(); !sealed) return sealed.error();
  auto* layout = new (board.region_.data()) BoardLayout{};
  layout->layout_version = kBoardLayoutVersion;
  layout->header_bytes = sizeof(BoardLayout);
  layout->region_bytes = board.region_.bytes();
  layout->magic = kBoardMagic;
  return board;
}

void Board::ring() {
  layout().bell.fetch_add(1, std::memory_order_release);
  futex_wake_all(&layout().bell);
}

Result<BoardView> BoardView::map(Fd fd) {
  auto region = RegionView::map(std::move(fd), sizeof(BoardLayout));
  if (!region) return region.error();
  BoardView view;
  view.region_ = std::move(*region);
  if (view.layout().magic != kBoardMagic || view.layout().layout_version != kBoardLayoutVersion) {
    return make_error(ErrorCode::corrupt, "not a board of a layout that this version knows");
  }
  return view;
}

}  // namespace arenad
