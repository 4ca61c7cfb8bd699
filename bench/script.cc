#include "bench/script.h"

#include <array>
#include <cstdio>
#include <sys/wait.h>

namespace arenad::bench {
namespace {

// For sh(1). What is given here are paths of the build and numbers, none of which has a quote in it.
std::string quoted(const std::string& word) {
  return "'" + word + "'";
}

}  // namespace

Result<std::string> run_script(const std::string& name, const std::vector<std::string>& arguments) {
  std::string command = std::string("PYTHONPATH=") + quoted(ARENAD_BENCH_PYTHON_PATH) + " " + quoted(ARENAD_BENCH_PYTHON) +
                        " -B " + quoted(std::string(ARENAD_BENCH_SCRIPTS) + "/" + name);
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return errno_error("cannot run " + name);
  std::string said;
  std::array<char, 4096> part{};
  while (const size_t got = std::fread(part.data(), 1, part.size(), pipe)) said.append(part.data(), got);
  const int status = ::pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return make_error(ErrorCode::failed, name + " has not ended well");
  return said;
}

}  // namespace arenad::bench
