// A real Prometheus scrapes a real arenad over loopback: that it takes what it gets, sees a crash, and can make something of every expression
// of the alert rules and of the dashboard. Ends with 77, and says why, where no Prometheus is.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/real/player.h"
#include "tests/real/scrape.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

constexpr const char* kPrometheus = "/usr/bin/prometheus";
constexpr const char* kPromtool = "/usr/bin/promtool";
constexpr const char* kRules = ARENAD_TEST_PACKAGING "/prometheus/arenad.rules.yml";
constexpr const char* kDashboard = ARENAD_TEST_PACKAGING "/grafana/arenad.json";

bool is_installed() {
  if (::access(kPrometheus, X_OK) == 0 && ::access(kPromtool, X_OK) == 0) return true;
  std::cout << "skipped: no Prometheus here (Debian's package prometheus)\n";
  return false;
}

// Keeps all in a folder of its own.
class Prometheus {
 public:
  Prometheus(const Daemon& daemon, uint16_t arenad_port) : daemon_(daemon), port_(free_port()) {
    config_ = (folder_ / "prometheus.yml").string();
    write_file(config_,
               "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
               "rule_files: [\"" +
                   std::string(kRules) +
                   "\"]\n"
                   "scrape_configs:\n"
                   "  - job_name: arenad\n"
                   "    static_configs: [{targets: [\"127.0.0.1:" +
                   std::to_string(arenad_port) + "\"]}]\n");
    program_ = std::make_unique<Program>(
        ProgramCall{{kPrometheus, "--config.file=" + config_, "--storage.tsdb.path=" + (folder_ / "data").string(),
                     "--web.listen-address=127.0.0.1:" + std::to_string(port_)},
                    folder_.path(),
                    folder_ / "out",
                    folder_ / "err"});
    const bool ready = eventually([&] { return curl(daemon_, {"--fail", url("/-/ready")}).code == 0 || program_->ended(); });
    INFO(read_file(folder_ / "err"));
    REQUIRE(ready);
    REQUIRE_FALSE(program_->ended());
  }
  ~Prometheus() {
    program_->signal(SIGTERM);
    const auto ended = program_->wait();
    CHECK(ended.has_value());
  }

  [[nodiscard]] const std::string& config() const { return config_; }
  [[nodiscard]] json get(const std::string& path, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{url(path)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(curl(daemon_, arguments).out);
  }
  [[nodiscard]] json query(const std::string& expression) const {
    return get("/api/v1/query", {"--get", "--data-urlencode", "query=" + expression});
  }
  // Of a query that gives one value; -1 if it gives none.
  [[nodiscard]] double value(const std::string& expression) const {
    const json answer = query(expression);
    REQUIRE(answer["status"] == "success");
    const json& result = answer["data"]["result"];
    return result.empty() ? -1 : std::strtod(result[0]["value"][1].get<std::string>().c_str(), nullptr);
  }

 private:
  [[nodiscard]] std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  const Daemon& daemon_;
  uint16_t port_;
  PrivateFolder folder_;
  std::string config_;
  std::unique_ptr<Program> program_;
};

// As Grafana fills them in when everything is selected.
std::string filled_in(std::string expression) {
  for (const auto& [variable, value] :
       {std::pair{"$__rate_interval", "1m"}, {"$instance", ".*"}, {"$game", ".*"}, {"$arena", ".*"}}) {
    for (size_t at = 0; (at = expression.find(variable)) != std::string::npos;) {
      expression.replace(at, std::string(variable).size(), value);
    }
  }
  return expression;
}

std::vector<std::string> dashboard_expressions(const json& dashboard) {
  std::vector<std::string> found;
  for (const json& panel : dashboard["panels"]) {
    if (!panel.contains("targets")) continue;
    for (const json& target : panel["targets"]) found.push_back(filled_in(target["expr"]));
  }
  for (const json& variable : dashboard["templating"]["list"]) {
    if (variable["type"] != "query") continue;
    // label_values(SERIES, LABEL)
    const std::string query = variable["query"]["query"];
    REQUIRE(query.starts_with("label_values("));
    found.push_back(filled_in(query.substr(13, query.rfind(',') - 13)));
  }
  return found;
}

std::set<std::string> names_in(const std::string& expression) {
  static const std::regex name(R"(\b(arenad|process)_[a-z0-9_]+)");
  std::set<std::string> found;
  for (std::sregex_iterator it(expression.begin(), expression.end(), name), end; it != end; ++it) {
    std::string text = it->str();
    for (const char* suffix : {"_seconds_bucket", "_seconds_sum", "_seconds_count"}) {
      if (text.ends_with(suffix)) text.resize(text.rfind('_'));
    }
    found.insert(text);
  }
  return found;
}

// Prometheus can evaluate it, and every name in it is one that arenad has.
void check_expression(const Prometheus& prometheus, const Scrape& scrape, const std::string& expression) {
  CAPTURE(expression);
  const json answer = prometheus.query(expression);
  CHECK(answer["status"] == "success");
  if (answer.contains("warnings")) CHECK_MESSAGE(answer["warnings"].empty(), answer["warnings"].dump());
  const auto names = names_in(expression);
  for (const std::string& name : names) CHECK_MESSAGE(scrape.names().contains(name), name);
  if (names.empty()) CHECK(expression.find("up{") != std::string::npos);
}

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a real Prometheus takes what it scrapes, sees a worker die, and understands every alert and every panel") {
  if (!is_installed()) std::exit(77);
  const uint16_t port = free_port();
  Daemon daemon("[metrics]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "60"}});
  Player ann(daemon.socket(), "duel", "ann");
  ann.say();
  REQUIRE(ann.hears_all());
  const std::vector<std::string> where{"http://127.0.0.1:" + std::to_string(port) + "/metrics"};

  Prometheus prometheus(daemon, port);
  REQUIRE(eventually([&] { return prometheus.value("up{job=\"arenad\"}") == 1; }));
  REQUIRE(eventually([&] { return prometheus.value("arenad_arena_frames_total{arena=\"duel\"}") > 0; }));
  // Before the first death the series is there, so that its increase can be seen.
  CHECK(prometheus.value("arenad_worker_deaths_total{game=\"echo\",kind=\"killed\"}") == 0);

  const uint64_t epoch = daemon.kill_worker("duel");
  REQUIRE(daemon.runs_again("duel", epoch));
  CHECK(eventually([&] { return prometheus.value("arenad_worker_deaths_total{game=\"echo\",kind=\"killed\"}") == 1; }));
  CHECK(eventually([&] { return prometheus.value("arenad_crashes_total{signature=\"SIGKILL\"}") == 1; }));
  CHECK(eventually([&] { return prometheus.value("increase(arenad_worker_deaths_total{kind=\"killed\"}[1m])") > 0; }));
  CHECK(eventually([&] { return prometheus.value("sum(arenad_recoveries_total)") == 1; }));
  CHECK(prometheus.value("sum(resets(arenad_arena_frames_total[5m]))") == 0);
  CHECK(prometheus.value("sum(resets(arenad_frames_total[5m]))") == 0);

  const Scrape scrape(daemon, where);
  write_file(daemon.folder() / "scrape", scrape.text());
  const Finished metrics = run_to_end(
      {"/bin/sh", "-c", std::string(kPromtool) + " check metrics < " + (daemon.folder() / "scrape").string()}, daemon.folder());
  CHECK_MESSAGE(metrics.code == 0, metrics.out << metrics.err);
  CHECK(metrics.out + metrics.err == "");
  std::filesystem::remove(daemon.folder() / "scrape");
  const Finished config = run_to_end({kPromtool, "check", "config", prometheus.config()}, daemon.folder());
  CHECK_MESSAGE(config.code == 0, config.out << config.err);

  // The alerts, as Prometheus has read them.
  const std::string operating = text_of(ARENAD_TEST_OPERATING_DOC);
  size_t alerts = 0;
  REQUIRE(eventually([&] {
    const json answer = prometheus.get("/api/v1/rules");
    for (const json& rule : answer["data"]["groups"][0]["rules"]) {
      if (rule["health"] == "unknown") return false;
    }
    return true;
  }));
  const json rules = prometheus.get("/api/v1/rules");
  for (const json& group : rules["data"]["groups"]) {
    for (const json& rule : group["rules"]) {
      ++alerts;
      const std::string name = rule["name"];
      CAPTURE(name);
      CHECK(rule["health"] == "ok");
      check_expression(prometheus, scrape, rule["query"]);
      for (const char* annotation : {"summary", "description", "action"}) CHECK(rule["annotations"].contains(annotation));
      CHECK_MESSAGE(operating.find("**" + name + "**") != std::string::npos, name << " is not explained in docs/operating.md");
    }
  }
  CHECK(alerts == 21);

  const json dashboard = json::parse(text_of(kDashboard));
  const auto expressions = dashboard_expressions(dashboard);
  CHECK(expressions.size() > 80);
  std::set<std::string> shown;
  for (const std::string& expression : expressions) {
    check_expression(prometheus, scrape, expression);
    shown.merge(names_in(expression));
  }
  // What is told and shown nowhere would be told for nothing.
  for (const std::string& name : scrape.names()) {
    const bool known = shown.contains(name) || name == "arenad_snapshots_failed_total" ||
                       name == "arenad_store_skipped_rows_total" || name == "arenad_store_replacements_total";
    CHECK_MESSAGE(known, name << " is in no panel");
  }
}

TEST_CASE("arenad gone: Prometheus says so") {
  if (!is_installed()) std::exit(77);
  const uint16_t port = free_port();
  Daemon daemon("[metrics]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n" + echo_section());
  daemon.start();
  Prometheus prometheus(daemon, port);
  REQUIRE(eventually([&] { return prometheus.value("up{job=\"arenad\"}") == 1; }));
  const std::string pending = "count(ALERTS{alertname=\"ArenadDown\"})";
  // Before its first scrape it knew of none.
  REQUIRE(eventually([&] { return prometheus.value(pending) == -1; }));
  daemon.stop();
  CHECK(eventually([&] { return prometheus.value(pending) == 1; }));
  daemon.start();
  CHECK(eventually([&] { return prometheus.value("up{job=\"arenad\"}") == 1; }));
}
