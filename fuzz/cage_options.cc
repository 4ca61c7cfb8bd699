// What a template reads of its cage in its environment (ipc/cage_options.h).
#include "ipc/cage_options.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const auto options = CageOptions::parse(input);
  if (!options) return;
  const auto again = CageOptions::parse(options.value().text());
  ARENAD_ASSERT(again && again.value() == options.value());
}

std::vector<std::string> seeds() {
  CageOptions all{CageMode::log, 1 << 20, true, true, true, {"/usr/share", "/etc/x"}, {"/tmp/y"}, {"socket"}};
  return {all.text(), CageOptions{}.text(), "mode=kill\n"};
}

}  // namespace

extern const Harness cage_options_harness;
const Harness cage_options_harness{
    run,
    seeds,
    {"mode=", "kill", "log", "off", "memory=", "network\n", "threads\n", "core_dumps\n", "read=", "write=", "call="},
    256};

}  // namespace arenad::fuzz
