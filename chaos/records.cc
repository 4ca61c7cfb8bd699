#include "chaos/records.h"

#include <cstring>

namespace arenad::chaos {

bool RecordView::same_as(const RecordView& other) const {
  return std::memcmp(&header, &other.header, sizeof header) == 0 && words.size() == other.words.size() &&
         std::memcmp(words.data(), other.words.data(), words.size_bytes()) == 0;
}

std::optional<std::vector<RecordView>> split_records(std::span<const uint64_t> words) {
  constexpr size_t kHeaderWords = kRecordHeaderBytes / 8;
  std::vector<RecordView> records;
  while (!words.empty()) {
    if (words.size() < kHeaderWords) return std::nullopt;
    RecordView record;
    std::memcpy(&record.header, words.data(), sizeof record.header);
    if (!plausible_record(record.header, words.size_bytes(), words.size_bytes())) return std::nullopt;
    const size_t whole = record.header.bytes / 8;
    record.words = words.subspan(kHeaderWords, whole - kHeaderWords);
    records.push_back(record);
    words = words.subspan(whole);
  }
  return records;
}

}  // namespace arenad::chaos
