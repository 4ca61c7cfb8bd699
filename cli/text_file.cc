#include "cli/text_file.h"

#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace arenad::cli {

Result<void> write_text_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  if (!file) return errno_error("cannot create " + temporary);
  file << text << std::flush;
  file.close();
  if (file && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const Error error = errno_error("cannot write " + path);
  ::unlink(temporary.c_str());
  return error;
}

}  // namespace arenad::cli
