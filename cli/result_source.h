// Reads results from arenad: page after page, newest first, each with its fields as far as they can be told. arenad answers a page at a time, so
// that nobody waits for a large answer; and there is an end to it (kMostResults, kMostPages), of which the caller hears.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/result_row.h"
#include "cli/session.h"

namespace arenad::cli {

constexpr uint64_t kMostResults = 100'000;
constexpr uint64_t kMostPages = 1'000;  // each of a thousand results, those of other games too

struct WantedResults {
  std::string arena;  // empty: of all
  std::string game;   // empty: of all
  int64_t since_unix_ms = 0;
};

enum class Reading { goes_on, is_enough };

struct ReadResults {
  uint64_t count = 0;
  bool cut_off = false;  // there may be more, which were not looked at
};

class ResultSource {
 public:
  explicit ResultSource(const Session& session) : session_(session) {}

  // Until there are no more, take() has enough, or there were too many. What the rows point to lives as long as this.
  Result<ReadResults> read(const WantedResults& wanted, const std::function<Result<Reading>(ResultRow)>& take);

 private:
  struct PendingRow {
    ResultRow row;
    uint64_t types;
  };
  struct Page {
    std::vector<PendingRow> rows;
    bool more = false;
    int64_t next_unix_ms = 0;
    int64_t next_row = 0;
  };
  struct Types {
    std::optional<ResultReader> reader;
    std::string problem;  // why there is none
  };

  Result<Page> ask_page(const WantedResults& wanted, const std::optional<Page>& before) const;
  Result<std::string> ask_types(uint64_t id) const;
  Result<Types*> types_of(uint64_t id);
  Result<void> tell_fields(PendingRow& pending);

  const Session& session_;
  std::map<uint64_t, Types> types_;
};

}  // namespace arenad::cli
