// Writes what libFuzzer begins with:
//
//   arenad-fuzz-corpus FOLDER
//
//   FOLDER/seeds/NAME/*    seeds
//   FOLDER/NAME.dict       words that inputs are made of
//   FOLDER/NAME.options    options of libFuzzer
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz/all_harnesses.h"

namespace {

using namespace arenad::fuzz;
namespace fs = std::filesystem;

bool write(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes << std::flush;
  if (!file) std::fprintf(stderr, "arenad-fuzz-corpus: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

// As libFuzzer reads it: in quotes, bytes as \xNN.
std::string in_quotes(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) {
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += escaped;
  }
  return text + "\"\n";
}

bool write_all(const fs::path& folder, std::string_view name, const Harness& harness) {
  const fs::path seeds = folder / "seeds" / name;
  fs::create_directories(seeds);
  bool written = true;
  size_t number = 0;
  for (const std::string& seed : harness.seeds()) written = write(seeds / std::to_string(++number), seed) && written;
  std::string dictionary = "# words of " + std::string(name) + "\n";  // libFuzzer takes no empty one
  for (const std::string& word : harness.words) dictionary += in_quotes(word);
  written = write(folder / (std::string(name) + ".dict"), dictionary) && written;
  const std::string options =
      "-max_len=" + std::to_string(harness.longest) + "\n" + (harness.is_loud ? "-close_fd_mask=2\n" : "");
  return write(folder / (std::string(name) + ".options"), options) && written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: arenad-fuzz-corpus FOLDER\n");
    return 2;
  }
  bool written = true;
  for (const auto& [name, harness] : all_harnesses()) written = write_all(argv[1], name, *harness) && written;
  return written ? 0 : 1;
}
