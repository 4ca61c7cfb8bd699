#include "cli/module_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace arenad::cli {

namespace {

// what: "module" or "runtime".
Result<Fd> open_code(const std::string& what, const std::string& path) {
  // A pipe without a writer would not be opened until one came.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const std::string name = "the " + what + " " + path;
  if (!file) return errno_error("cannot open " + name);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return errno_error("cannot look at " + name);
  if (!S_ISREG(about.st_mode)) return make_error(ErrorCode::invalid, name + " is not a regular file");
  return file;
}

}  // namespace

Result<Fd> open_module(const std::string& path) {
  return open_code("module", path);
}

Result<Fd> open_runtime(const std::string& path) {
  return open_code("runtime", path);
}

}  // namespace arenad::cli
