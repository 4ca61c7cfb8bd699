#include "cli/command.h"

namespace arenad::cli {

Commands all_commands() {
  Commands commands;
  commands.push_back(start_command());
  commands.push_back(status_command());
  commands.push_back(list_command());
  commands.push_back(inspect_command());
  commands.push_back(state_command());
  commands.push_back(top_command());
  commands.push_back(restart_command());
  commands.push_back(drain_command());
  commands.push_back(undrain_command());
  commands.push_back(stop_command());
  commands.push_back(reset_failed_command());
  commands.push_back(snapshot_command());
  commands.push_back(kill_command());
  commands.push_back(signal_command());
  commands.push_back(tell_command());
  commands.push_back(logs_command());
  commands.push_back(events_command());
  commands.push_back(crashes_command());
  commands.push_back(slow_command());
  commands.push_back(quarantine_command());
  commands.push_back(results_command());
  commands.push_back(export_command());
  commands.push_back(history_command());
  commands.push_back(reload_config_command());
  commands.push_back(shutdown_command());
  commands.push_back(version_command());
  commands.push_back(reload_command());
  commands.push_back(rollback_command());
  commands.push_back(rollout_command());
  commands.push_back(pin_command());
  commands.push_back(unpin_command());
  commands.push_back(versions_command());
  commands.push_back(upgrade_command());
  commands.push_back(gate_command());
  commands.push_back(new_game_command());
  return commands;
}

}  // namespace arenad::cli
