// The records of channels and output streams.
//
//   offset  bytes
//        0      4  bytes      the whole record, header included; a multiple of 8
//        4      4  reserved   0
//        8      8  sequence   1, 2, 3... in its stream
//       16      8  type       Cap'n Proto type id of the root struct
//       24      8  party      a channel: the sender's channel id; an output: its audience; a result: its seat
//       32         one Cap'n Proto segment, root pointer first
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace arenad {

struct RecordHeader {
  uint32_t bytes;
  uint32_t reserved;
  uint64_t sequence;
  uint64_t type;
  uint64_t party;
};
static_assert(sizeof(RecordHeader) == 32 && std::is_trivially_copyable_v<RecordHeader>);

constexpr uint64_t kRecordHeaderBytes = sizeof(RecordHeader);
constexpr uint64_t record_bytes(uint64_t word_count) {
  return kRecordHeaderBytes + word_count * 8;
}
constexpr uint64_t record_words(uint64_t bytes) {
  return (bytes - kRecordHeaderBytes) / 8;
}

// Copies words that another process may be writing at the same time. Relaxed loads: what is read may be mixed from two writes,
// which the caller's checks must find, but it is read once.
inline void copy_from_shared(void* to, const void* from, size_t bytes) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const uint64_t*>(from);
  for (size_t i = 0; i < bytes / 8; ++i) {
    const uint64_t word = __atomic_load_n(source + i, __ATOMIC_RELAXED);
    std::memcpy(target + i * 8, &word, 8);
  }
}

template <class T>
T load_shared(const void* from) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
  T value;
  copy_from_shared(&value, from, sizeof value);
  return value;
}

// True if the sizes in a record's header can be true, given the bytes that its stream has from here on.
constexpr bool plausible_record(const RecordHeader& header, uint64_t available_bytes, uint64_t maximum_bytes) {
  return header.bytes >= kRecordHeaderBytes + 8 && header.bytes % 8 == 0 && header.bytes <= maximum_bytes &&
         header.bytes <= available_bytes;
}

}  // namespace arenad
