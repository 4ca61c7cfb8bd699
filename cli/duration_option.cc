#include "cli/duration_option.h"

#include <utility>

#include <CLI/App.hpp>

#include "cli/quantity.h"

namespace arenad::cli {

CLI::Option* add_duration_option(CLI::App& app, const std::string& name, std::function<void(uint64_t)> set,
                                 const std::string& description) {
  const auto parse = [name, set = std::move(set)](const std::string& text) {
    const auto ms = parse_duration_ms(text);
    if (!ms) throw CLI::ValidationError(name, "'" + text + "' is no duration such as 500ms, 10s, 2m or 1h");
    set(*ms);
  };
  return app.add_option_function<std::string>(name, parse, description)->option_text("DURATION");
}

}  // namespace arenad::cli
