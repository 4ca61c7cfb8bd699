// Runs every harness over its seeds, over what was found with it, and over mutations of those, which are the same each time:
//
//   corpus_test FOLDER    FOLDER/NAME/* are inputs that found something once
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "fuzz/all_harnesses.h"
#include "fuzz/mutation.h"
#include "ipc/clock.h"

namespace {

using namespace arenad::fuzz;

constexpr uint64_t kMutationNs = 200'000'000;  // of each harness, at most
constexpr size_t kMutations = 3000;

// In memory of exactly its size.
void run(const Harness& harness, std::string_view input) {
  const std::unique_ptr<char[]> copy(new char[input.size()]);
  input.copy(copy.get(), input.size());
  harness.run({copy.get(), input.size()});
}

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> contents;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    std::ifstream file(entry.path(), std::ios::binary);
    contents.push_back((std::stringstream() << file.rdbuf()).str());
  }
  std::sort(contents.begin(), contents.end());
  return contents;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  size_t ran = 0;
  for (const auto& [name, harness] : all_harnesses()) {
    // Should it end here, this tells where.
    std::printf("%.*s", static_cast<int>(name.size()), name.data());
    std::fflush(stdout);
    std::vector<std::string> inputs = harness->seeds();
    for (std::string& found : files_in(std::filesystem::path(argv[1]) / name)) inputs.push_back(std::move(found));
    run(*harness, {});
    for (const std::string& input : inputs) run(*harness, input);
    arenad::chaos::Random random(1, name);
    const uint64_t until_ns = arenad::monotonic_ns() + kMutationNs;
    size_t mutations = 0;
    while (mutations < kMutations && arenad::monotonic_ns() < until_ns) {
      run(*harness, mutated(inputs[random.below(inputs.size())], *harness, random));
      ++mutations;
    }
    std::printf(": %zu seeds, %zu mutations\n", inputs.size(), mutations);
    ran += inputs.size() + mutations;
  }
  std::printf("%zu inputs\n", ran);
  return ran == 0 ? 1 : 0;
}
