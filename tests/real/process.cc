#include "tests/real/process.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <doctest/doctest.h>

namespace arenad::test {
namespace {

constexpr int kNotExecuted = 127;

// What arenad would take for a service manager of its own.
constexpr const char* kServiceVariables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",   "LISTEN_FDS",
                                             "LISTEN_PID",    "LISTEN_FDNAMES", "JOURNAL_STREAM", "ARENAD_SOCKET"};

[[noreturn]] void become(const ProgramCall& call) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_DFL);
  for (const char* variable : kServiceVariables) ::unsetenv(variable);
  ::setenv("TMPDIR", call.folder.c_str(), 1);
  const rlimit no_cores{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_cores);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = ::open(call.out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int err = ::open(call.err.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool ready = ::dup2(nothing, STDIN_FILENO) == 0 && ::dup2(out, STDOUT_FILENO) == 1 && ::dup2(err, STDERR_FILENO) == 2 &&
                     ::chdir(call.folder.c_str()) == 0;
  std::vector<char*> arguments;
  for (const std::string& argument : call.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  if (ready) ::execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  ::_exit(kNotExecuted);
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  REQUIRE(file.flush());
}

PrivateFolder::PrivateFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "arenad-real-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

PrivateFolder::~PrivateFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

Program::Program(const ProgramCall& call) : pid_(::fork()) {
  if (pid_ == 0) become(call);
  REQUIRE(pid_ > 0);
  auto pidfd = open_pidfd(pid_);
  REQUIRE(pidfd.ok());
  pidfd_ = std::move(*pidfd);
}

Program::~Program() {
  if (exit_) return;
  signal(SIGKILL);
  (void)wait();
}

std::optional<Exit> Program::wait(uint64_t patience_ms) {
  if (exit_) return exit_;
  pollfd end{pidfd_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&end, 1, static_cast<int>(patience_ms));
  } while (ready < 0 && errno == EINTR);
  if (ready > 0) exit_ = reap(pidfd_);
  return exit_;
}

bool Program::ended() {
  return wait(0).has_value();
}

Finished run_to_end(const std::vector<std::string>& command, const PrivateFolder& folder) {
  const auto out = folder / "call.out";
  const auto err = folder / "call.err";
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  Program program({command, folder.path(), out, err});
  const auto exit = program.wait();
  Finished finished{-1, read_file(out), read_file(err)};
  if (exit) finished.code = exit->how == Exit::How::exited ? exit->value : 1000 + exit->value;
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  return finished;
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(folder, error)) {
    std::stringstream list(read_file(task.path() / "children"));
    for (pid_t child = 0; list >> child;) found.push_back(child);
  }
  return found;
}

bool has_ended(pid_t pid) {
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/stat");
  const size_t name_end = status.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= status.size() || status[name_end + 2] == 'Z';
}

std::string name_of(pid_t pid) {
  std::string name = read_file("/proc/" + std::to_string(pid) + "/comm");
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

size_t open_files_of(pid_t pid) {
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

size_t resident_kib_of(pid_t pid) {
  std::stringstream pages(read_file("/proc/" + std::to_string(pid) + "/statm"));
  size_t total = 0;
  size_t resident = 0;
  pages >> total >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

LimitedResource::LimitedResource(pid_t pid, __rlimit_resource resource, rlim_t limit) : pid_(pid), resource_(resource) {
  REQUIRE(::prlimit(pid_, resource_, nullptr, &before_) == 0);
  const rlimit limited{limit, before_.rlim_max};
  REQUIRE(::prlimit(pid_, resource_, &limited, nullptr) == 0);
}

LimitedResource::~LimitedResource() {
  ::prlimit(pid_, resource_, &before_, nullptr);
}

}  // namespace arenad::test
