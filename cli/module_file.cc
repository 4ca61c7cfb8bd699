#include "cli/module_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace arenad::cli {

Result<Fd> open_module(const std::string& path) {
  // A pipe without a writer would not be opened until one came.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return errno_error("cannot open the module " + path);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return errno_error("cannot look at the module " + path);
  if (!S_ISREG(about.st_mode)) return make_error(ErrorCode::invalid, "the module " + path + " is not a regular file");
  return file;
}

}  // namespace arenad::cli
