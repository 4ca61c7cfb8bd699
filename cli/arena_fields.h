// Everything that status can tell of an arena in one value: the columns of its table and the keys of
// its JSON come from this one list. Both are promises to scripts: entries are added, never renamed.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "arenad/result.h"
#include "cli/table.h"
#include "ipc/control.capnp.h"
#include "ipc/text.h"

namespace arenad::cli {

// Values with their units: how they are shown and how they go into JSON follow from the type.
struct Absent {};
struct Bytes {
  uint64_t value;
};
struct UnixMs {
  uint64_t value;
};
struct Code {
  std::string hash;  // people are shown the beginning
};
struct RestartCount {
  uint64_t in_window;  // of the restart budget
  uint64_t total;
};
struct Percent {
  double value;
};
using Nanoseconds = std::chrono::duration<uint64_t, std::nano>;
using Milliseconds = std::chrono::duration<uint64_t, std::milli>;
using Microseconds = std::chrono::duration<uint64_t, std::micro>;
using MeanMilliseconds = std::chrono::duration<double, std::milli>;
using MeanMicroseconds = std::chrono::duration<double, std::micro>;
using FieldValue = std::variant<Absent, std::string, uint64_t, bool, Bytes, UnixMs, Code, RestartCount, Percent, Nanoseconds,
                                Milliseconds, Microseconds, MeanMilliseconds, MeanMicroseconds>;

struct ArenaAt {
  wire::ArenaStatus::Reader status;
  uint64_t now_unix_ms;
};

struct ArenaField {
  std::string_view column;  // for -o; in capitals the heading
  std::string_view key;     // in JSON
  Align align;
  FieldValue (*value)(const ArenaAt& arena);
};

std::span<const ArenaField> all_arena_fields();
std::vector<const ArenaField*> default_arena_columns();

// Columns by their names or keys, in whatever case, separated by commas. ErrorCode::invalid names
// the first that does not exist.
Result<std::vector<const ArenaField*>> select_arena_columns(std::string_view list);

// Their names, for the end of help.
std::string arena_columns_help();

// As text for people; empty if absent.
std::string field_text(const FieldValue& value);

// Whether arenad holds the memory of an incarnation. If not, it fills in nothing of what a worker counts.
bool has_incarnation(wire::ArenaStatus::Reader status);

}  // namespace arenad::cli
