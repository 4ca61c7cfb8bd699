#include "chaos/progress_line.h"

#include <unistd.h>

#include "chaos/screen.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kRedrawNs = kSecond / 5;
constexpr uint64_t kLineNs = 5 * kSecond;

}  // namespace

ProgressLine::ProgressLine(FILE* out) : out_(out), kind_(::isatty(::fileno(out)) == 1 ? Kind::terminal : Kind::plain) {}

void ProgressLine::show(const Progress& progress, uint64_t now_ns) {
  std::string text = progress_text(progress);
  switch (kind_) {
    case Kind::terminal: {
      // One that is broken over two rows could not be drawn again.
      const size_t columns = size_of(out_).columns;
      if (text.size() >= columns) text.resize(columns - 1);
      std::fputs(("\r\x1b[K" + text).c_str(), out_);
      next_ns_ = now_ns + kRedrawNs;
      break;
    }
    case Kind::plain:
      std::fputs((text + "\n").c_str(), out_);
      next_ns_ = now_ns + kLineNs;
      break;
  }
  std::fflush(out_);
}

// ECMA-48: EL.
void ProgressLine::clear() {
  if (kind_ == Kind::terminal) std::fputs("\r\x1b[K", out_);
  std::fflush(out_);
}

}  // namespace arenad::chaos
