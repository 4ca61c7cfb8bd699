// Finds fewer steps of a bundle's plan that still fail, each try in a run of its own. What fails in another way than the bundle's run does is not
// taken: a try fails if it violates an invariant that the bundle's run has violated.
#pragma once

#include <filesystem>

#include "chaos/bundle.h"

namespace arenad::chaos {

struct ShrinkRequest {
  std::filesystem::path bundle;
  std::filesystem::path output;  // for the smaller plan
  size_t most_tries = 100;
};

// Says on standard output what each try has come to. ErrorCode::refused: there is nothing to be shrunk, or it does not fail again.
Result<void> shrink_bundle(const ShrinkRequest& request);

}  // namespace arenad::chaos
