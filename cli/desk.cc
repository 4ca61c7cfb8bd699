#include "cli/desk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <climits>

#include "ipc/fd.h"
#include "ipc/printable.h"
#include "ipc/process.h"

namespace arenad::cli {
namespace {

constexpr off_t kLastWordsBytes = 2000;

Result<std::string> content_of(const Fd& file, off_t from) {
  std::string text;
  std::array<char, 64 * 1024> buffer{};
  for (off_t at = from;;) {
    const ssize_t count = ::pread(file.get(), buffer.data(), buffer.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read what arena-worker wrote");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
    at += count;
  }
}

std::string last_words(const Fd& said) {
  const off_t end = ::lseek(said.get(), 0, SEEK_END);
  const auto text = content_of(said, std::max<off_t>(end - kLastWordsBytes, 0));
  if (!text) return {};
  std::string words = printable_lines(text.value());
  std::ranges::replace(words, '\n', ' ');
  return words;
}

// False if it did not end in time.
bool waits_for(const Fd& pidfd, std::optional<uint64_t> timeout_ms) {
  pollfd end{pidfd.get(), POLLIN, 0};
  const int wait_ms = timeout_ms ? static_cast<int>(std::min<uint64_t>(*timeout_ms, INT_MAX)) : -1;
  int count = 0;
  do count = ::poll(&end, 1, wait_ms);
  while (count < 0 && errno == EINTR);
  return count == 1;
}

}  // namespace

std::string worker_beside_self() {
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  return (self.parent_path() / "arena-worker").string();
}

Result<ReplayTimes> run_at_desk(const DeskRun& run) {
  const Fd times(::memfd_create("arenactl-times", MFD_CLOEXEC));
  const Fd said(::memfd_create("arenactl-said", MFD_CLOEXEC));
  if (!times || !said) return errno_error("cannot make room for what arena-worker writes");
  const std::string times_path = fmt::format("/proc/self/fd/{}", kLinkDescriptor);
  const std::vector<std::string> arguments{"--replay", run.recording, "--module", run.module,
                                           "--times",  times_path,    "--summary"};
  auto worker = spawn(run.worker, arguments, times, said);
  if (!worker) return worker.error();
  const bool in_time = waits_for(worker->pidfd, run.timeout_ms);
  if (!in_time) {
    send_signal(worker->pidfd, SIGKILL);
    (void)waits_for(worker->pidfd, {});
  }
  const auto exit = reap(worker->pidfd);
  if (!in_time) return make_error(ErrorCode::timeout, run.module + ": the run was not over in time");
  const auto text = content_of(times, 0);
  if (!text) return text.error();
  auto read = read_replay_times(text.value());
  // Its exit code is 1 also where frames gave other outputs than were recorded, which the times tell.
  if (read && exit && exit->how == Exit::How::exited) return read;
  return make_error(ErrorCode::failed, fmt::format("{}: the recording could not be run to its end ({}): {}", run.module,
                                                   exit ? exit->text() : "unknown", last_words(said)));
}

}  // namespace arenad::cli
