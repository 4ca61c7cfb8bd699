// What has happened, as a hash that two runs of a seed must share; printed as well when asked for.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>

namespace arenad::sim {

class Trace {
 public:
  enum class Print { no, yes };
  explicit Trace(Print print) : print_(print) {}

  void note(uint64_t now_ns, const char* what, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0) {
    for (const char* p = what; *p != 0; ++p) add(static_cast<unsigned char>(*p));
    for (const uint64_t number : {now_ns, a, b, c}) add(number);
    if (print_ == Print::yes)
      std::printf("%14.6f ms  %-28s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", static_cast<double>(now_ns) / 1e6, what, a, b, c);
  }
  [[nodiscard]] uint64_t hash() const { return hash_; }

 private:
  void add(uint64_t number) {
    hash_ = (hash_ ^ number) * 0x100000001B3ull;
    hash_ ^= hash_ >> 29;
  }
  Print print_;
  uint64_t hash_ = 0xCBF29CE484222325ull;
};

}  // namespace arenad::sim
