// plan.json of arena-chaos (chaos/plan.h), which comes out of bundles that people pass on.
#include "chaos/plan.h"
#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const auto plan = chaos::plan_of_json(input);
  if (!plan) return;
  const auto again = chaos::plan_of_json(chaos::to_json(plan.value()));
  ARENAD_ASSERT(again && again.value() == plan.value());
  for (const chaos::Step& step : plan.value().steps) ARENAD_ASSERT(step.arena < plan.value().arenas.size());
}

std::vector<std::string> seeds() {
  chaos::PlanOptions options;
  options.arenas = 2;
  options.faults = 3;
  chaos::Plan own = chaos::make_plan(options, {"worker.killed"});
  own.game = "game.so";
  own.driver = "driver";
  return {chaos::to_json(chaos::make_plan(options, {"worker.killed", "arenad.killed"})), chaos::to_json(own)};
}

}  // namespace

extern const Harness chaos_plan_harness;
const Harness chaos_plan_harness{
    run,
    seeds,
    {"\"schema\"", "\"seed\"", "\"arenas\"", "\"steps\"", "\"name\"", "\"hz\"", "\"entries\"", "\"fault\"", "\"arena\"",
     "\"at\"", "\"draw\"", "\"compound\"", "true", "null", "-1", "1e99", "\\u0000"},
    1024};

}  // namespace arenad::fuzz
