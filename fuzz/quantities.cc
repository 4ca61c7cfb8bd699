// Durations, counts, shares and ids as people write them (cli/), and numbers of arenad as they are shown.
#include "cli/batch_size.h"
#include "cli/count_option.h"
#include "cli/id_argument.h"
#include "cli/quantity.h"
#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const std::string text(input);
  if (const auto ms = cli::parse_duration_ms(input)) {
    ARENAD_ASSERT(*ms <= cli::kMaxDurationMs && cli::parse_duration_ms(std::to_string(*ms) + "ms") == *ms);
  }
  if (const auto count = cli::parse_count("--x", text, 1000, 7)) ARENAD_ASSERT(count.value() >= 1 && count.value() <= 1000);
  if (const auto count = cli::parse_count("--x", text))
    ARENAD_ASSERT(cli::parse_count("--x", std::to_string(count.value())).value() == count.value());
  if (const auto batch = cli::parse_batch_size(text)) {
    ARENAD_ASSERT(batch.value().arenas != 0 || (batch.value().percent >= 1 && batch.value().percent <= 100));
  }
  if (const auto id = cli::parse_id("crash", text)) ARENAD_ASSERT(id.value() != 0);
  Source source(input);
  const auto number = source.number<uint64_t>();
  ARENAD_ASSERT(!cli::duration_text(source.number<double>()).empty() &&
                !cli::duration_text(static_cast<double>(number)).empty());
  ARENAD_ASSERT(!cli::bytes_text(number).empty() && !cli::utc_text(number).empty());
  ARENAD_ASSERT(!cli::utc_ms_text(static_cast<int64_t>(number)).empty());
}

std::vector<std::string> seeds() {
  return {"500ms",
          "10s",
          "2m",
          "1h",
          "0",
          "25%",
          "100%",
          "17",
          "18446744073709551615",
          "31622400001ms",
          Input().number(UINT64_MAX).number(1e300).text(),
          Input().number(uint64_t{1} << 63).number(0.5).text()};
}

}  // namespace

extern const Harness quantities_harness;
const Harness quantities_harness{run, seeds, {"ms", "s", "m", "h", "%", "18446744073709551616"}, 32};

}  // namespace arenad::fuzz
