// The last lines of the log of one arena, below its page, as far as arenad keeps them.
#pragma once

#include <cstdint>
#include <string>

#include "arenad/result.h"
#include "cli/session.h"

namespace CLI {
class App;
}

namespace arenad::cli {

// --lines N of the verbs that show a page.
class RecentLog {
 public:
  void add_to(CLI::App& verb);
  // ErrorCode::invalid if it is no number.
  Result<void> check();
  // Nothing, if none is wanted or kept. A page that is there is not spoiled by a log that is not: that is only noted.
  void show(const Session& session, const std::string& arena_id) const;

 private:
  std::string lines_text_;
  uint32_t lines_ = 0;
};

}  // namespace arenad::cli
