// The metrics as text, in the format of Prometheus. The names, their units and what they mean stand here, once; docs/metrics.md says more.
#pragma once

#include <string>

#include "supervisor/metrics_facts.h"
#include "supervisor/process_memory.h"

namespace arenad {

// On a thread of its own choice: it takes milliseconds, and looks at nothing but what it is given.
std::string metrics_text(const MetricsFacts& facts, const MemoryFacts& memory);

}  // namespace arenad
