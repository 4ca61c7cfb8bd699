#include "chaos/faults/finding.h"

#include <memory>
#include <utility>

#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

std::string finding_of(const std::string& fault) {
  return "finding of " + fault;
}

}  // namespace

void keep_finding(Stage& stage, const std::string& fault, const Strike& strike, std::string wrong) {
  stage.prop(finding_of(fault), strike.arena) = std::make_shared<std::string>(std::move(wrong));
}

std::function<Result<void>(Stage&, const Strike&)> kept_finding(const std::string& fault) {
  return [fault](Stage& stage, const Strike& strike) -> Result<void> {
    const auto wrong = std::static_pointer_cast<std::string>(std::exchange(stage.prop(finding_of(fault), strike.arena), {}));
    if (wrong == nullptr || wrong->empty()) return {};
    return make_error(ErrorCode::failed, *wrong);
  };
}

}  // namespace arenad::chaos
