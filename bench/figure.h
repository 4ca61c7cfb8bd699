// The figures: what each is called, what it must reach, and how they are shown.
#pragma once

#include <string>
#include <vector>

#include "arenad/result.h"

namespace arenad::bench {

struct Measured {
  std::string name;  // one of figure_names()
  double value = 0;
  std::string note = {};  // what a reader must know to believe it; may be empty
};

// All of them, in the order in which they are shown.
std::vector<std::string> figure_names();

// A line for each: name, figure, target, met or missed.
std::string figures_table(const std::vector<Measured>& figures);

// One flat object: name to number.
std::string figures_json(const std::vector<Measured>& figures);

}  // namespace arenad::bench
