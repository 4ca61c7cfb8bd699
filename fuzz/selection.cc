// Names, globs and games by which arenas are chosen: as arenactl sees them (cli/selection.h), as arenad counts them (ipc/request_limits.h), and
// as the log book compares them (supervisor/log_book.h).
#include "cli/selection.h"

#include "fuzz/harness.h"
#include "ipc/request_limits.h"
#include "supervisor/log_book.h"

namespace arenad::fuzz {
namespace {

const LogBook& book() {
  static const auto* const filled = [] {
    auto* book = new LogBook(1);
    for (const char* name : {"duel", "duel-1", "a[b", "*", "game:tanks", ""}) {
      LogLine line;
      line.arena = name;
      line.text = "x";
      book->add(line);
    }
    return book;
  }();
  return *filled;
}

void run(std::string_view input) {
  const std::string text(input.substr(0, input.find('\0')));
  ARENAD_ASSERT(is_pattern(text) == cli::may_be_several(text));
  cli::ArenaSelection selection{{text}, false};
  if (cli::means_all(selection)) ARENAD_ASSERT(is_pattern(text));
  ARENAD_ASSERT(cli::check_selection(selection, cli::Nothing::refused).ok() == !text.empty());
  const auto names = book().names(text);
  ARENAD_ASSERT(std::find(names.begin(), names.end(), "") == names.end());
  if (!is_pattern(text)) ARENAD_ASSERT(names.size() <= 1 && (names.empty() || names[0] == text));
}

std::vector<std::string> seeds() {
  return {"duel", "duel-*", "d?el", "[a-d]uel*", "game:tanks", "game:*", "*", "[!a]*", "[[:alpha:]]*", "\\*"};
}

}  // namespace

extern const Harness selection_harness;
const Harness selection_harness{run, seeds, {"game:", "*", "?", "[", "]", "[!", "[[:alpha:]]", "\\", "[a-"}, 64};

}  // namespace arenad::fuzz
