#include "chaos/operator_command.h"

#include <csignal>

#include "chaos/files.h"

namespace arenad::chaos {

Result<OperatorCommand> OperatorCommand::start(const std::filesystem::path& arenactl, const std::filesystem::path& socket,
                                               const std::vector<std::string>& arguments, const std::filesystem::path& log) {
  std::error_code none;
  const auto size = std::filesystem::file_size(log, none);
  Command command{.program = arenactl, .arguments = arguments, .log = log, .signal_if_orphaned = SIGKILL};
  command.arguments.insert(command.arguments.end(), {"--socket", socket.string()});
  auto process = ChildProcess::start(command);
  if (!process) return process.error();
  return OperatorCommand(std::move(*process), log, none ? 0 : size);
}

std::vector<std::string> OperatorCommand::new_lines() {
  const bool is_over = ended().has_value();
  std::vector<std::string> lines;
  auto text = read_file(log_);
  if (!text) return lines;
  while (read_to_ < text->size()) {
    const size_t end = text->find('\n', read_to_);
    if (end == std::string::npos && !is_over) break;
    lines.push_back(text->substr(read_to_, end - read_to_));
    read_to_ = end == std::string::npos ? text->size() : end + 1;
  }
  return lines;
}

}  // namespace arenad::chaos
