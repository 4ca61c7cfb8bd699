#include "chaos/faults/log_mark.h"

#include <memory>

#include "chaos/files.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

std::string mark_of(const std::string& fault) {
  return "log mark of " + fault;
}

}  // namespace

void mark_log(Stage& stage, const std::string& fault, const Strike& strike, const std::string& part) {
  stage.prop(mark_of(fault), strike.arena) = std::make_shared<size_t>(lines_with(stage.rig().log(), part).size());
}

bool has_logged(const Stage& stage, const std::string& fault, const Strike& strike, const std::string& part) {
  const auto mark = stage.prop(mark_of(fault), strike.arena);
  return mark != nullptr && lines_with(stage.rig().log(), part).size() > *std::static_pointer_cast<size_t>(mark);
}

}  // namespace arenad::chaos
