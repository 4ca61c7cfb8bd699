#include "cli/flame_graph.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "cli/table.h"
#include "cli/xml_text.h"

namespace arenad::cli {
namespace {

// Pixels.
constexpr double kWidth = 1200;
constexpr double kMargin = 10;
constexpr double kRow = 18;
constexpr double kHead = 60;
constexpr double kFoot = 30;
constexpr double kCharacter = 7;  // of the font below
constexpr const char* kScriptColour = "#f2a65a";
constexpr const char* kNativeColour = "#8fb8de";
constexpr const char* kGroundColour = "#d9d9d9";

struct Node {
  SlowCount of;
  std::map<SlowCall, Node> called;
};

Node tree_of(std::span<const SlowFrameFacts> frames) {
  Node root;
  for (const SlowFrameFacts& frame : frames) {
    root.of.add(frame.ran_ms);
    Node* node = &root;
    for (auto at = frame.calls.rbegin(); at != frame.calls.rend(); ++at) {
      const SlowCall& call = *at;
      node = &node->called[call];
      node->of.add(frame.ran_ms);
    }
  }
  return root;
}

// A frame that is not known to have run at all has a box without a width.
double weight(const SlowCount& of) {
  return static_cast<double>(of.total_ms);
}

void lay_out(const SlowCall& call, const Node& node, size_t depth, double begin, double width, std::vector<FlameBox>& boxes) {
  boxes.push_back({call.name, call.language, depth, begin, width, node.of});
  for (const auto& [callee, below] : node.called) {
    const double part = weight(node.of) == 0 ? 0 : width * weight(below.of) / weight(node.of);
    lay_out(callee, below, depth + 1, begin, part, boxes);
    begin += part;
  }
}

// As much of it as fits, by code points.
std::string fitted(const std::string& text, double pixels) {
  const auto room = static_cast<size_t>(std::max(0.0, std::floor((pixels - 6) / kCharacter)));
  if (display_width(text) <= room) return text;
  if (room < 4) return {};
  std::string out;
  size_t points = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (begins && points++ == room - 2) break;
    out += c;
  }
  return out + "..";
}

std::string numbers_of(const SlowCount& of) {
  return fmt::format("{} slow frame{}, {} ms, the longest {} ms", of.count, of.count == 1 ? "" : "s", of.total_ms,
                     of.longest_ms);
}

const char* colour_of(const FlameBox& box) {
  if (box.depth == 0) return kGroundColour;
  return box.language == Language::script ? kScriptColour : kNativeColour;
}

std::string box_svg(const FlameBox& box, double height) {
  const double x = kMargin + box.begin * (kWidth - 2 * kMargin);
  const double width = box.width * (kWidth - 2 * kMargin);
  const double y = height - kFoot - static_cast<double>(box.depth + 1) * kRow;
  std::string svg = fmt::format(
      "<g><title>{}: {}</title><rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" rx=\"2\" fill=\"{}\" "
      "stroke=\"#ffffff\"/>",
      xml_escaped(box.name), numbers_of(box.of), x, y, width, kRow - 1, colour_of(box));
  if (const std::string text = fitted(box.name, width); !text.empty()) {
    svg += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\">{}</text>", x + 3, y + kRow - 5, xml_escaped(text));
  }
  return svg + "</g>\n";
}

std::string legend_entry(double x, double y, const char* colour, const char* text) {
  return fmt::format(
      "<rect x=\"{:.0f}\" y=\"{:.2f}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{:.0f}\" y=\"{:.2f}\">{}</text>\n", x,
      y, colour, x + 18, y + 10, text);
}

}  // namespace

std::vector<FlameBox> flame_boxes(std::span<const SlowFrameFacts> frames) {
  std::vector<FlameBox> boxes;
  lay_out({"all", Language::native}, tree_of(frames), 0, 0, 1, boxes);
  return boxes;
}

std::string flame_svg(std::span<const SlowFrameFacts> frames, const std::string& title) {
  const std::vector<FlameBox> boxes = flame_boxes(frames);
  const size_t deepest = std::ranges::max(boxes, {}, &FlameBox::depth).depth;
  const double height = kHead + static_cast<double>(deepest + 1) * kRow + kFoot;
  std::string svg = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"monospace\" font-size=\"11\" fill=\"#222222\">\n"
      "<title>{2}</title>\n"
      "<rect width=\"{0:.0f}\" height=\"{1:.0f}\" fill=\"#ffffff\"/>\n"
      "<text x=\"{3:.0f}\" y=\"22\" font-size=\"15\">{2}</text>\n"
      "<text x=\"{3:.0f}\" y=\"42\">{4}; wider is longer, each call stands on its caller</text>\n",
      kWidth, height, xml_escaped(title), kMargin, numbers_of(boxes[0].of));
  for (const FlameBox& box : boxes) svg += box_svg(box, height);
  svg += legend_entry(kMargin, height - kFoot + 10, kScriptColour, "the game's own language");
  svg += legend_entry(kMargin + 220, height - kFoot + 10, kNativeColour, "native code");
  return svg + "</svg>\n";
}

}  // namespace arenad::cli
