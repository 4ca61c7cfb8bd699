// Ids of arenas and code as text, which callers and names of files bring (arenad/ids.h, arenad/code_hash.h).
#include "arenad/ids.h"

#include <cctype>

#include "arenad/code_hash.h"
#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

bool are_same_digits(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

void run(std::string_view input) {
  if (const auto id = ArenaId::parse(input)) {
    ARENAD_ASSERT(are_same_digits(input, id->text()));
    ARENAD_ASSERT(ArenaId::parse(id->text()) == *id);
  }
  if (const auto code = CodeHash::parse(input)) {
    ARENAD_ASSERT(are_same_digits(input, code->text()));
    ARENAD_ASSERT(CodeHash::parse(code->text()) == *code);
  }
  Source source(input);
  const ArenaId any{source.number<uint64_t>(), source.number<uint64_t>()};
  ARENAD_ASSERT(ArenaId::parse(any.text()) == any);
  const CodeHash hash{any.high, any.low};
  ARENAD_ASSERT(CodeHash::parse(hash.text()) == hash);
}

std::vector<std::string> seeds() {
  return {ArenaId{0x0190'0000'0000'1234, 0x5678}.text(), ArenaId{UINT64_MAX, UINT64_MAX}.text(),
          CodeHash{1, UINT64_MAX}.text()};
}

}  // namespace

extern const Harness ids_harness;
const Harness ids_harness{run, seeds, {}, 40};

}  // namespace arenad::fuzz
