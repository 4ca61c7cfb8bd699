// Facts on one thing, a line for each, for people.
#pragma once

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace arenad::cli {

// "  label       text", and nothing at all without a text.
class Page {
 public:
  void add(std::string_view label, const std::string& text) {
    if (!text.empty()) text_ += fmt::format("  {:<12}{}\n", label, text);
  }
  void add_raw(const std::string& lines) { text_ += lines; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace arenad::cli
