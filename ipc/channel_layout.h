// A channel region: the way in, from one client to one arena. Its only writer is the client.
//
//   offset  bytes
//        0     64  what never moves and never changes: magic, layout version, size, ring
//       64     64  published: the end of the stream of events; how often there was no room
//      128     64  the client as a reader of outputs: is it asleep, how far has it read
//     4096         ring of records (record.h); record positions are positions in the stream, modulo the capacity
//
// An event is written behind `published`, then published by one release store. The client never writes where a record lies that
// the worker has not released (channel table of incarnation_layout.h). If the client dies at any point, everything up to
// `published` is whole and nothing behind it is ever looked at.
#pragma once

#include <atomic>
#include <cstdint>

#include "ipc/region.h"

namespace arenad {

constexpr uint64_t kChannelMagic = 0x314E484341415241;  // "ARAACHN1"
constexpr uint32_t kChannelLayoutVersion = 1;

struct ChannelHeader {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t header_bytes;
  uint64_t region_bytes;
  uint64_t ring_offset;
  uint64_t ring_capacity;  // a power of two, a multiple of the page size; 0 for an observer
  uint8_t unused_a[24];

  std::atomic<uint64_t> published;  // writer: client. StreamPosition. Its low half is the worker's futex
  std::atomic<uint64_t> full;       // writer: client. How often it had no room for an event
  uint8_t unused_b[48];

  std::atomic<uint32_t> reader_asleep;  // writer: client. 1: wake it when there are new outputs
  uint32_t unused_c;
  std::atomic<uint64_t> outputs_read;  // writer: client. StreamPosition in the arena's outputs
  uint8_t unused_d[48];
};
static_assert(offsetof(ChannelHeader, published) == 64);
static_assert(offsetof(ChannelHeader, reader_asleep) == 128);
static_assert(sizeof(ChannelHeader) == 192);
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

constexpr uint64_t kChannelRingOffset = kPageBytes;

}  // namespace arenad
