#include "chaos/files.h"

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include "ipc/fd.h"

namespace arenad::chaos {

Result<void> check_writable(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  // To open a pipe is to be heard at its other end.
  if (std::filesystem::is_fifo(status)) return {};
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!fd) return errno_error("cannot write " + path.string());
  if (!std::filesystem::exists(status)) ::unlink(path.c_str());
  return {};
}

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  if (!file) return errno_error("cannot write " + path.string());
  return {};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return errno_error("cannot read " + path.string());
  std::string bytes(static_cast<size_t>(file.tellg()), '\0');
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) return errno_error("cannot read " + path.string());
  return bytes;
}

Result<std::vector<uint64_t>> read_words(const std::filesystem::path& path) {
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  std::vector<uint64_t> words(bytes->size() / 8);
  if (!words.empty()) std::memcpy(words.data(), bytes->data(), words.size() * 8);
  return words;
}

std::string last_lines(const std::filesystem::path& path, size_t count) {
  auto text = read_file(path);
  if (!text || text->empty()) return "";
  size_t begin = text->size() - (text->back() == '\n' ? 1 : 0);
  for (size_t line = 0; line < count && begin != 0 && begin != std::string::npos; ++line) {
    begin = text->rfind('\n', begin - 1);
  }
  return text->substr(begin == std::string::npos || begin == 0 ? 0 : begin + 1);
}

std::vector<std::string> lines_with(const std::filesystem::path& path, std::string_view part) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.find(part) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

}  // namespace arenad::chaos
