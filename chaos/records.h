// A stretch of a stream of records (ipc/record.h) in private memory, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ipc/record.h"

namespace arenad::chaos {

struct RecordView {
  RecordHeader header{};
  std::span<const uint64_t> words;  // behind the header; borrowed

  // The same record, byte for byte.
  [[nodiscard]] bool same_as(const RecordView& other) const;
};

// Nothing if the records do not tile the words exactly. The views borrow the words.
std::optional<std::vector<RecordView>> split_records(std::span<const uint64_t> words);

}  // namespace arenad::chaos
