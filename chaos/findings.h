// What is wrong with a run, as its last line counts it and as sentences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace arenad::chaos {

struct Findings {
  uint64_t lost = 0;       // events that send() took and that no frame has taken
  uint64_t missing = 0;    // outputs that a client should have received and has not
  uint64_t repeated = 0;   // outputs that came twice or out of order, events that were applied twice
  uint64_t different = 0;  // outputs or frames that are not what the run without a crash gives
  // Sentences for a reader; the first of each kind are enough. Anything in here fails the run, also without a count.
  std::vector<std::string> problems;

  [[nodiscard]] bool clean() const { return lost + missing + repeated + different == 0 && problems.empty(); }

  void problem(std::string text) { problems.push_back(std::move(text)); }

  Findings& operator+=(const Findings& other) {
    lost += other.lost;
    missing += other.missing;
    repeated += other.repeated;
    different += other.different;
    problems.insert(problems.end(), other.problems.begin(), other.problems.end());
    return *this;
  }
};

}  // namespace arenad::chaos
