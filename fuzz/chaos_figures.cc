// Files of figures that are joined (chaos/joined_figures.h).
#include <array>

#include "chaos/joined_figures.h"
#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  Source source(input);
  const std::string one(source.sized());
  const std::string other(source.rest());
  const auto joined = chaos::join_figures(std::array{one, other});
  if (!joined) return;
  const auto again = chaos::join_figures(std::array{joined.value()});
  ARENAD_ASSERT(again && again.value() == joined.value());
}

std::vector<std::string> seeds() {
  return {Input()
              .sized(R"({"chaos.violations": 1, "chaos.repeatable": true})")
              .bytes(R"({"chaos.violations": 2, "x": 1.5})")
              .text(),
          Input().sized("{}").bytes(R"({"a": "b", "c": null})").text()};
}

}  // namespace

extern const Harness chaos_figures_harness;
const Harness chaos_figures_harness{
    run, seeds, {"violations", "unclean", "true", "false", "null", "-1", "1e308", "18446744073709551615"}, 512};

}  // namespace arenad::fuzz
