// Whether the state of one version of a game can be read by another one, by the rules of Cap'n Proto (capnproto.org/language.html#evolving-
// your-protocol): what both have must lie in the same place, be of the same type and have the same default. Fields that only one has are
// fine: one that is added begins with its default, and one that an older version does not know is not taken over. Stricter than these rules:
// a list's elements must stay what they are, and a field may move into a group, but not into a union. Looser: of a generic type, what its
// parameters are is not compared.
#pragma once

#include <cstdint>
#include <span>

#include "arenad/result.h"

namespace arenad {

// A module's types (module_abi.h: schema) and which of them is the state.
struct StateSchema {
  std::span<const unsigned char> schema;
  uint64_t state_type = 0;
};

// Errors: refused; the message names the first field that does not fit. Corrupt if one of both cannot be read.
Result<void> state_fits(const StateSchema& written, const StateSchema& read);

}  // namespace arenad
