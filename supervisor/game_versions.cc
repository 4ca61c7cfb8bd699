#include "supervisor/game_versions.h"

#include "supervisor/give_up.h"
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
  const auto configured = pair_configured();
  if (before && !configured && is_want_of_descriptors_or_memory(configured.error().errno_value)) {
    leave_it_to_the_next(configured.error());
  }
  current_ = configured_ = keep_configured(configured);
  if (!before) return;
  const CodeHash was_current = hash_or_null(before->current);
  const auto was = known_before(was_current);
  current_ = carry_over(known_before(hash_or_null(before->configured)), was);
  const auto is = files_of(current_);
  // One from before runtimes were kept has another hash now, and may be the same.
  const bool is_the_same = is && was && is->module.hash == was->module.hash && is->runtime.hash == was->runtime.hash;
  previous_ = is_the_same ? hash_or_null(before->previous) : was_current;
}

// To take what cannot be read now for something that is not there would give arenas other code than they had.
std::optional<KeptVersion> GameVersions::known_before(CodeHash hash) const {
  auto found = scope_.versions.look(hash);
  if (!found) leave_it_to_the_next(found.error());
  return std::move(*found);
}

// What is current now: of what was, each half that the configuration has changed since.
CodeHash GameVersions::carry_over(const std::optional<KeptVersion>& before, const std::optional<KeptVersion>& was) {
  const auto now = files_of(configured_);
  if (!before || !was || !now) return configured_;
  auto carried = pair(before->module.hash == now->module.hash ? was->module : now->module,
                      before->runtime.hash == now->runtime.hash ? was->runtime : now->runtime);
  return carried ? (*carried)->hash() : configured_;
}

Result<GameTemplate*> GameVersions::pair_configured() {
  return pair(scope_.versions.files().keep(config_.module), scope_.versions.files().keep(scope_.worker_program));
}

CodeHash GameVersions::keep_configured(Result<GameTemplate*> configured) {
  if (configured) return (*configured)->hash();
  if (!templates_.contains({})) make_template({{}, {{}, config_.module}, {{}, scope_.worker_program}});
  return {};
}

Result<GameTemplate*> GameVersions::pair(const Result<KeptCode>& module, const Result<KeptCode>& runtime) {
  if (!module) return module.error();
  if (!runtime) return runtime.error();
  auto version = scope_.versions.keep(module.value(), runtime.value());
  if (!version) return version.error();
  const auto known = templates_.find(version->hash);
  return known != templates_.end() ? known->second.get() : &make_template(*version);
}

GameTemplate& GameVersions::make_template(const KeptVersion& version) {
  GameConfig config = config_;
  config.module = version.module.file;
  auto& made = templates_[version.hash];
  made = std::make_unique<GameTemplate>(scope_.children, name_, version.hash, std::move(config), version.runtime.file.string(),
                                        scope_.ready_timeout_ms);
  return *made;
}

GameTemplate& GameVersions::current() {
  GameTemplate& now = *templates_.at(current_);
  if (current_ != configured_ || now.has_served()) return now;
  const CodeHash mended = keep_configured(pair_configured());
  if (mended == configured_) return now;
  current_ = configured_ = mended;
  return *templates_.at(current_);
}

GameTemplate* GameVersions::find(CodeHash hash) {
  if (hash.is_null()) return nullptr;
  if (const auto found = templates_.find(hash); found != templates_.end()) return found->second.get();
  const auto kept = files_of(hash);
  return kept ? &make_template(*kept) : nullptr;
}

Result<GameTemplate*> GameVersions::add(const NewCode& code) {
  const auto now = files_of(current_);
  if (!now && !(code.module && code.runtime)) {
    return make_error(ErrorCode::refused, "game " + name_ + " has no current version that could be used: give both, " +
                                              "its module and --runtime with a file");
  }
  const auto keep = [&](const std::optional<NewFile>& given, KeptCode KeptVersion::*half) -> Result<KeptCode> {
    return given ? scope_.versions.files().keep(given->file, given->name) : Result<KeptCode>((*now).*half);
  };
  auto added = pair(keep(code.module, &KeptVersion::module), keep(code.runtime, &KeptVersion::runtime));
  if (!added) scope_.versions.forget_loose_files();
  return added;
}

Result<GameTemplate*> GameVersions::offer(const std::filesystem::path& module) {
  auto kept = scope_.versions.files().keep(module);
  if (!kept) return kept.error();
  const auto configured = files_of(configured_);
  if (configured && configured->module.hash == kept->hash) return find(configured_);
  const auto now = files_of(current_);
  return pair(kept, now ? Result<KeptCode>(now->runtime) : scope_.versions.files().keep(scope_.worker_program));
}

void GameVersions::configure(const GameConfig& config, CodeHash code, uint64_t ready_timeout_ms) {
  config_ = config;
  scope_.ready_timeout_ms = ready_timeout_ms;
  for (const auto& [hash, version] : templates_) version->configure(config, ready_timeout_ms);
  if (code == configured_) return;
  const auto was = files_of(configured_);
  const auto now = files_of(code);
  // The configuration says nothing of a runtime that a rollout has brought.
  auto configured = was && now ? pair(now->module, was->runtime) : Result<GameTemplate*>(find(code));
  configured_ = configured && *configured != nullptr ? (*configured)->hash() : code;
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
  if (!scope_.is_known_elsewhere(hash, this)) scope_.versions.forget(hash);
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
