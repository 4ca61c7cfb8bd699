// An arena's status with every field set, for the tests of arenactl.
#pragma once

#include "ipc/control.capnp.h"
#include "ipc/histogram.h"

namespace arenad::cli_test {

inline constexpr uint64_t kNowUnixMs = 1'767'323'045'000;  // 2026-01-02T03:04:05Z
inline constexpr const char* kSampleId = "01JD3M7S9XQ2V8T4KZ5W6Y7R0B";

inline void fill_identity(wire::ArenaStatus::Builder arena, const char* name, const char* state) {
  arena.setId(kSampleId);
  arena.setName(name);
  arena.setGame("tanks");
  arena.setGameVersion("1.2.0");
  arena.setCode("0123456789abcdef0011223344556677");
  arena.setState(state);
  arena.setPid(4242);
  arena.setEpoch(3);
  arena.setSinceUnixMs(kNowUnixMs - 303'000);
}

inline void fill_counters(wire::ArenaStatus::Builder arena) {
  arena.setFrame(6060);
  arena.setTickHz(20);
  arena.setPlayers(2);
  arena.setClients(3);
  arena.setEvents(1000);
  arena.setRejected(2);
  arena.setOutputs(5000);
  arena.setOutputsRefused(1);
  arena.setRestarts(1);
  arena.setRestartsTotal(7);
  arena.setRestartsAllowed(5);
  arena.setRestartWindowMs(60'000);
  arena.setLastExit("signal=SEGV");
  arena.setFramesLate(9);
  arena.setLateP50Us(90);
  arena.setLateP99Us(4200);
  arena.setFrameMeanUs(212.5);
  arena.setFrameMaxUs(3100);
  arena.setCpuNs(1'500'000'000);
  arena.setCpuPercent(4.26);
}

inline void fill_recovery(wire::ArenaStatus::Builder arena) {
  arena.setRecoveryMs(1.3);
  arena.setRung("newest snapshot");
  arena.setReplayedFrames(12);
  arena.setReplayedEvents(300);
  arena.setSnapshots(606);
  arena.setSnapshotsFailed(0);
  arena.setSnapshotBytes(16 * 1024);
  arena.setSnapshotFrame(6055);
  arena.setSnapshotMeanUs(180);
  arena.setSnapshotAgeMs(250);
  arena.setDurableFrame(6040);
  arena.setSharedMemoryBytes(4 * 1024 * 1024);
}

inline void fill_lists(wire::ArenaStatus::Builder arena) {
  auto channels = arena.initChannels(2);
  channels[0].setSeat(0);
  channels[0].setPlayer("ann");
  channels[0].setApplied(700);
  channels[0].setRejected(2);
  channels[0].setKeptBytes(2048);
  channels[1].setSeat(64);
  auto param = arena.initParams(1)[0];
  param.setKey("map");
  param.setValue("desert");
  auto lateness = arena.initLateness(kHistogramBuckets);
  lateness.set(static_cast<unsigned>(histogram_bucket(90)), 5990);
  lateness.set(static_cast<unsigned>(histogram_bucket(4200)), 70);
}

inline void fill_arena(wire::ArenaStatus::Builder arena, const char* name, const char* state) {
  fill_identity(arena, name, state);
  fill_counters(arena);
  fill_recovery(arena);
  fill_lists(arena);
}

inline void fill_daemon(wire::DaemonStatus::Builder daemon) {
  daemon.setVersion("0.1.0");
  daemon.setPid(77);
  daemon.setUptimeMs(7'500'000);
  daemon.setConfiguration("/etc/arenad.toml");
  daemon.setRunning(2);
  daemon.setClients(6);
  daemon.setCheckpointLagMs(300);
  daemon.setSharedMemoryBytes(8 * 1024 * 1024);
  daemon.setRecoveries(8);
}

}  // namespace arenad::cli_test
