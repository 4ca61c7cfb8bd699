#include "supervisor/game_versions.h"

#include "supervisor/log.h"

namespace arenad {
namespace {

std::string text_or_nothing(CodeHash hash) {
  return hash.is_null() ? "" : hash.text();
}

CodeHash hash_or_null(const std::string& text) {
  return CodeHash::parse(text).value_or(CodeHash{});
}

}  // namespace

GameVersions::GameVersions(Scope scope, std::string name, GameConfig config, const std::optional<GameRecord>& before)
    : scope_(std::move(scope)), name_(std::move(name)), config_(std::move(config)) {
  current_ = configured_ = keep_configured();
  if (!before) return;
  const bool is_as_before = !configured_.is_null() && before->configured == configured_.text();
  const CodeHash was_current = hash_or_null(before->current);
  if (is_as_before && find(was_current) != nullptr) {
    current_ = was_current;
    previous_ = hash_or_null(before->previous);
  } else if (was_current != current_) {
    previous_ = was_current;
  }
}

CodeHash GameVersions::keep_configured() {
  auto kept = scope_.code.keep(config_.module);
  if (!kept) {
    if (!templates_.contains({})) make_template({{}, config_.module});
    return {};
  }
  if (!templates_.contains(kept->hash)) make_template(*kept);
  return kept->hash;
}

GameTemplate& GameVersions::make_template(const KeptCode& code) {
  GameConfig config = config_;
  config.module = code.file;
  auto& made = templates_[code.hash];
  made = std::make_unique<GameTemplate>(scope_.children, name_, code.hash, std::move(config), scope_.worker_program,
                                        scope_.ready_timeout_ms);
  return *made;
}

GameTemplate& GameVersions::current() {
  GameTemplate& now = *templates_.at(current_);
  if (current_ != configured_ || now.has_served()) return now;
  const CodeHash mended = keep_configured();
  if (mended == configured_) return now;
  current_ = configured_ = mended;
  return *templates_.at(current_);
}

GameTemplate* GameVersions::find(CodeHash hash) {
  if (hash.is_null()) return nullptr;
  if (const auto found = templates_.find(hash); found != templates_.end()) return found->second.get();
  const auto kept = scope_.code.find(hash);
  return kept ? &make_template(*kept) : nullptr;
}

Result<GameTemplate*> GameVersions::add(const Fd& module, const std::string& file_name) {
  auto kept = scope_.code.keep(module, file_name);
  if (!kept) return kept.error();
  return find(kept->hash);
}

Result<GameTemplate*> GameVersions::offer(const std::filesystem::path& module) {
  auto kept = scope_.code.keep(module);
  if (!kept) return kept.error();
  return find(kept->hash);
}

void GameVersions::configure(const GameConfig& config, CodeHash code, uint64_t ready_timeout_ms) {
  config_ = config;
  scope_.ready_timeout_ms = ready_timeout_ms;
  for (const auto& [hash, version] : templates_) version->configure(config, ready_timeout_ms);
  if (code == configured_) return;
  configured_ = code;
  make_current(code);
}

void GameVersions::make_current(CodeHash hash) {
  if (hash == current_ || find(hash) == nullptr) return;
  previous_ = current_;
  current_ = hash;
  log_info("game={} msg=\"new arenas get version {} ({})\"", name_, templates_.at(hash)->facts().version, hash.text());
}

void GameVersions::restore(CodeHash current, CodeHash previous) {
  make_current(current);
  previous_ = previous;
}

void GameVersions::discard(CodeHash hash) {
  const auto found = templates_.find(hash);
  const bool is_known = hash == current_ || hash == previous_ || hash == configured_;
  if (found == templates_.end() || is_known) return;
  found->second->close();
  scope_.children.facts.post([last = std::shared_ptr<GameTemplate>(std::move(found->second))] {});
  templates_.erase(found);
  scope_.code.forget(hash);
}

void GameVersions::let_go(CodeHash hash) {
  const auto found = templates_.find(hash);
  if (found == templates_.end() || hash == current_) return;
  found->second->rest();
}

GameRecord GameVersions::record() const {
  return {name_, text_or_nothing(configured_), text_or_nothing(current_), text_or_nothing(previous_)};
}

void GameVersions::close() {
  for (const auto& [hash, version] : templates_) version->close();
}

}  // namespace arenad
