#include "tests/sim/store.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace arenad::sim {

void Database::write(const Batch& batch) {
  for (const auto& [id, row] : batch.arenas) arenas[id].row = row;
  for (const StoredSnapshot& checkpoint : batch.checkpoints) {
    auto& all = arenas[checkpoint.snapshot.arena].checkpoints;
    const auto key = [](const StoredSnapshot& s) { return std::pair(s.snapshot.epoch, s.snapshot.frame); };
    std::erase_if(all, [&](const StoredSnapshot& other) { return key(other) == key(checkpoint); });
    all.push_back(checkpoint);
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) > key(b); });
    if (all.size() > 2) all.resize(2);
  }
  for (const auto& [id, result] : batch.results) {
    auto& all = arenas[id].results;
    if (result.position == all.size()) all.push_back(result);  // the first of a sequence stays
  }
  for (const auto& [id, event] : batch.quarantined) arenas[id].quarantined.emplace(event.channel.value, event.sequence);
}

void StoreThread::submit(Batch batch, std::function<void()> completed) {
  waiting_.emplace_back(std::move(batch), std::move(completed));
  if (!busy_) commit();
}

void StoreThread::commit() {
  busy_ = true;
  for (auto& each : waiting_) committing_.push_back(std::move(each));
  waiting_.clear();
  Draw& draw = world_.draw(Stream::disk);
  uint64_t takes_ns = 1 * kMs + draw.below(10 * kMs);
  if (world_.disk_mode() == DiskMode::slow) {
    takes_ns = 200 * kMs + draw.below(3 * kSecond);
    world_.met(Met::commit_slow);
  }
  world_.on_store_thread(takes_ns, [this] { committed(); });
}

void StoreThread::committed() {
  Draw& draw = world_.draw(Stream::disk);
  bool written = true;
  bool told_so = true;
  switch (world_.disk_mode()) {
    case DiskMode::well:
    case DiskMode::slow:
      world_.met(Met::commit);
      break;
    case DiskMode::failing:
      written = told_so = false;
      world_.met(Met::commit_failed);
      break;
    case DiskMode::of_unknown_outcome:
      written = draw.one_in(2);
      told_so = world_.is(Mutant::unknown_commit_is_done);
      world_.met(written ? Met::commit_unknown_done : Met::commit_unknown_lost);
      break;
  }
  if (written) {
    for (const auto& [batch, completed] : committing_) world_.database().write(batch);
    world_.note("committed", committing_.size());
  }
  if (told_so) {
    auto done = std::move(committing_);
    committing_.clear();
    retry_delay_ns_ = 0;
    world_.to_arenad(20 * kUs, [done = std::move(done)] {
      for (const auto& [batch, completed] : done) completed();
    });
    busy_ = false;
    if (!waiting_.empty()) commit();
    return;
  }
  retry_delay_ns_ = std::clamp<uint64_t>(retry_delay_ns_ * 2, 100 * kMs, 5 * kSecond);
  world_.on_store_thread(retry_delay_ns_, [this] { commit(); });
}

void StoreThread::query(std::function<void(const Database&)> answered) {
  world_.to_arenad(500 * kUs + world_.draw(Stream::disk).below(5 * kMs),
                   [&world = world_, answered = std::move(answered)] { answered(world.database()); });
}

void StoreThread::cut() {
  if (committing_.empty()) return;
  const bool written = world_.disk_mode() != DiskMode::failing && world_.draw(Stream::disk).one_in(2);
  world_.met(written ? Met::commit_cut_done : Met::commit_cut_lost);
  if (!written) return;
  for (const auto& [batch, completed] : committing_) world_.database().write(batch);
}

}  // namespace arenad::sim
