// What is on the screen of arenactl top, and what its keys do. Knows no terminal: keys come in, lines go out.
#pragma once

#include <string>
#include <vector>

#include "cli/screen.h"
#include "cli/table.h"
#include "cli/top_view.h"

namespace arenad::cli {

struct TopLine {
  std::string text;
  Tone tone = Tone::plain;
  bool reversed = false;
};

class TopScreen {
 public:
  explicit TopScreen(TopOrder order) : order_(std::move(order)) {}

  void set_rows(std::vector<TopRow> rows, std::string daemon);
  // Why there is nothing newer than what is shown; empty: it is new.
  void set_trouble(std::string trouble) { trouble_ = std::move(trouble); }

  // False if it is the one to leave with.
  bool take(Key key);
  // As many as `height`; it remembers what fits, for the keys that turn pages.
  [[nodiscard]] std::vector<TopLine> lines(size_t width, size_t height);
  [[nodiscard]] const TopOrder& order() const { return order_; }

 private:
  void take_in_filter(Key key);
  void move_sort(int by);
  void move(long by);
  [[nodiscard]] std::string summary(size_t shown) const;
  [[nodiscard]] std::vector<TopLine> help_lines() const;

  TopOrder order_;
  std::vector<TopRow> rows_;
  std::string daemon_;
  std::string trouble_;
  size_t selected_ = 0;
  size_t first_ = 0;
  size_t page_ = 1;
  size_t shown_ = 0;
  bool asks_filter_ = false;
  bool shows_help_ = false;
};

}  // namespace arenad::cli
