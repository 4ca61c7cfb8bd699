#include "cli/rollout_table.h"

#include "cli/arena_fields.h"
#include "cli/code_text.h"
#include "cli/quantity.h"
#include "cli/rollout_text.h"
#include "ipc/printable.h"

namespace arenad::cli {

Table rollout_table(capnp::List<wire::Rollout>::Reader rollouts) {
  Table table({{"GAME"},
               {"ID", Align::right},
               {"STATE"},
               {"FROM"},
               {"TO"},
               {"ARENAS", Align::right},
               {"PASSED", Align::right},
               {"ON-PROBATION", Align::right},
               {"WAITING", Align::right},
               {"FAILED", Align::right},
               {"GIVEN-BACK", Align::right},
               {"GONE", Align::right},
               {"PINNED", Align::right},
               {"ELAPSED", Align::right}});
  for (const auto rollout : rollouts) {
    table.add_row({{printable(text_of(rollout.getGame()))},
                   {std::to_string(rollout.getId())},
                   {printable(text_of(rollout.getState())), rollout_tone(rollout)},
                   {version_label(text_of(rollout.getFromVersion()), text_of(rollout.getFromCode()))},
                   {version_label(text_of(rollout.getToVersion()), text_of(rollout.getToCode()))},
                   {std::to_string(rollout.getTotal())},
                   {std::to_string(rollout.getPassed())},
                   {std::to_string(rollout.getOnProbation())},
                   {std::to_string(rollout.getWaiting())},
                   {std::to_string(rollout.getFailures().size())},
                   {std::to_string(rollout_given_back(rollout))},
                   {std::to_string(rollout.getGone())},
                   {std::to_string(rollout.getPinned())},
                   {duration_text(static_cast<double>(rollout.getElapsedMs()) * 1000)}});
  }
  return table;
}

}  // namespace arenad::cli
