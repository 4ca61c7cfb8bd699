#include "bench/daemon.h"

#include <csignal>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

#include "bench/peer.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kReadyTimeoutMs = 20'000;
constexpr uint64_t kStopTimeoutMs = 120'000;
constexpr uint64_t kCallTimeoutMs = 60'000;
constexpr size_t kLogLinesShown = 10;

// In the build folder, of which this program is in bench/.
Result<fs::path> find_program(const fs::path& in_build_folder) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path path = self.parent_path().parent_path() / in_build_folder;
  if (error || !fs::is_regular_file(path, error))
    return make_error(ErrorCode::failed, path.string() + " is not there: build it");
  return path;
}

struct Programs {
  fs::path daemon;
  fs::path worker;
  fs::path tanks;
  fs::path bench;
};

Result<Programs> find_programs(const Daemon::Options& options) {
  Programs programs;
  for (const auto& [where, found] : {std::pair{std::string("supervisor/arenad"), &programs.daemon},
                                     {"worker/arena-worker", &programs.worker},
                                     {"games/" + options.tanks_module + ".so", &programs.tanks},
                                     {"games/" + options.bench_module + ".so", &programs.bench}}) {
    auto path = find_program(where);
    if (!path) return path.error();
    *found = std::move(*path);
  }
  return programs;
}

std::string quoted(const fs::path& path) {
  std::string text = "\"";
  for (const char c : path.string()) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string configuration(const Programs& programs, const fs::path& folder, const Daemon::Options& options) {
  return fmt::format(
      "[daemon]\ndirectory = {0}\nruntime_directory = {0}\nsocket = \"arenad.sock\"\nworker = {1}\nlog_format = \"plain\"\n"
      "log_level = \"warning\"\n\n{2}\n[games.tanks]\nmodule = {3}\n\n[games.bench]\nmodule = {4}\n{5}\n",
      quoted(folder), quoted(programs.worker), options.settings, quoted(programs.tanks), quoted(programs.bench),
      options.game_settings);
}

[[noreturn]] void become(const Programs& programs, const fs::path& folder, pid_t parent) {
  ::setsid();  // a terminal's Ctrl-C is for the run alone
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int log = ::open((folder / "arenad.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"})
    ::unsetenv(variable);
  const fs::path config = folder / "arenad.toml";
  ::execl(programs.daemon.c_str(), programs.daemon.c_str(), "--config", config.c_str(), nullptr);
  std::perror(programs.daemon.c_str());
  ::_exit(127);
}

Error unexpected(const char* request) {
  return make_error(ErrorCode::corrupt, std::string("arenad gives an answer of another kind to ") + request);
}

}  // namespace

Result<Daemon> Daemon::start(const fs::path& folder, const Options& options) {
  auto programs = find_programs(options);
  if (!programs) return programs.error();
  const fs::path own = folder / options.name;
  std::error_code error;
  fs::create_directory(own, error);
  if (error) return make_error(ErrorCode::failed, "cannot make " + own.string() + ": " + error.message());
  std::ofstream config(own / "arenad.toml");
  config << configuration(*programs, own, options);
  config.close();
  if (!config) return make_error(ErrorCode::failed, "cannot write " + (own / "arenad.toml").string());

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start arenad");
  if (pid == 0) become(*programs, own, parent);
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return pidfd.error();
  Daemon daemon(std::move(*pidfd), own);
  if (auto ready = daemon.wait_until_ready(); !ready) return ready.error();
  return daemon;
}

Result<void> Daemon::wait_until_ready() {
  const uint64_t deadline_ns = monotonic_ns() + kReadyTimeoutMs * kMillisecond;
  while (monotonic_ns() < deadline_ns) {
    if (auto control = connect()) {
      auto reply = control->call([](wire::Request::Builder request) { request.setVersion(); }, {}, kReadyTimeoutMs);
      if (!reply) return reply.error();
      return {};
    }
    if (auto exit = wait_for_end(pidfd_, 10)) {
      pidfd_.reset();
      return make_error(ErrorCode::failed, "arenad has ended with " + exit->text() + ":\n" + last_log_lines());
    }
  }
  return make_error(ErrorCode::timeout, "arenad does not answer");
}

Daemon::~Daemon() {
  (void)stop();
}

Result<void> Daemon::stop() {
  if (!pidfd_) return {};
  const Fd pidfd = std::move(pidfd_);
  send_signal(pidfd, SIGTERM);
  const auto exit = wait_for_end(pidfd, kStopTimeoutMs);
  if (!exit) {
    send_signal(pidfd, SIGKILL);
    return make_error(ErrorCode::timeout, "arenad does not end");
  }
  if (exit->how == Exit::How::exited && exit->value == 0) return {};
  return make_error(ErrorCode::failed, "arenad has ended with " + exit->text() + ":\n" + last_log_lines());
}

Result<void> Daemon::run_arenactl(const std::vector<std::string>& arguments) const {
  auto program = find_program("cli/arenactl");
  if (!program) return program.error();
  auto peer = Peer::start([&]() -> Result<void> {
    std::vector<std::string> words{program->string(), "--socket", socket()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nothing, STDOUT_FILENO);
    ::execv(argv.front(), argv.data());
    return errno_error("cannot run arenactl");
  });
  if (!peer) return peer.error();
  return peer->finish(kCallTimeoutMs);
}

uint64_t Daemon::logged(const std::string& text) const {
  std::ifstream log(folder_ / "arenad.log");
  uint64_t lines = 0;
  for (std::string line; std::getline(log, line);) lines += line.find(text) != std::string::npos ? 1 : 0;
  return lines;
}

std::string Daemon::last_log_lines() const {
  std::ifstream log(folder_ / "arenad.log");
  std::deque<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    lines.push_back(line);
    if (lines.size() > kLogLinesShown) lines.pop_front();
  }
  std::string text;
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text;
}

Result<void> start_arena(ControlClient& control, const std::string& game, const std::string& name,
                         const std::vector<std::pair<std::string, std::string>>& params) {
  auto reply = control.call(
      [&](wire::Request::Builder request) {
        auto start = request.initStart();
        start.setGame(game);
        start.setName(name);
        auto list = start.initParams(static_cast<uint>(params.size()));
        for (uint i = 0; i < list.size(); ++i) {
          list[i].setKey(params[i].first);
          list[i].setValue(params[i].second);
        }
      },
      {}, kCallTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStarted()) return unexpected("start");
  return {};
}

Result<void> stop_arena(ControlClient& control, const std::string& name) {
  auto reply =
      control.call([&](wire::Request::Builder request) { request.initStop().initArenas(1).set(0, name); }, {}, kCallTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isItems()) return unexpected("stop");
  return {};
}

Result<uint64_t> running_arenas(ControlClient& control) {
  // No arena is selected: the daemon's own part tells.
  auto reply = control.call([](wire::Request::Builder request) { request.initStatus(); }, {}, kCallTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStatus()) return unexpected("status");
  return reply->root().getReply().getStatus().getDaemon().getRunning();
}

}  // namespace arenad::bench
