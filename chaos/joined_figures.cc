#include "chaos/joined_figures.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace arenad::chaos {
namespace {

using nlohmann::ordered_json;

bool adds_up(const std::string& name) {
  return name.find("violations") != std::string::npos || name.find("unclean") != std::string::npos;
}

ordered_json joined(const std::string& name, const ordered_json& a, const ordered_json& b) {
  if (a.is_boolean() && b.is_boolean()) return a.get<bool>() && b.get<bool>();
  if (!a.is_number() || !b.is_number()) return b;
  if (!adds_up(name)) return std::max(a, b);
  if (a.is_number_float() || b.is_number_float()) return a.get<double>() + b.get<double>();
  return a.get<uint64_t>() + b.get<uint64_t>();
}

}  // namespace

Result<std::string> join_figures(std::span<const std::string> objects) {
  ordered_json all = ordered_json::object();
  for (size_t i = 0; i < objects.size(); ++i) {
    const ordered_json one = ordered_json::parse(objects[i], nullptr, false);
    if (!one.is_object()) return make_error(ErrorCode::invalid, fmt::format("the {}. of the figures is no JSON object", i + 1));
    for (const auto& [name, value] : one.items()) {
      if (value.is_structured())
        return make_error(ErrorCode::invalid, fmt::format("{} in the {}. of the figures is no figure", name, i + 1));
      all[name] = all.contains(name) ? joined(name, all[name], value) : value;
    }
  }
  return all.dump(2) + "\n";
}

}  // namespace arenad::chaos
