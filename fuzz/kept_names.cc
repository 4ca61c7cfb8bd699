// Names of descriptors that the service manager has kept (supervisor/kept_names.h): it may keep others' too.
#include "supervisor/kept_names.h"

#include "fuzz/harness.h"
#include "ipc/limits.h"
#include "keeper/notification.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const auto name = KeptName::parse(input);
  if (!name) return;
  ARENAD_ASSERT(name->slot < limits::kMaxSlots && name->player.size() <= limits::kMaxPlayerNameBytes);
  const std::string text = name->text();
  ARENAD_ASSERT(is_descriptor_name(text));
  const auto again = KeptName::parse(text);
  ARENAD_ASSERT(again && *again == *name);
}

std::vector<std::string> seeds() {
  const ArenaId arena{0x0190'0000'0000'1234, 0x5678};
  return {KeptName{.arena = arena, .kind = KeptKind::region, .epoch = {7}}.text(),
          KeptName{.arena = arena, .kind = KeptKind::process, .epoch = {1}}.text(),
          KeptName{.arena = arena, .kind = KeptKind::channel, .channel = {12}, .slot = 3, .player = "anna"}.text()};
}

}  // namespace

extern const Harness kept_names_harness;
const Harness kept_names_harness{
    run, seeds, {"arena.", ".region.", ".process.", ".channel.", "18446744073709551615", "127."}, 256};

}  // namespace arenad::fuzz
