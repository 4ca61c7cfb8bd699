#include "tests/real/scrape.h"

#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>

#include <doctest/doctest.h>

namespace arenad::test {

Finished curl(const Daemon& daemon, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/curl", "--silent", "--show-error", "--max-time", "30"});
  return run_to_end(arguments, daemon.folder());
}

std::vector<std::string> Scrape::at_socket(const Daemon& daemon) {
  return {"--unix-socket", (daemon.folder() / "run/metrics.sock").string(), "http://localhost/metrics"};
}

Scrape::Scrape(const Daemon& daemon, const std::vector<std::string>& where) {
  std::vector<std::string> arguments = where;
  arguments.emplace_back("--fail");
  Finished answer = curl(daemon, arguments);
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  text_ = std::move(answer.out);
  std::istringstream lines(text_);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string name, type;
      words >> name >> type;
      names_.insert(name);
      if (type == "counter") counters_.insert(name);
      if (type == "histogram") counters_.insert({name + "_bucket", name + "_sum", name + "_count"});
    } else if (!line.starts_with("#") && !line.empty()) {
      const size_t space = line.rfind(' ');
      series_[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
    }
  }
  REQUIRE(names_.contains("arenad_build_info"));
}

double Scrape::value(const std::string& series) const {
  const auto found = series_.find(series);
  return found == series_.end() ? -1 : found->second;
}

bool Scrape::is_counter(const std::string& series) const {
  return counters_.contains(series.substr(0, series.find('{')));
}

uint16_t free_port() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), bytes) == 0);
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
  return ntohs(address.sin_port);
}

}  // namespace arenad::test
