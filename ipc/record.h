// The records of channels and output streams.
//
//   offset  bytes
//        0      4  bytes      the whole record, header included; a multiple of 8
//        4      4  check      record_check(); 0: the writer knew of none
//        8      8  sequence   1, 2, 3... in its stream
//       16      8  type       Cap'n Proto type id of the root struct
//       24      8  party      a channel: the sender's channel id; an output: its audience; a result: its seat
//       32         one Cap'n Proto segment, root pointer first
//
// A record lies in shared memory until it is read, and an event for as long as it may have to be run again. The check tells a reader whether it
// is still what was published: of damaged memory, which no header gives away if a bit of a message has changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace arenad {

struct RecordHeader {
  uint32_t bytes;
  uint32_t check;
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

// Of the header's other fields and these words, record_words(header.bytes) of them. Never 0. A sum of products, which is multilinear hashing (Lemire
// and Kaser, Strongly universal string hashing is fast, 2013): no product waits for the one before it, and a small event, which takes some
// 50 ns in all, must not become much slower. Factors are odd, so no bit that flips is lost.
inline uint32_t record_check(const RecordHeader& header, const void* words) {
  uint64_t sum = header.bytes * 0x9E3779B97F4A7C15 + header.sequence * 0xC2B2AE3D27D4EB4F + header.type * 0x165667B19E3779F9 +
                 header.party * 0xD6E8FEB86659FD93;
  const auto* from = static_cast<const char*>(words);
  uint64_t factor = 0xFF51AFD7ED558CCD;
  for (uint64_t i = 0; i < record_words(header.bytes); ++i, factor += 0x2545F4914F6CDD1E) {
    uint64_t word;
    std::memcpy(&word, from + i * 8, sizeof word);
    sum += word * factor;
  }
  const auto check = static_cast<uint32_t>(sum ^ sum >> 32);
  return check != 0 ? check : 1;
}
// The words are a private copy.
inline bool is_undamaged(const RecordHeader& header, const void* words) {
  return header.check == 0 || header.check == record_check(header, words);
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
