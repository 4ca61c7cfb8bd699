#include "chaos/faults/spoiled_module.h"

#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include "chaos/faults/control_socket.h"
#include "chaos/files.h"
#include "chaos/random.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kSpoiled = "spoiled module";

struct SpoiledModule {
  std::string bytes;          // as they were
  uint64_t epoch_before = 0;  // of the arena
};

Result<void> overwrite_in_place(const std::filesystem::path& path, const std::string& bytes) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const auto count = static_cast<ssize_t>(bytes.size());
  if (!file || ::pwrite(file.get(), bytes.data(), bytes.size(), 0) != count || ::ftruncate(file.get(), count) != 0)
    return errno_error("cannot write " + path.string());
  return {};
}

}  // namespace

Result<void> spoil_module(Stage& stage, const Strike& strike) {
  auto bytes = read_file(stage.ledger_module());
  if (!bytes) return bytes.error();
  Random random(strike.draw, "spoiled module");
  const std::string spoiled = strike.draw % 2 == 0 ? random_bytes(random, bytes->size()) : "";
  auto kept = std::make_shared<SpoiledModule>(SpoiledModule{std::move(*bytes), stage.epoch(strike.arena)});
  stage.prop(kSpoiled, strike.arena) = std::move(kept);
  return overwrite_in_place(stage.ledger_module(), spoiled);
}

Result<void> put_module_back(Stage& stage, const Strike& strike) {
  const auto kept = std::static_pointer_cast<SpoiledModule>(stage.prop(kSpoiled, strike.arena));
  return kept ? overwrite_in_place(stage.ledger_module(), kept->bytes) : Result<void>();
}

bool has_another_worker(const Stage& stage, const Strike& strike) {
  const auto kept = std::static_pointer_cast<SpoiledModule>(stage.prop(kSpoiled, strike.arena));
  return kept && stage.epoch(strike.arena) != kept->epoch_before;
}

}  // namespace arenad::chaos
