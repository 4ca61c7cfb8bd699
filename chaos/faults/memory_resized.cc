// What a worker's descriptors could do to the memory that it shares, without the cage that forbids most of it to the worker
// itself. A region that became shorter would be the end of whoever reads it, by SIGBUS.
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kResized = "memory.resized";
// The end of a worker's output grows, and what was read of it is given back.
constexpr const char* kOutput = "/memfd:arenad-output";

struct Tried {
  size_t regions = 0;
  std::string not_refused;
};

void try_all(const std::string& what, const std::filesystem::path& path, Tried& tried) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || ::fcntl(file.get(), F_GET_SEALS) < 0) return;
  const bool is_output = what.starts_with(kOutput);
  const auto must_fail = [&](const char* attempt, int result) {
    if (result < 0 && errno == EPERM) return;
    tried.not_refused += fmt::format("{} {} was {}; ", attempt, what, result < 0 ? ::strerrorname_np(errno) : "done");
  };
  ++tried.regions;
  must_fail("to shorten", ::ftruncate(file.get(), 0));
  must_fail("to seal", ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE));
  constexpr int kHole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  // Its header too: whatever its process does to it, it spoils its own lines only.
  if (is_output) return (void)::fallocate(file.get(), kHole, 0, facts.st_size);
  must_fail("to lengthen", ::ftruncate(file.get(), facts.st_size * 2));
  must_fail("to punch", ::fallocate(file.get(), kHole, 0, facts.st_size));
  must_fail("to reserve more of", ::fallocate(file.get(), 0, facts.st_size, facts.st_size));
  must_fail("to write to", static_cast<int>(::pwrite(file.get(), "nothing", 7, 0)));
}

}  // namespace

Fault memory_resized() {
  return {.name = kResized,
          .does =
              "Somebody with the descriptors of the arena's worker shortens, lengthens, punches and writes to all memory that "
              "it shares",
          .holds = "all of that is refused, and nobody ends",
          .missing = cannot_write_memory,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            Tried tried;
            std::error_code error;
            for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", strike.worker), error)) {
              std::error_code closed;
              const std::string what = std::filesystem::read_symlink(entry.path(), closed).string();
              if (!closed) try_all(what, entry.path(), tried);
            }
            if (tried.regions == 0) return make_error(ErrorCode::failed, "the worker has ended");
            keep_finding(stage, kResized, strike, std::move(tried.not_refused));
            return {};
          },
          .plays_on = 5,
          .check = kept_finding(kResized)};
}

}  // namespace arenad::chaos
