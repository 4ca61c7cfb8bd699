// A run as one HTML page that loads nothing: no script, no picture, no font. It follows the reader's colour scheme. Pure.
#pragma once

#include <string>

#include "chaos/run_record.h"

namespace arenad::chaos {

std::string html_report(const RunRecord& record);

}  // namespace arenad::chaos
