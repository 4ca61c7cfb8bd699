// The manual page of the configuration, arenad.toml(5): what the table of keys says.
#pragma once

#include <string>

namespace arenad::manual {

std::string config_page(const std::string& see_also);

}  // namespace arenad::manual
