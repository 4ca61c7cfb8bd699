#include "chaos/reload_tally.h"

#include <fmt/format.h>

namespace arenad::chaos {

std::string reload_text(const ReloadTally& t) {
  return fmt::format(
      "  commands          {} of {} given, {} came to what they must\n"
      "  code              changed {} times; {} versions were refused before anything happened, {} taken back by the arena "
      "that tried "
      "them\n",
      t.made, t.steps, t.as_expected, t.taken_over, t.refused, t.taken_back);
}

std::string reload_json(const ReloadTally& t) {
  return fmt::format(
      ", \"reload_steps\": {}, \"reload_made\": {}, \"reload_as_expected\": {}, \"versions_refused\": {}, \"code_taken_over\": "
      "{}, "
      "\"code_taken_back\": {}",
      t.steps, t.made, t.as_expected, t.refused, t.taken_over, t.taken_back);
}

}  // namespace arenad::chaos
