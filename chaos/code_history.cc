#include "chaos/code_history.h"

namespace arenad::chaos {

std::vector<Stretch> code_history(std::span<const Life> lives, const std::map<std::string, std::filesystem::path>& versions) {
  std::vector<Stretch> stretches;
  for (const Life& life : lives) {
    if (life.live_since_unix_ns == 0 || !versions.contains(life.version)) continue;
    if (stretches.empty()) {
      stretches.push_back({0, life.version});
    } else if (stretches.back().version != life.version) {
      stretches.push_back({life.restored_frame, life.version});
    }
  }
  return stretches;
}

}  // namespace arenad::chaos
