// The board of an arena: what arenad tells its worker and its clients. Its only writer is arenad.
//
//   offset  bytes
//        0     64  magic, layout version, size
//       64     64  bell: counts messages and notices sent over sockets; the futex of everyone who sleeps
//      128     64  what arenad has made durable
//
// The board holds only what may be read at any time and in any order; everything with an order to it goes over the sockets, and the
// bell makes the sleepers look there.
#pragma once

#include <atomic>
#include <cstdint>

#include "ipc/region.h"

namespace arenad {

constexpr uint64_t kBoardMagic = 0x31444F4241415241;  // "ARAABOD1"
constexpr uint32_t kBoardLayoutVersion = 1;

struct BoardLayout {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t header_bytes;
  uint64_t region_bytes;
  uint8_t unused_a[40];

  std::atomic<uint32_t> bell;
  uint8_t unused_b[60];

  std::atomic<uint64_t> durable_frame;      // the newest checkpoint in the database; records up to it may be released
  std::atomic<uint64_t> results_committed;  // sequence of the last result in the database
  uint8_t unused_c[48];
};
static_assert(offsetof(BoardLayout, bell) == 64);
static_assert(offsetof(BoardLayout, durable_frame) == 128);
static_assert(sizeof(BoardLayout) == 192);

}  // namespace arenad
