// The versions of one game: each is a module and the runtime that runs it, kept by content, with a template of its own. New arenas get
// the current one; an arena keeps the one that it runs until it is handed over or taken back.
//
//   configured   the module and the worker program of the configuration. If one of them has another content than when arenad last ran,
//                it becomes the current one's, and the other half stays. So does a module when the configuration is read again; the
//                worker program is not looked at then
//   current      what new arenas get: the configured one, until a rollout has made another the current one
//   previous     what was current before: a rollback's aim
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "state/records.h"
#include "supervisor/game_template.h"
#include "supervisor/version_store.h"

namespace arenad {

class GameVersions {
 public:
  struct Scope {
    ChildScope children;
    VersionStore& versions;
    std::string worker_program;
    uint64_t ready_timeout_ms;
    // Whether another game knows this version too.
    std::function<bool(CodeHash, const GameVersions*)> is_known_elsewhere;
  };

  // before: what the database says of an earlier arenad's time.
  GameVersions(Scope scope, std::string name, GameConfig config, const std::optional<GameRecord>& before);
  void close();

  // What new arenas get. A configured module or worker program that could not be kept or loaded yet may have been mended on disk
  // meanwhile: it is looked at again.
  GameTemplate& current();
  // nullptr: it is not kept any more.
  GameTemplate* find(CodeHash hash);
  // Which files it is; nullopt: it is not kept.
  [[nodiscard]] std::optional<KeptVersion> files_of(CodeHash hash) const { return scope_.versions.find(hash); }
  struct NewFile {
    Fd file;
    std::string name;
  };
  // A half that is not given is the current version's.
  struct NewCode {
    std::optional<NewFile> module;
    std::optional<NewFile> runtime;
  };
  // Another version, which nobody runs yet.
  Result<GameTemplate*> add(const NewCode& code);
  [[nodiscard]] const std::string& worker_program() const { return scope_.worker_program; }
  // The module that a changed configuration names, with the current runtime: what it is to be configured with, if it can be loaded.
  Result<GameTemplate*> offer(const std::filesystem::path& module);
  // Goes by a changed configuration. If its module has another content than before it becomes the current version. code: what offer()
  // gave.
  void configure(const GameConfig& config, CodeHash code, uint64_t ready_timeout_ms);
  // What was current becomes the previous one.
  void make_current(CodeHash hash);
  // As it was before a rollout that has failed: its version is nothing that a rollback may go to.
  void restore(CodeHash current, CodeHash previous);
  // Forgets a version that no arena runs, file and all, unless it is the current, the previous or the configured one.
  void discard(CodeHash hash);
  // Ends the template of a version that no arena runs, unless it is the current one.
  void let_go(CodeHash hash);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const GameConfig& config() const { return config_; }
  [[nodiscard]] CodeHash configured() const { return configured_; }
  [[nodiscard]] CodeHash previous() const { return previous_; }
  [[nodiscard]] GameRecord record() const;
  [[nodiscard]] const std::map<CodeHash, std::unique_ptr<GameTemplate>>& all() const { return templates_; }

 private:
  GameTemplate& make_template(const KeptVersion& version);
  Result<GameTemplate*> pair_configured();
  CodeHash keep_configured(Result<GameTemplate*> configured);
  [[nodiscard]] std::optional<KeptVersion> known_before(CodeHash hash) const;
  CodeHash carry_over(const std::optional<KeptVersion>& before, const std::optional<KeptVersion>& was);
  Result<GameTemplate*> pair(const Result<KeptCode>& module, const Result<KeptCode>& runtime);

  Scope scope_;
  std::string name_;
  GameConfig config_;
  std::map<CodeHash, std::unique_ptr<GameTemplate>> templates_;
  CodeHash configured_;  // null: its files cannot be kept; then its template is loaded from where it lies, and says why not
  CodeHash current_;
  CodeHash previous_;
};

}  // namespace arenad
