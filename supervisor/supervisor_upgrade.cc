// What of arenad as a whole goes over an upgrade (upgrade.h), and what must not be on the way meanwhile.
#include "state/migrations.h"
#include "supervisor/supervisor.h"
#include "supervisor/version.h"

namespace arenad {

Upgrade::Host Supervisor::upgrade_host() {
  return {.write = [this](wire::UpgradeState::Builder to, FdsToKeep& fds) { hand_on(to, fds); },
          .in_the_way = [this] { return in_the_way_of_upgrade(); },
          .hold =
              [this](bool held) {
                server_.hold(held);
                rollouts_.hold(held);
              },
          .save = [this] { save_records(); },
          .environment = [this] { return manager_.environment(); }};
}

// Their successor reads them from the database.
void Supervisor::save_records() {
  for (const auto& [id, arena] : roster_.all()) arena->save_record();
}

std::vector<std::string> Supervisor::in_the_way_of_upgrade() const {
  std::vector<std::string> found;
  if (shutting_down_) found.emplace_back("arenad is shutting down");
  for (const auto& [id, arena] : roster_.all()) {
    if (auto why = arena->not_steady()) found.push_back(std::move(*why));
  }
  for (const auto& [name, game] : games_) {
    for (const auto& [hash, version] : game->all()) {
      if (!version->is_steady()) found.push_back("game " + name + " is getting a worker or a template");
    }
  }
  const StoreHealth health = store_.health();
  if (health.failing_since_ns) {
    found.push_back("the database takes nothing: " + health.last_error.text());
  } else if (health.waiting_batches != 0) {
    found.emplace_back("the database has not taken everything yet");
  }
  if (manager_.waiting() != 0) found.emplace_back("the service manager has not taken everything yet");
  if (!config_reload_->is_idle()) found.emplace_back("the configuration is being read again");
  if (const size_t requests = commands_->must_be_answered(); requests != 0) {
    found.push_back(std::to_string(requests) + " requests are being carried out");
  }
  return found;
}

void Supervisor::hand_on(wire::UpgradeState::Builder to, FdsToKeep& fds) const {
  begin_handed_on(to);
  to.setProgram(kVersion);
  to.setStartedNs(started_ns_);
  to.setDirectory(config_.daemon.directory.string());
  to.setControlSocket(config_.daemon.socket_path().string());
  to.setWorkersSocket(config_.daemon.workers_socket_path().string());
  auto notices = to.initNotices(static_cast<uint>(notices_.size()));
  for (uint i = 0; i < notices.size(); ++i) notices.set(i, notices_[i]);
  to.setDirectoryLock(fds.add(lock_.file()));
  if (runtime_lock_) to.setRuntimeLock(fds.add(runtime_lock_->file()));
  to.setWorkersListener(fds.add(adoption_.listener()));
  server_.hand_on(to.initControl(), fds);
  commands_->hand_on(to.getControl());
  auto arenas = to.initArenas(static_cast<uint>(roster_.all().size()));
  uint next = 0;
  for (const auto& [id, arena] : roster_.all()) arena->hand_on(arenas[next++], fds);
  std::vector<const GameTemplate*> serving;
  for (const auto& [name, game] : games_) {
    for (const auto& [hash, version] : game->all()) {
      if (version->is_serving()) serving.push_back(version.get());
    }
  }
  auto templates = to.initTemplates(static_cast<uint>(serving.size()));
  for (uint i = 0; i < templates.size(); ++i) serving[i]->hand_on(templates[i], fds);
}

// One that is not found any more, because the configuration has no such game, ends when its link is closed.
void Supervisor::take_on_templates() {
  HandedOn& handed = *program_.handed;
  for (const auto one : handed.state().getTemplates()) {
    const auto game = games_.find(std::string(one.getGame().begin(), one.getGame().size()));
    if (game == games_.end()) continue;
    const CodeHash hash{one.getCodeHigh(), one.getCodeLow()};
    if (GameTemplate* version = game->second->find(hash)) version->take_on(one, handed);
  }
}

}  // namespace arenad
