// Entries for systemd's journal (supervisor/journal_entry.h), read back by what the protocol says, in code of its own: nothing that a game
// writes may become a field.
#include "supervisor/journal_entry.h"

#include <array>
#include <map>

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

Fields fields_of(std::string_view entry) {
  Fields fields;
  while (!entry.empty()) {
    const size_t end = entry.find('\n');
    ARENAD_ASSERT(end != std::string_view::npos);
    const std::string_view line = entry.substr(0, end);
    const size_t equals = line.find('=');
    entry.remove_prefix(end + 1);
    if (equals != std::string_view::npos) {
      ARENAD_ASSERT(fields.emplace(line.substr(0, equals), line.substr(equals + 1)).second);
      continue;
    }
    uint64_t bytes = 0;
    ARENAD_ASSERT(entry.size() >= sizeof bytes);
    std::memcpy(&bytes, entry.data(), sizeof bytes);
    entry.remove_prefix(sizeof bytes);
    ARENAD_ASSERT(bytes < entry.size() && entry[bytes] == '\n');
    ARENAD_ASSERT(fields.emplace(line, entry.substr(0, bytes)).second);
    entry.remove_prefix(bytes + 1);
  }
  return fields;
}

void run(std::string_view input) {
  Source source(input);
  LogLine line;
  line.severity = static_cast<LogSeverity>(source.number<uint8_t>() % 4);
  line.epoch = source.number<uint64_t>();
  line.pid = source.number<uint32_t>();
  line.arena = source.sized();
  line.game = source.sized();
  line.source = source.sized();
  line.signature = source.sized();
  line.text = source.rest();
  const Fields fields = fields_of(journal_entry(line));
  const auto is = [&](const char* name, const std::string& value) {
    const auto found = fields.find(name);
    ARENAD_ASSERT(value.empty() ? found == fields.end() : found != fields.end() && found->second == value);
  };
  is("ARENA", line.arena);
  is("GAME", line.game);
  is("SOURCE", line.source);
  is("SIGNATURE", line.signature);
  is("EPOCH", line.epoch == 0 ? "" : std::to_string(line.epoch));
  is("OBJECT_PID", line.pid == 0 ? "" : std::to_string(line.pid));
  ARENAD_ASSERT(fields.at("MESSAGE").ends_with(line.text));
  const size_t given = size_t{!line.arena.empty()} + !line.game.empty() + !line.source.empty() + !line.signature.empty() +
                       (line.epoch != 0) + (line.pid != 0);
  ARENAD_ASSERT(fields.size() == given + 3);
}

std::vector<std::string> seeds() {
  return {Input()
              .number(uint8_t{1})
              .number(uint64_t{3})
              .number(uint32_t{4711})
              .sized("duel")
              .sized("tanks")
              .sized("worker")
              .sized("")
              .bytes("the text")
              .text(),
          Input()
              .number(uint8_t{3})
              .number(uint64_t{0})
              .number(uint32_t{0})
              .sized("a\nARENA=b")
              .sized("")
              .sized("")
              .sized("x")
              .bytes("one\nPRIORITY=0\n")
              .text()};
}

}  // namespace

extern const Harness journal_entry_harness;
const Harness journal_entry_harness{run, seeds, {"\n", "=", "MESSAGE=", "PRIORITY=0\n", "ARENA"}, 256};

}  // namespace arenad::fuzz
