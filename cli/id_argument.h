// Ids of crash reports and of events in quarantine, as arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"

namespace arenad::cli {

// `what` names what has such an id, for the message: "crash". ErrorCode::invalid if it is no decimal number, or 0.
Result<uint64_t> parse_id(std::string_view what, const std::string& text);
// Each once, in their order.
Result<std::vector<uint64_t>> parse_ids(std::string_view what, const std::vector<std::string>& texts);

}  // namespace arenad::cli
