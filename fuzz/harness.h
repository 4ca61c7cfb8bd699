// What every harness of a decoder is: a name, a function that is given bytes, and seeds. One file each, beside this one; their names stand once,
// in CMakeLists.txt. docs/fuzzing.md says how to add one.
//
// A harness is run by libFuzzer (libfuzzer.cc), and by a test over its seeds and mutations of them (corpus_test.cc).
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "arenad/result.h"

namespace arenad::fuzz {

struct Harness {
  // Aborts if anything does not hold that must. The bytes lie in memory of exactly their size; nothing may stay of them afterwards, so that
  // the same input always does the same.
  void (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();
  std::vector<std::string> words = {};  // that inputs are made of
  size_t longest = 4096;                // inputs are not made longer than this
  bool is_loud = false;                 // what it runs writes to standard error
};

// Takes an input apart: numbers first, and the rest is bytes. Beyond the end everything is zero.
class Source {
 public:
  explicit Source(std::string_view input) : rest_(input) {}

  template <class T>
  T number() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    const size_t count = std::min(sizeof value, rest_.size());
    if (count != 0) std::memcpy(static_cast<void*>(&value), rest_.data(), count);
    rest_.remove_prefix(count);
    return value;
  }
  std::string_view bytes(size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // With its length before it, in two bytes.
  std::string_view sized() { return bytes(number<uint16_t>()); }
  std::string_view rest() { return bytes(rest_.size()); }

 private:
  std::string_view rest_;
};

// The way back, for seeds.
class Input {
 public:
  template <class T>
  Input& number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Input& bytes(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  Input& sized(std::string_view bytes) { return number(static_cast<uint16_t>(bytes.size())).bytes(bytes); }
  [[nodiscard]] const std::string& text() const { return bytes_; }

 private:
  std::string bytes_;
};

// Words for what is read as such: aligned, and without what does not fill one.
inline std::vector<uint64_t> words_of(std::string_view bytes) {
  std::vector<uint64_t> words(bytes.size() / sizeof(uint64_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint64_t));
  return words;
}

}  // namespace arenad::fuzz
