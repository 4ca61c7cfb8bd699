// The request about the configuration: reload-config.
#include "ipc/control_client.h"
#include "supervisor/commands.h"
#include "supervisor/config_reload.h"

namespace arenad {
namespace {

wire::TakesEffect wire_of(TakesEffect takes_effect) {
  switch (takes_effect) {
    case TakesEffect::at_once:
      return wire::TakesEffect::AT_ONCE;
    case TakesEffect::when_begun:
      return wire::TakesEffect::WHEN_BEGUN;
    case TakesEffect::after_restart:
      return wire::TakesEffect::AFTER_RESTART;
  }
  return wire::TakesEffect::AT_ONCE;
}

void describe_outcome(const ConfigOutcome& outcome, wire::ConfigReloaded::Builder to) {
  auto changes = to.initChanges(static_cast<uint>(outcome.changes.size()));
  for (uint i = 0; i < changes.size(); ++i) {
    const ConfigChange& change = outcome.changes[i];
    changes[i].setKey(change.key);
    changes[i].setFrom(change.from);
    changes[i].setTo(change.to);
    changes[i].setTakesEffect(wire_of(change.takes_effect));
    changes[i].setNote(change.note);
  }
  auto problems = to.initProblems(static_cast<uint>(outcome.problems.size()));
  for (uint i = 0; i < problems.size(); ++i) {
    const ConfigProblem& problem = outcome.problems[i];
    problems[i].setFile(problem.file);
    problems[i].setLine(problem.line);
    problems[i].setColumn(problem.column);
    problems[i].setKey(problem.key);
    problems[i].setMessage(problem.message);
  }
  to.setRefusal(failure_code_of(outcome.refusal));
}

}  // namespace

void Commands::reload_config(RequestId from, wire::ReloadConfig::Reader reload) {
  const bool dry_run = reload.getDryRun();
  const auto mode = dry_run ? ConfigReload::Mode::dry_run : ConfigReload::Mode::apply;
  scope_.config_reload.order(mode, [this, from, dry_run](const ConfigOutcome& outcome) {
    scope_.server.reply(from, [&](wire::Reply::Builder reply) {
      auto to = reply.initConfigReloaded();
      to.setFile(scope_.config_reload.file());
      to.setDryRun(dry_run);
      describe_outcome(outcome, to);
    });
  });
}

}  // namespace arenad
